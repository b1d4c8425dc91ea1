// Two people in front of the console, one at a desk and one with a phone. Reads {chromium,
// url, folder, sentAlert} and prints {notes, faults}: what was seen, and what was wrong.
// Between the two incidents it prints {"next": true} and waits for a line.
const fs = require("fs");
const path = require("path");
const readline = require("readline");
const { open } = require("./look.cjs");

const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const wait = 20000;

(async () => {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const { chromium, url, folder } = JSON.parse((await lines.next()).value);
  const browser = await open(chromium);
  const faults = [], notes = {};
  const person = async (name, viewport, scheme) => {
    // The page's own policy stays on for the person; axe is put in by the second look.
    const context = await browser.newContext({ viewport, colorScheme: scheme, locale: "en-US" });
    const page = await context.newPage();
    const origins = new Set([new URL(url).origin]);
    page.on("pageerror", (e) => faults.push(`${name}: page: ${e.message}`));
    page.on("console", (m) => m.type() === "error" && !/status of (404|403|409)/.test(m.text()) && faults.push(`${name}: console: ${m.text()}`));
    page.on("request", (r) => {
      const from = page.url().startsWith(url) && r.resourceType() !== "document";
      if (from && !origins.has(new URL(r.url()).origin) && !r.url().startsWith("data:")) faults.push(`${name}: request to ${r.url()}`);
    });
    return { name, page, context };
  };
  const signIn = async (who, as) => {
    await who.page.goto(url);
    await who.page.getByRole("link", { name: "Sign in with your account" }).click();
    await who.page.getByRole("button", { name: as }).click();
    await who.page.waitForURL(url + "/**");
  };
  // look leaves a picture, and has the page judged for people who see or move differently.
  const look = async (who, what) => {
    await who.page.screenshot({ path: path.join(folder, `${who.name}-${what}.png`), fullPage: true });
    const second = await browser.newContext({ bypassCSP: true, viewport: who.page.viewportSize(), storageState: await who.context.storageState(), colorScheme: who.name === "phone" ? "dark" : "light" });
    const judged = await second.newPage();
    await judged.goto(who.page.url());
    await judged.evaluate(axe);
    const found = await judged.evaluate(() => window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    for (const v of found.violations) faults.push(`${who.name}: ${what}: ${v.id}: ${v.help}: ${v.nodes[0].html.slice(0, 160)}`);
    const wide = await judged.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) faults.push(`${who.name}: ${what}: scrolls sideways by ${wide}`);
    await second.close();
    notes.looked = (notes.looked || 0) + 1;
  };
  const text = (who) => who.page.locator("main").innerText();
  const see = async (who, words, what) => {
    try {
      await who.page.getByText(words).first().waitFor({ timeout: wait });
    } catch {
      faults.push(`${who.name}: ${what}: "${words}" is not there:\n${await text(who)}`);
    }
  };
  const press = async (who, name) => { await who.page.getByRole("button", { name, exact: true }).first().click({ timeout: wait }); await who.page.waitForLoadState("load"); };
  const verified = async (who, n, title) => {
    const step = who.page.locator(`li.step:has(h3:text-is("${n} ${title}"))`);
    try {
      await step.getByText("✓ verified").waitFor({ timeout: wait });
    } catch {
      faults.push(`${who.name}: step ${n} is not verified:\n${await step.innerText()}`);
    }
  };

  try {
    const desk = await person("desk", { width: 1280, height: 900 }, "light");
    const phone = await person("phone", { width: 375, height: 780 }, "dark");
    const guest = await person("guest", { width: 1280, height: 900 }, "light");
    await desk.page.goto(url + "/incidents");
    await look(desk, "sign-in");
    await signIn(desk, "Dana Reyes");
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
    await phone.page.screenshot({ path: path.join(folder, "phone-password.png") });
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
    await look(desk, "remediated");

    // A guest sees his customer alone.
    await signIn(guest, "Gil Ortiz");
    notes.guestHome = await text(guest);
    await guest.page.goto(url + "/tenants/contoso");
    notes.guestElsewhere = await text(guest);
    await look(guest, "elsewhere");

    // The administrator's pages, then a takeover where Response is on, at the desk.
    await desk.page.goto(url + "/");
    const flip = async () => { await desk.page.getByRole("switch", { name: "Response for Fabrikam" }).click({ timeout: wait }); await desk.page.waitForLoadState("load"); };
    await flip();
    await see(desk, "Response is on for Fabrikam", "the switch");
    await flip();
    for (const [what, at] of [["tenant", await desk.page.locator("table.tenants a").first().getAttribute("href")], ["people", "/people"], ["keys", "/keys"], ["audit", "/audit"], ["lanes", "/lanes"], ["reports", "/reports"], ["sources", "/sources"], ["onboard", "/onboard"], ["incidents", "/incidents"]]) {
      await desk.page.goto(url + at);
      await look(desk, what);
    }
    notes.audit = await (await desk.page.goto(url + "/audit"), text(desk));
    await desk.page.goto(url + "/");
    console.log(JSON.stringify({ next: true }));
    await lines.next();
    await see(desk, "1 open incident", "a new incident comes by itself");
    await desk.page.locator('#live a[href^="/incidents/"]').first().click();
    // What only a person can judge is set aside with a reason.
    await see(desk, "Only a person can judge", "what is left for people");
    await look(desk, "by-itself");
    await desk.page.evaluate(() => window.scrollTo(0, 0));
    await desk.page.screenshot({ path: path.join(folder, "readme.png") });
    const item = desk.page.locator("li.item.needs_human").first();
    await item.getByPlaceholder("Reason to set aside").fill("Our own backup product");
    await item.getByRole("button", { name: "Set aside" }).click();
    await verified(desk, 3, "Disable persistence");
    await press(desk, "4 Reset password");
    await verified(desk, 4, "Reset password");
    await press(desk, "5 Re-enable account");
    await verified(desk, 5, "Re-enable account");
    await press(desk, "6 Mark as remediated");
    await see(desk, "remediated", "the end");
    const saved = desk.page.waitForEvent("download");
    await desk.page.getByRole("link", { name: "Signed evidence" }).click();
    notes.evidence = path.join(folder, "evidence.json");
    await (await saved).saveAs(notes.evidence);
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
