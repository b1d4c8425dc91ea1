// A person in front of a page of ours. The first line of standard input is {chromium, url,
// folder, dark}; "ready" is printed when the page is there. Each further line does one
// thing and prints {ok, text} or {error}:
//   {do: "press", name, in}      presses the button with that name, inside a CSS selector
//   {do: "choose", name}         ticks the radio button or box with that name
//   {do: "fill", name, value}    writes into the field with that name
//   {do: "check", in}            ticks every box
//   {do: "see", value, in}       waits until the text is there
//   {do: "read", in}             only reads
//   {do: "picture", name}        leaves a picture in the folder
//   {do: "faults"}               what was wrong so far: errors, requests that leave this machine
const fs = require("fs");
const path = require("path");
const readline = require("readline");
const { open } = require("./look.cjs");

const wait = 30000;

(async () => {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const { chromium, url, folder, dark } = JSON.parse((await lines.next()).value);
  const browser = await open(chromium);
  const page = await browser.newPage({ viewport: { width: 1500, height: 1250 }, colorScheme: dark ? "dark" : "light" });
  const faults = [];
  page.on("pageerror", (e) => faults.push("page: " + e.message));
  page.on("console", (m) => m.type() === "error" && faults.push("console: " + m.text()));
  const outside = (u) => !["127.0.0.1", "localhost", "[::1]"].includes(u.hostname) && !["data:", "about:", "blob:"].includes(u.protocol);
  await page.route(outside, (r) => { faults.push("request: " + r.request().url()); return r.abort(); });
  const inside = (selector) => (selector ? page.locator(selector) : page.locator("body"));
  const named = (c) => inside(c.in).getByRole("button", { name: c.name, exact: true }).first();
  const doing = {
    press: async (c) => { const b = named(c); await b.waitFor({ timeout: wait }); await b.click({ timeout: 5000 }); },
    choose: async (c) => { await inside(c.in).getByText(c.name).first().click({ timeout: 5000 }); },
    fill: async (c) => { await inside(c.in).getByLabel(c.name).first().fill(c.value, { timeout: 5000 }); },
    check: async (c) => { for (const box of await inside(c.in).locator("input[type=checkbox]:visible").all()) await box.check({ timeout: 5000 }); },
    see: async (c) => { await inside(c.in).getByText(c.value).first().waitFor({ timeout: wait }); },
    read: async () => {},
    picture: async (c) => { await page.screenshot({ path: path.join(folder, c.name + ".png") }); },
    faults: async () => {},
  };
  try {
    await page.goto(url, { waitUntil: "domcontentloaded" });
    console.log(JSON.stringify({ ok: true }));
    for await (const line of lines) {
      const c = JSON.parse(line);
      try {
        await doing[c.do](c);
        console.log(JSON.stringify({ ok: true, text: c.do === "faults" ? faults.join("\n") : await inside(c.in).first().innerText() }));
      } catch (e) {
        await page.screenshot({ path: path.join(folder, "failed.png") });
        console.log(JSON.stringify({ error: String(e.message), text: await page.locator("body").innerText() }));
      }
    }
  } finally {
    await browser.close();
  }
})().catch((e) => { console.error(e); process.exit(1); });
