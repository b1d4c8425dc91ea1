// An OpenID provider that somebody else wrote, for the console's sign-in. Spoken to line
// by line in JSON: {redirect, shift, issuer} starts one and is answered {url, issuer};
// {who, roles} changes somebody's roles;
// shift moves its clock by so many seconds, issuer gives it a name that is not its address.
const http = require("http");
const readline = require("readline");

const people = {
  ann: { oid: "aaaaaaaa-0000-4000-8000-000000000001", name: "Ann", email: "ann@elsewhere.example", email_verified: false },
  bob: { name: "Bob", email: "bob@msp.example", email_verified: true },
  eve: { name: "Eve", email: "bob@msp.example", email_verified: false }, // says so herself
  kim: { name: "Kim", email: "kim@elsewhere.example", email_verified: false, roles: ["other", "responder", "reader"] },
  gus: { name: "Gus", roles: "guest", customers: ["Contoso", "*"] },
  guy: { name: "Guy", roles: ["guest"] }, // a guest of nobody
  zoe: { oid: "aaaaaaaa-0000-4000-8000-000000000009", name: "Zoe", email: "zoe@elsewhere.example", email_verified: true },
};

// take gives somebody other claims from now on.
const take = ({ who, roles }) => {
  people[who] = { ...people[who], roles };
  return {};
};

const start = async ({ redirect, shift = 0, issuer = "" }) => {
  const { Provider } = await import("oidc-provider");
  if (shift !== 0) {
    const now = Date.now.bind(Date);
    Date.now = () => now() + shift * 1000;
  }
  const server = http.createServer();
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const url = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer || url, {
    clients: [{ client_id: "console", client_secret: "secret-of-the-console", redirect_uris: [redirect], token_endpoint_auth_method: "client_secret_basic" }],
    findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
    claims: { openid: ["sub"], profile: ["name", "oid", "roles", "customers"], email: ["email", "email_verified"] },
    conformIdTokenClaims: false,
    cookies: { keys: ["only for tests"] },
    ttl: { Interaction: 7 * 86400, Session: 7 * 86400, Grant: 7 * 86400, IdToken: 3600 },
    pkce: { required: () => true },
  });
  server.on("request", provider.callback());
  return { url, issuer: issuer || url };
};

const handle = (said) => (said.who ? take(said) : start(said));

console.warn = console.info = () => {}; // it advises on production
readline.createInterface({ input: process.stdin }).on("line", async (line) => {
  try {
    process.stdout.write(JSON.stringify(await handle(JSON.parse(line))) + "\n");
  } catch (e) {
    process.stdout.write(JSON.stringify({ error: String(e.stack) }) + "\n");
  }
}).on("close", () => process.exit(0));
