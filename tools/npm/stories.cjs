// What happens in front of the console beside the two takeovers of console.cjs.
const lamna = { name: "Lamna Healthcare", id: "12121212-0000-4000-8000-00000000000c", admin: "Nora Lind at Lamna Healthcare", other: "Root Admin at Contoso" };

// onboarding takes a new tenant in by a link, after every wrong way was tried.
async function onboarding({ browser, url, faults, notes }, { person, see, press, text, look }, admin) {
  const outside = (name) => person(name, { width: 1280, height: 900 }, "light", { ignoreHTTPSErrors: true });
  const customer = await outside("customer"), stranger = await outside("stranger");
  const link = async (microsoft) => {
    await admin.page.goto(url + "/onboard");
    await admin.page.getByLabel("Name, as you call the customer").fill(lamna.name);
    await admin.page.getByLabel(/^Microsoft tenant id/).fill(microsoft);
    await press(admin, "Make the link");
    return admin.page.locator("#link").innerText();
  };
  const refused = async (who, words, what) => {
    await see(who, words, what);
    if (!who.page.url().startsWith(url + "/onboard/back")) faults.push(`${what}: the refusal stands at ${who.page.url()}`);
  };
  const choose = (who, name) => who.page.getByRole("button", { name, exact: true }).click();
  await admin.page.goto(url + "/");
  await admin.page.getByRole("link", { name: "Add a tenant" }).click();
  await admin.page.getByLabel("Name, as you call the customer").fill("Contoso");
  await press(admin, "Make the link");
  await see(admin, "There is a tenant of this name already", "a name that is taken");

  let at = await link("");
  await look(admin, "onboard-link");
  await customer.page.goto(at);
  await choose(customer, "Cancel");
  await refused(customer, "Consent was not given, so nothing was added", "consent denied");
  await look(customer, "refused");
  await customer.page.goto(url + "/onboard/back?admin_consent=True&state=nonsense");
  await refused(customer, "used already or is older than an hour", "a state that is none");
  // Consent that a browser claims: the tenant is asked, and does not know the app.
  const state = new URL(at).searchParams.get("state");
  await stranger.page.goto(`${url}/onboard/back?admin_consent=True&tenant=11111111-1111-4111-8111-111111111111&state=${state}`);
  await choose(stranger, lamna.admin);
  await stranger.page.waitForURL(url + "/onboard/back**");
  notes.claimedConsent = await text(stranger);

  // Another tenant than the link is for: the sign-in is bent to all organisations.
  at = await link(lamna.id);
  await customer.page.goto(at);
  await choose(customer, lamna.admin);
  await customer.page.getByText("Sign in as").waitFor();
  await customer.page.goto(customer.page.url().replace(lamna.id, "organizations"));
  await choose(customer, lamna.other);
  await refused(customer, "made for another Microsoft tenant", "another tenant than the link's");

  // The state of another browser's sign-in.
  at = await link(lamna.id);
  await customer.page.goto(at);
  await choose(customer, lamna.admin);
  await customer.page.getByText("Sign in as").waitFor();
  await stranger.page.goto(customer.page.url());
  await choose(stranger, lamna.admin);
  await refused(stranger, "used already or is older than an hour", "another browser's state");
  await admin.page.goto(url + "/");
  if ((await text(admin)).includes(lamna.name)) faults.push("a refused onboarding put the tenant on the list");

  at = await link(lamna.id);
  await customer.page.goto(at);
  await choose(customer, lamna.admin);
  await choose(customer, lamna.admin);
  await see(customer, lamna.name + " is on the list", "the end of the onboarding");
  await look(customer, "onboarded");
  if ((await customer.page.goto(url + "/")) && !customer.page.url().includes("/sign-in")) faults.push("customer: the onboarding signed them in to the console");
  await admin.page.goto(url + "/");
  notes.onboarded = await admin.page.locator("table.tenants tr", { hasText: lamna.name }).innerText();
  await admin.page.getByRole("link", { name: lamna.name }).click();
  await see(admin, "Paused by", "a new tenant is paused");
  await look(admin, "new-tenant");
  await press(admin, "Resume");
  await see(admin, lamna.name + " is not paused any more", "resuming");
  for (const who of [customer, stranger]) await who.context.close();
}

// attacks are what another site and a stranger try on somebody who is signed in.
async function attacks({ url, faults }, { text }, admin, planted, person) {
  // Another port of this machine is the same site: the browser sends the session along.
  const evil = "http://127.0.0.1:1/";
  const page = await admin.context.newPage();
  await page.route(evil + "**", (r) => r.fulfill({ contentType: "text/html", body: `<!doctype html><title>evil</title><iframe src="${url}/"></iframe><form method="post" action="${url}/automatic"><input name="on" value="false"><button>go</button></form>` }));
  await page.goto(evil);
  const framed = page.frames().find((f) => f !== page.mainFrame());
  if (framed && /responsehub|Tenants|Sign in/.test(await framed.locator("body").innerText().catch(() => ""))) faults.push("the console lets itself be framed");
  await page.getByRole("button", { name: "go" }).click();
  await page.getByText("came from another site and was not carried out").waitFor({ timeout: 20000 }).catch(async () => faults.push("a form of another site was taken:\n" + (await text({ page }))));
  await page.goto(url + "/");
  if ((await page.content()).includes("All automatic action is stopped")) faults.push("a form of another site stopped the automatic action");
  await page.goto(url + "/sign-in?back=" + encodeURIComponent("//127.0.0.1:1/"));
  if (!page.url().startsWith(url + "/")) faults.push("an address given as the way back was followed to " + page.url());
  await page.close();
  // A session that somebody knew before the sign-in.
  const knower = await person("knower", { width: 1280, height: 900 }, "light");
  await knower.context.addCookies(planted);
  await knower.page.goto(url + "/");
  if (!knower.page.url().includes("/sign-in")) faults.push("a session planted before the sign-in lets in");
  await knower.context.close();
}

// trial ends an incident without JavaScript, after the hub's trial ended.
async function trial({ url, faults, notes }, { see, press, verified, look, text, step }, admin, plain, { title, incident }) {
  await admin.page.goto(url + "/");
  await see(admin, "The trial of this hub ended on", "on every page");
  await look(admin, "trial-home");
  await admin.page.goto(url + "/onboard");
  await see(admin, "so no tenant can be added", "onboarding after the trial");
  if (await admin.page.getByRole("button", { name: "Make the link" }).count()) faults.push("a link is offered after the trial");
  await look(admin, "trial-onboard");
  await admin.page.goto(url + "/tenants/11111111-1111-4111-8111-111111111111");
  await see(admin, "so products cannot be switched", "the product after the trial");
  await look(admin, "trial-tenant");
  // Who sends the forms all the same is told the same.
  const send = (path, form) => admin.page.evaluate(async ([path, form]) => (await (await fetch(path, { method: "POST", body: new URLSearchParams(form) })).text()).replace(/<[^>]*>/g, " "), [path, form]);
  notes.trialLink = await send("/onboard", { name: "Late Ltd" });
  notes.trialProduct = await send(new URL(admin.page.url()).pathname + "/product", { product: "notify" });

  await plain.page.goto(url + incident);
  await see(plain, "The trial of this hub ended on", "on the incident's page");
  await press(plain, "I have it (stops the paging)");
  await press(plain, "Publish Incident");
  for (const [n, name] of [[1, "Revoke sessions and lock account"], [2, "Retract phishing emails"], [3, "Disable persistence"]]) {
    await press(plain, `${n} ${name}`);
    await verified(plain, n, name);
  }
  await press(plain, "4 Reset password");
  await verified(plain, 4, "Reset password");
  await press(plain, "Show the one-time password (once)");
  notes.plainPassword = await plain.page.locator("#secret").innerText();
  await plain.page.getByRole("link", { name: "Back to the incident" }).click();
  await press(plain, "5 Re-enable account");
  await verified(plain, 5, "Re-enable account");
  // Undo and doing again are asked for with a reason, behind a fold.
  await step(plain, 5, "Re-enable account").getByText("More for step 5...").click();
  if (!(await step(plain, 5, "Re-enable account").getByRole("button", { name: "Do again" }).isVisible())) faults.push("plain: folds do not open without JavaScript");
  await press(plain, "6 Mark as remediated");
  await plain.page.goto(url + incident);
  await see(plain, "remediated", "the end without JavaScript");
  if ((await text(plain)).includes(title) === false) faults.push("plain: the incident's title is not on its page");
}

module.exports = { onboarding, attacks, trial };
