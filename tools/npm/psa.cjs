// Calls ticket systems with two libraries that others wrote, one JSON line for another:
// {open: {connectwise: {...}, autotask: {...}}} -> {ok}
// {connectwise: [path, method, params, data]} -> {value} or {error: {status, data}}, by connectwise-rest
// {autotask: [entity, method, ...arguments]} -> the same, by @apigrate/autotask-restapi
// {verify: [body, signature, key]} -> {value}, a callback of ConnectWise
const readline = require("readline");
const { ManageAPI, utils } = require("connectwise-rest");
const { AutotaskRestApi } = require("@apigrate/autotask-restapi");

let cw, at;
const quiet = () => {};

async function play(q) {
  if (q.open) {
    cw = new ManageAPI({ ...q.open.connectwise, logger: quiet });
    at = new AutotaskRestApi(q.open.autotask.user, q.open.autotask.secret, q.open.autotask.code, { base_url: q.open.autotask.base });
    return { ok: true };
  }
  if (q.connectwise) {
    const [name, ...args] = q.connectwise;
    const api = name.includes("System") ? cw.SystemAPI : name.includes("Company") ? cw.CompanyAPI : cw.ServiceAPI;
    return { value: await api[name](...args) };
  }
  if (q.autotask) {
    const [entity, method, ...args] = q.autotask;
    return { value: await at[entity][method](...args) };
  }
  const [body, signature, key] = q.verify;
  return { value: utils.Callback.verifyMessage(JSON.parse(body), signature, key) };
}

readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  let answer;
  try {
    answer = await play(JSON.parse(line));
  } catch (e) {
    answer = { error: { status: e.status ?? 0, data: e.data ?? e.details ?? null, message: String(e.message ?? e) } };
  }
  process.stdout.write(JSON.stringify(answer ?? null) + "\n");
});
