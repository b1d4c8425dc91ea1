// Draws cards with Microsoft's renderer in a browser and presses every button. Reads
// {chromium, folder, cards: [{name, card}]} and prints for each card {name, faults, kept,
// pressed, spills}; pictures of both themes go to the folder.
const fs = require("fs");
const path = require("path");
const { open, stage } = require("./look.cjs");

const { chromium, folder, cards } = JSON.parse(fs.readFileSync(0, "utf8"));

// pressAll presses every button that can be seen, and those that come to light by it.
async function pressAll(page) {
  const done = new Set();
  for (;;) {
    // A button behind a required input does nothing until it is filled in.
    for (const i of await page.locator("#card textarea:visible, #card input[type=text]:visible").all()) {
      if (!(await i.inputValue())) await i.fill("because");
    }
    const buttons = await page.locator("#card .ac-pushButton:visible").all();
    const next = [];
    for (const b of buttons) {
      const key = await b.evaluate((e) => (e.dataset.n ||= String((window.n = (window.n || 0) + 1))));
      if (!done.has(key)) next.push([key, b]);
    }
    if (next.length === 0) return;
    // The newest first: opening one card shuts the one beside it.
    const [key, b] = next[next.length - 1];
    done.add(key);
    await b.click({ timeout: 2000 });
  }
}

(async () => {
  const browser = await open(chromium);
  const out = [];
  try {
    for (const tone of ["light", "dark"]) {
      const faults = [];
      const page = await stage(browser, tone, faults);
      for (const { name, card } of cards) {
        const drawn = await page.evaluate((c) => window.draw(c), card);
        await page.locator("#card").screenshot({ path: path.join(folder, `${name}-${tone}.png`) });
        if (tone === "dark") continue;
        await pressAll(page);
        const pressed = await page.evaluate(() => window.pressed);
        // Something wider than its card is cut off in Teams.
        const spills = await page.evaluate(() => {
          const edge = document.getElementById("card").getBoundingClientRect().right + 1;
          return [...document.querySelectorAll("#card *")].filter((e) => e.getBoundingClientRect().right > edge).map((e) => e.textContent.slice(0, 60));
        });
        await page.locator("#card").screenshot({ path: path.join(folder, `${name}-open.png`) });
        out.push({ name, faults: drawn.faults.concat(faults.splice(0)), kept: drawn.kept, pressed, spills });
      }
      if (faults.length) out.push({ name: "theme " + tone, faults, kept: 0, pressed: [], spills: [] });
      await page.close();
    }
  } finally {
    await browser.close();
  }
  process.stdout.write(JSON.stringify(out));
})().catch((e) => { console.error(e); process.exit(1); });
