// People in front of the console, each with a browser of their own, and what they do there.
const fs = require("fs");
const path = require("path");

const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const wait = 20000;
const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// company returns what people do. What was wrong is added to faults.
function company({ browser, url, folder, faults, notes }) {
  const origin = new URL(url).origin;
  const person = async (name, viewport, scheme, options) => {
    const context = await browser.newContext({ viewport, colorScheme: scheme, locale: "en-US", ...options });
    const page = await context.newPage();
    const who = { name, page, context, scheme, reads: !options || options.javaScriptEnabled !== false };
    page.on("pageerror", (e) => faults.push(`${name}: page: ${e.message}`));
    page.on("console", (m) => m.type() === "error" && !/status of (400|401|403|404|409|410)|ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_EMPTY/.test(m.text()) && faults.push(`${name}: console: ${m.text()}`));
    page.on("request", (r) => {
      const from = page.url().startsWith(url) && r.resourceType() !== "document";
      if (from && new URL(r.url()).origin !== origin && !r.url().startsWith("data:")) faults.push(`${name}: request to ${r.url()}`);
    });
    return who;
  };
  const text = (who) => who.page.locator("main").innerText();
  const see = async (who, words, what) => {
    try {
      await who.page.getByText(words).first().waitFor({ timeout: wait });
    } catch {
      faults.push(`${who.name}: ${what}: "${words}" is not there:\n${await text(who)}`);
    }
  };
  const press = async (who, name) => {
    await who.page.getByRole("button", { name, exact: true }).first().click({ timeout: wait });
    await who.page.waitForLoadState("load");
  };
  const step = (who, n, title) => who.page.locator(`li.step:has(h3:text-is("${n} ${title}"))`);
  const verified = async (who, n, title) => {
    const shown = step(who, n, title).getByText("✓ verified");
    try {
      for (const end = Date.now() + wait; !who.reads && Date.now() < end && !(await shown.count()); ) { // nothing comes by itself
        await who.page.waitForTimeout(200);
        await who.page.reload();
      }
      await shown.waitFor({ timeout: wait });
    } catch {
      faults.push(`${who.name}: step ${n} is not verified:\n${await step(who, n, title).innerText()}`);
    }
  };
  const signIn = async (who, as, back) => {
    await who.page.goto(url + "/sign-in" + (back ? "?back=" + encodeURIComponent(back) : ""));
    const before = await who.context.cookies();
    await who.page.getByRole("link", { name: "Sign in with your account" }).click();
    await who.page.getByRole("button", { name: as }).click();
    await who.page.waitForURL(url + "/**");
    const after = await who.context.cookies();
    if (before.some((b) => after.some((a) => a.name === b.name && a.value === b.value))) faults.push(`${who.name}: the session of before signing in goes on`);
    return before;
  };
  // judge asks axe about the page as it stands, in light and in dark.
  const judge = async (who, what) => {
    const one = async (scheme, runOnly) => {
      await who.page.emulateMedia({ colorScheme: scheme });
      const found = await who.page.evaluate((runOnly) => window.axe.run(document, { runOnly }), runOnly);
      for (const v of found.violations) faults.push(`${who.name}: ${what}, ${scheme}: ${v.id}: ${v.help}: ${v.nodes[0].html.slice(0, 160)}`);
    };
    await who.page.evaluate(axe);
    await one(who.scheme === "dark" ? "light" : "dark", { type: "rule", values: ["color-contrast"] });
    await one(who.scheme, { type: "tag", values: rules });
    const wide = await who.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) faults.push(`${who.name}: ${what}: scrolls sideways by ${wide}`);
    notes.looked = (notes.looked || 0) + 1;
  };
  // look leaves a picture, and has the page judged for people who see or move differently.
  const look = async (who, what) => {
    await who.page.screenshot({ path: path.join(folder, `${who.name}-${what}.png`), fullPage: true });
    await judge(who, what);
  };
  // tabTo moves by Tab to what has the words, and faults a stop that does not show.
  const tabTo = async (who, words) => {
    for (let i = 0; i < 120; i++) {
      await who.page.keyboard.press("Tab");
      const at = await who.page.evaluate(() => {
        const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
        const words = (e.getAttribute("aria-label") || e.labels?.[0]?.textContent || e.textContent || "").trim();
        return { words, body: e === document.body, shown: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0 && box.bottom > 0 && box.top < window.innerHeight };
      });
      if (!at.body && !at.shown) faults.push(`${who.name}: the focus on "${at.words}" is not to be seen`);
      if (typeof words === "string" ? at.words === words : words.test(at.words)) return;
    }
    throw new Error(`${who.name}: Tab never comes to ${words}:\n${await text(who)}`);
  };
  return { person, text, see, press, step, verified, signIn, judge, look, tabTo };
}

module.exports = { company, wait };
