// Asks Microsoft's own validator what it believes. Reads {openid, appId, cases: [{header,
// activity}]} and prints one {ok, reason} for each case.
const fs = require("fs");
const { ChannelValidation, JwtTokenValidation, SimpleCredentialProvider } = require("botframework-connector");

const { openid, appId, cases } = JSON.parse(fs.readFileSync(0, "utf8"));
ChannelValidation.OpenIdMetadataEndpoint = openid;
process.removeAllListeners("warning");

(async () => {
  const verdicts = [];
  for (const { header, activity } of cases) {
    try {
      const who = await JwtTokenValidation.authenticateRequest(activity, header, new SimpleCredentialProvider(appId, ""), "");
      verdicts.push({ ok: who.isAuthenticated === true, reason: "" });
    } catch (e) {
      verdicts.push({ ok: false, reason: String(e.message).slice(0, 120) });
    }
  }
  process.stdout.write(JSON.stringify(verdicts));
})();
