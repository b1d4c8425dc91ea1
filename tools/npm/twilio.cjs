// Speaks Twilio's part with Twilio's own library, one JSON line for another:
// {sign: {token, url, params}} -> {signature}
// {valid: {token, url, params, signature}} -> {valid}
// {twiml: name} -> {xml}, a document that the hub writes too.
const readline = require("readline");
const twilio = require("twilio");
const { getExpectedTwilioSignature, validateRequest } = require("twilio/lib/webhooks/webhooks");

const { VoiceResponse, MessagingResponse } = twilio.twiml;

// The words are those of the test.
const documents = {
  ask({ lines, language, action, goodbye }) {
    const r = new VoiceResponse();
    const menu = { input: "dtmf", action, method: "POST", timeout: 8, numDigits: 1, finishOnKey: "" };
    for (const extra of [{}, { actionOnEmptyResult: true }]) {
      const g = r.gather({ ...menu, ...extra });
      for (const l of lines) g.say({ language }, l);
    }
    r.say({ language }, goodbye);
    r.hangup();
    return r;
  },
  tell({ lines, language, goodbye }) {
    const r = new VoiceResponse();
    for (const l of lines) r.say({ language }, l);
    r.say({ language }, goodbye);
    r.hangup();
    return r;
  },
  nothing() {
    const r = new VoiceResponse();
    r.hangup();
    return r;
  },
  moment({ lines, language, action }) {
    const r = new VoiceResponse();
    r.say({ language }, lines[0]);
    r.pause({ length: 3 });
    r.redirect({ method: "POST" }, action);
    return r;
  },
  reply({ lines }) {
    const r = new MessagingResponse();
    r.message(lines[0]);
    return r;
  },
};

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const q = JSON.parse(line);
  let answer;
  if (q.sign) answer = { signature: getExpectedTwilioSignature(q.sign.token, q.sign.url, q.sign.params) };
  if (q.valid) answer = { valid: validateRequest(q.valid.token, q.valid.signature, q.valid.url, q.valid.params) };
  if (q.twiml) answer = { xml: documents[q.twiml](q).toString() };
  process.stdout.write(JSON.stringify(answer) + "\n");
});
