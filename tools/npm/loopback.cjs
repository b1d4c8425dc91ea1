// Loaded before a program that listens on every interface: keeps it on 127.0.0.1, and
// lets it call nothing outside this machine.
const net = require("net");

const here = (host) => host === undefined || host === null || ["localhost", "127.0.0.1", "::1", "::ffff:127.0.0.1"].includes(host);

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...args) {
  const done = typeof args[args.length - 1] === "function" ? args.pop() : undefined;
  const first = args[0];
  const options = first !== null && typeof first === "object" ? { ...first } : { port: first || 0 };
  if (options.path === undefined && options.fd === undefined) options.host = "127.0.0.1";
  return listen.call(this, options, done);
};

const connect = net.Socket.prototype.connect;
net.Socket.prototype.connect = function (...args) {
  const given = Array.isArray(args[0]) ? args[0][0] : args[0];
  const host = given !== null && typeof given === "object" ? given.host : typeof args[1] === "string" ? args[1] : undefined;
  const local = given !== null && typeof given === "object" && given.path !== undefined && given.host === undefined;
  if (!local && !here(host)) {
    process.nextTick(() => this.destroy(new Error("kept on this machine: " + host)));
    return this;
  }
  return connect.apply(this, args);
};
