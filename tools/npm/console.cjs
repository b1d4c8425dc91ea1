// Two people in front of the console, one at a desk and one with a phone, and others who
// come by. Reads {chromium, url, folder}; prints {next: true} where an alert has to come in,
// and where the hub has to start again after its trial, and waits for a line each time; in
// the end prints {notes, faults}: what was seen, and what was wrong.
const path = require("path");
const readline = require("readline");
const { open } = require("./look.cjs");
const { company, wait } = require("./person.cjs");
const { onboarding, attacks, trial } = require("./stories.cjs");

(async () => {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const { chromium, url, folder } = JSON.parse((await lines.next()).value);
  const browser = await open(chromium);
  const faults = [], notes = {};
  const here = { browser, url, folder, faults, notes };
  const people = company(here);
  const { person, text, see, press, verified, signIn, judge, look, tabTo } = people;
  const next = async () => { console.log(JSON.stringify({ next: true, faults })); return JSON.parse((await lines.next()).value); };

  try {
    const desk = await person("desk", { width: 1280, height: 900 }, "light");
    const phone = await person("phone", { width: 375, height: 780 }, "dark");
    const guest = await person("guest", { width: 1280, height: 900 }, "light");
    await desk.page.goto(url + "/incidents");
    await look(desk, "sign-in");
    const planted = await signIn(desk, "Dana Reyes", "/incidents");
    await signIn(phone, "Ann Berg");
    await look(desk, "home");
    await look(phone, "home");

    // An incident where Response is off, on the phone; the desk only looks on.
    await phone.page.locator('main a[href^="/incidents/"]').first().click();
    await phone.page.waitForLoadState("load");
    const incident = phone.page.url();
    await desk.page.goto(incident);
    await see(phone, "Act now.", "before publishing");
    if (await phone.page.getByRole("button", { name: "1 Revoke sessions and lock account" }).count()) faults.push("phone: a step is offered before Publish");
    await look(phone, "unpublished");
    const told = desk.page.getByText("Publish Incident").first().waitFor({ state: "detached", timeout: wait });
    await press(phone, "Publish Incident");
    const pressed = Date.now();
    await told;
    notes.othersSawAfter = Date.now() - pressed;
    await press(phone, "1 Revoke sessions and lock account");
    await verified(phone, 1, "Revoke sessions and lock account");
    await verified(desk, 1, "Revoke sessions and lock account");
    await see(phone, "Reset password", "the shut gate");
    notes.gate = await phone.page.locator('li.step:has(h3:text-is("4 Reset password")) .gate').first().innerText();
    await look(phone, "shut-gate");
    await press(phone, "2 Retract phishing emails");
    await verified(phone, 2, "Retract phishing emails");
    await press(phone, "3 Disable persistence");
    await verified(phone, 3, "Disable persistence");
    await press(phone, "4 Reset password");
    await verified(phone, 4, "Reset password");
    if (await desk.page.getByRole("button", { name: "Show the one-time password (once)" }).count()) faults.push("desk: the password of another is offered");
    await press(phone, "Show the one-time password (once)");
    notes.password = await phone.page.locator("#secret").innerText();
    await look(phone, "password");
    await phone.page.goto(incident);
    if ((await phone.page.content()).includes(notes.password)) faults.push("phone: the password is on the incident's page");
    if (await phone.page.getByRole("button", { name: "Show the one-time password (once)" }).count()) faults.push("phone: the password is offered twice");
    await press(phone, "5 Re-enable account");
    await verified(phone, 5, "Re-enable account");
    await press(phone, "6 Mark as remediated");
    await phone.page.goto(incident);
    await see(phone, "remediated", "the end");
    if (await phone.page.locator("details.panel").getAttribute("open") !== null) faults.push("phone: the panel stays open after the end");
    await look(phone, "remediated");
    await phone.page.goto(incident + "/letters");
    await look(phone, "letters");
    await look(desk, "remediated");
    const report = await (await desk.page.request.get(incident + "/report/html")).text();
    const reader = await person("reader", { width: 1280, height: 900 }, "light");
    await reader.page.setContent(report);
    await look(reader, "report");
    await reader.context.close();

    // A guest sees his customer alone, wherever he is told to go.
    await signIn(guest, "Gil Ortiz", "//127.0.0.1:1/evil");
    notes.guestHome = await text(guest);
    await guest.page.goto(url + "/tenants/contoso");
    notes.guestElsewhere = await text(guest);
    await look(guest, "elsewhere");
    await guest.page.goto(url + "/people");
    await see(guest, "Only an administrator of the whole hub may do this.", "a guest among the people");
    await look(guest, "forbidden");
    await guest.context.close();

    // The administrator's pages, then a takeover where Response is on, at the desk.
    await desk.page.goto(url + "/");
    const flip = async () => { await desk.page.getByRole("switch", { name: "Response for Fabrikam" }).click({ timeout: wait }); await desk.page.waitForLoadState("load"); };
    await flip();
    await see(desk, "Response is on for Fabrikam", "the switch");
    await flip();
    for (const [what, at] of [["tenant", await desk.page.locator("table.tenants a").first().getAttribute("href")], ["people", "/people"], ["person", "/people?id=ann"], ["keys", "/keys"], ["audit", "/audit"], ["lanes", "/lanes"], ["reports", "/reports"], ["sources", "/sources"], ["onboard", "/onboard"], ["incidents", "/incidents"], ["nowhere", "/nowhere"], ["nonsense", "/incidents?status=nonsense"]]) {
      await desk.page.goto(url + at);
      await look(desk, what);
    }
    await desk.page.goto(url + "/keys");
    await desk.page.getByLabel("What it is for").fill("Nightly export");
    await press(desk, "Make the key");
    notes.key = await desk.page.locator(".secret").innerText();
    await look(desk, "key");
    await desk.page.goto(url + "/keys");
    if ((await desk.page.content()).includes(notes.key)) faults.push("desk: the key is shown again");
    await desk.page.goto(url + "/sources");
    for (const [what, sample] of [["fault", "{}"], ["read", JSON.stringify({ version: "1", id: "tried", detected_at: new Date().toISOString(), tenant: { microsoft_tenant_id: "11111111-1111-4111-8111-111111111111" }, account: { user_principal_name: "pat@contoso.example" }, severity: "high", title: "Tried" })]]) {
      await desk.page.getByLabel("Message in JSON").fill(sample);
      await press(desk, "Try it");
      await look(desk, "sources-" + what);
    }
    await see(desk, "It is read as this alert:", "a message that is tried");
    notes.audit = await (await desk.page.goto(url + "/audit"), text(desk));
    await attacks(here, people, desk, planted, person);
    await onboarding(here, people, desk);
    await desk.page.goto(url + "/");
    await next();

    // By keyboard alone, from here to the end of the incident.
    await see(desk, "1 open incident", "a new incident comes by itself");
    const enter = async (words) => { await tabTo(desk, words); await desk.page.keyboard.press("Enter"); await desk.page.waitForLoadState("load"); };
    await enter(/^RH-\w{4} Pat Doe/);
    // What only a person can judge is set aside with a reason.
    await see(desk, "Only a person can judge", "what is left for people");
    notes.hostile = await desk.page.evaluate(() => document.querySelectorAll("#live img, #live script, #live [onerror]").length + (document.title.includes("taken over") ? 1 : 0));
    await judge(desk, "by-itself");
    await desk.page.evaluate(() => window.scrollTo(0, 0));
    await desk.page.screenshot({ path: path.join(folder, "readme.png") });
    await tabTo(desk, /^Reason to set/);
    await desk.page.keyboard.type("Our own backup product");
    await enter("Set aside");
    await verified(desk, 3, "Disable persistence");
    await enter("4 Reset password");
    await verified(desk, 4, "Reset password");
    await enter("5 Re-enable account");
    await verified(desk, 5, "Re-enable account");
    await enter("6 Mark as remediated");
    await see(desk, "remediated", "the end");
    const saved = desk.page.waitForEvent("download");
    await enter("Signed evidence");
    notes.evidence = path.join(folder, "evidence.json");
    await (await saved).saveAs(notes.evidence);

    // The trial ends while an incident is open, and somebody has no JavaScript.
    await desk.page.goto(url + "/");
    const plain = await person("plain", { width: 1280, height: 900 }, "dark", { javaScriptEnabled: false });
    await signIn(plain, "Bob Carr");
    await next();
    await plain.page.goto(url + "/incidents?status=unpublished");
    const late = await plain.page.locator('main table a[href^="/incidents/"]').first().getAttribute("href");
    await trial(here, people, desk, plain, { title: "Account takeover", incident: late });
    await press(desk, "Sign out");
    await desk.page.goto(incident);
    if (!desk.page.url().includes("/sign-in")) faults.push("desk: still signed in after signing out");
  } catch (e) {
    faults.push("scenario: " + e.stack);
  }
  console.log(JSON.stringify({ notes, faults }));
  await browser.close();
  process.exit(0);
})().catch((e) => { console.error(e); process.exit(1); });
