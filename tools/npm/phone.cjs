// A hub of a few lines made of the npm package twilio, against a simulated Twilio. The first
// line of standard input is {token}; {url} of the hub is printed. The second is {base, account,
// key, secret, from, to, other}: the API is used through the package, and printed is what came
// of it, with every webhook and whether the package believes its signature.
const http = require("http");
const readline = require("readline");
const twilio = require("twilio");
const RequestClient = require("twilio/lib/base/RequestClient");

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

// hub validates what it is sent, and answers with the package's own TwiML.
function hub(token, hooks) {
  return http.createServer((req, res) => {
    const chunks = [];
    req.on("data", (c) => chunks.push(c));
    req.on("end", () => {
      const form = {};
      for (const [k, v] of new URLSearchParams(Buffer.concat(chunks).toString())) form[k] = v;
      const url = "http://" + req.headers.host + req.url;
      const signature = req.headers["x-twilio-signature"];
      hooks.push({
        path: req.url, good: twilio.validateRequest(token, signature, url, form),
        forged: twilio.validateRequest(token, signature, url, { ...form, Digits: "9" }) || twilio.validateRequest("other", signature, url, form),
        state: form.CallStatus || form.MessageStatus || form.SmsStatus || "", digits: form.Digits || "", body: form.Body || "", by: form.AnsweredBy || "",
      });
      let doc = null;
      if (req.url.startsWith("/voice")) {
        doc = new twilio.twiml.VoiceResponse();
        const gather = doc.gather({ numDigits: 1, timeout: 8, action: "/gather?t=it's+a%20b", actionOnEmptyResult: true });
        const say = gather.say({ voice: "alice", language: "en-US" });
        say.addText("Incident at Müller & Söhne <Ltd>. ");
        say.break({ strength: "weak", time: "1s" });
        say.sayAs({ "interpret-as": "characters" }, "RH7K2M");
        doc.pause({ length: 1 });
        doc.redirect({ method: "POST" }, "/voice?again=1");
      } else if (req.url.startsWith("/gather")) {
        doc = new twilio.twiml.VoiceResponse();
        doc.say("It is yours.");
        doc.hangup();
      } else if (req.url.startsWith("/sms")) {
        doc = new twilio.twiml.MessagingResponse();
        doc.message("Yours: " + form.Body);
      }
      res.writeHead(doc ? 200 : 204, { "Content-Type": "text/xml" });
      res.end(doc ? doc.toString() : "");
    });
  });
}

// inside lets the package's own client call the simulator instead of Twilio.
class Inside extends RequestClient {
  constructor(base) { super(); this.base = base; }
  request(options) { return super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", this.base) }); }
}

async function refused(what) {
  try { await what; return null; } catch (e) { return { code: e.code, status: e.status, more: e.moreInfo || "" }; }
}

async function play(q, url) {
  const client = twilio(q.key, q.secret, { accountSid: q.account, httpClient: new Inside(q.base) });
  const text = await client.messages.create({ to: q.to, from: q.from, body: "RH-7K2M. Code 4821: reply it.", statusCallback: url + "/status/1", validityPeriod: 600 });
  const call = await client.calls.create({
    to: q.to, from: q.from, url: url + "/voice?a=1&b=%E2%9C%93", timeout: 25, machineDetection: "Enable", asyncAmd: "true", asyncAmdStatusCallback: url + "/amd",
    statusCallback: url + "/status/2", statusCallbackEvent: ["initiated", "ringing", "answered", "completed"],
  });
  let ended = call, sent = text;
  for (let i = 0; i < 200 && !(ended.status === "completed" && sent.status === "delivered"); i++) {
    await sleep(50);
    ended = await client.calls(call.sid).fetch();
    sent = await client.messages(text.sid).fetch();
  }
  const other = await client.calls.create({ to: q.other, from: q.from, url: url + "/voice" });
  for (let i = 0; i < 200 && (await client.calls(other.sid).fetch()).status !== "ringing"; i++) await sleep(20);
  const canceled = await client.calls(other.sid).update({ status: "canceled" });
  const redacted = await client.messages(text.sid).update({ body: "" });
  const calls = await client.calls.list({ to: q.to, startTimeAfter: new Date(Date.now() - 86400000), pageSize: 1 });
  const paged = await client.calls.list({ pageSize: 1 });
  const texts = await client.messages.list({ to: q.to, dateSentAfter: new Date(Date.now() - 86400000) });
  await sleep(400);
  return {
    text: { first: text.status, last: sent.status, segments: text.numSegments, created: text.dateCreated, sid: text.sid, sent: sent.dateSent },
    call: { first: call.status, last: ended.status, duration: ended.duration, start: ended.startTime, sid: call.sid, by: ended.answeredBy },
    canceled: canceled.status, redacted: redacted.body, calls: calls.length, paged: paged.length, texts: texts.length,
    refused: [
      await refused(client.messages.create({ to: "+15005550001", from: q.from, body: "x" })),
      await refused(client.calls.create({ to: q.to, from: q.from })),
      await refused(client.calls(other.sid).update({ status: "completed" })),
      await refused(client.calls("CA" + "0".repeat(32)).fetch()),
      await refused(twilio(q.key, "wrong", { accountSid: q.account, httpClient: new Inside(q.base) }).calls.list()),
    ],
  };
}

(async () => {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const next = async () => { const { value, done } = await lines.next(); return done ? null : JSON.parse(value); };
  const hooks = [];
  const server = hub((await next()).token, hooks);
  await new Promise((r) => server.listen(0, "127.0.0.1", r));
  const url = "http://127.0.0.1:" + server.address().port;
  console.log(JSON.stringify({ url }));
  const q = await next();
  if (q) console.log(JSON.stringify({ ...(await play(q, url)), hooks }));
  server.close();
  server.closeAllConnections();
})().catch((e) => { console.error(e); process.exit(1); });
