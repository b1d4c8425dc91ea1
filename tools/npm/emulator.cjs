// A person in front of the emulator's page. The first line of standard input is {chromium,
// url, folder, channel}; when the channel is open, "ready" is printed. Each further line
// {press: <button>} waits for the button, presses it, waits until it is gone, and prints
// {before, after} with what the page showed. The page shows only what happens while it
// is open.
const fs = require("fs");
const path = require("path");
const readline = require("readline");
const { open } = require("./look.cjs");

(async () => {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const { chromium, url, folder, channel } = JSON.parse((await lines.next()).value);
  const browser = await open(chromium);
  const page = await browser.newPage({ viewport: { width: 1400, height: 1100 } });
  try {
    // The page asks for icons elsewhere; nothing goes out.
    await page.route((u) => u.origin !== new URL(url).origin, (r) => r.abort());
    await page.goto(url, { waitUntil: "domcontentloaded" });
    await page.getByRole("treeitem", { name: channel }).click({ timeout: 20000 });
    console.log(JSON.stringify("ready"));
    for await (const line of lines) {
      const { press } = JSON.parse(line);
      const button = page.getByRole("button", { name: press, exact: true });
      await button.first().waitFor({ timeout: 15000 });
      await page.screenshot({ path: path.join(folder, "before.png") });
      const before = await page.locator("body").innerText();
      await button.first().click();
      await button.first().waitFor({ state: "detached", timeout: 15000 });
      await page.screenshot({ path: path.join(folder, "after.png") });
      console.log(JSON.stringify({ before, after: await page.locator("body").innerText() }));
    }
  } catch (e) {
    await page.screenshot({ path: path.join(folder, "failed.png") });
    throw e;
  } finally {
    await browser.close();
  }
})().catch((e) => { console.error(e); process.exit(1); });
