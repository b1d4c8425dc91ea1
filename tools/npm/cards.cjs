// Draws cards with Microsoft's renderer in a browser and presses every button. Reads
// {chromium, folder, cards: [{name, card}]} and prints for each card {name, faults, kept,
// pressed, spills, dim}; pictures of both themes, on a desktop and on a phone, go to the
// folder.
const fs = require("fs");
const path = require("path");
const { open, stage, widths } = require("./look.cjs");

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

// spills names what is wider than its card, and would be cut off in Teams.
function spills() {
  const edge = document.getElementById("card").getBoundingClientRect().right + 1;
  return [...document.querySelectorAll("#card *")].filter((e) => e.getBoundingClientRect().right > edge).map((e) => e.textContent.slice(0, 60));
}

// dim names texts whose contrast with what is behind them is below 4.5 to 1, the least
// that WCAG 2 allows for text.
function dim() {
  const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const light = (c) => { const f = (v) => ((v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * f(c[0]) + 0.7152 * f(c[1]) + 0.0722 * f(c[2]); };
  const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3]));
  const behind = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
  const out = [];
  const texts = document.createTreeWalker(document.getElementById("card"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement, text = texts.currentNode.textContent.trim();
    if (!text || !e.offsetParent) continue;
    const back = behind(e), front = over(parse(getComputedStyle(e).color), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) out.push(`${text.slice(0, 40)} ${((a + 0.05) / (b + 0.05)).toFixed(1)}`);
  }
  return out;
}

(async () => {
  const browser = await open(chromium);
  const out = [];
  try {
    const found = {};
    for (const tone of ["light", "dark"]) {
      for (const [device, width] of Object.entries(widths)) {
        const faults = [];
        const page = await stage(browser, tone, faults, 1, width);
        for (const { name, card } of cards) {
          const drawn = await page.evaluate((c) => window.draw(c), card);
          await page.locator("#card").screenshot({ path: path.join(folder, `${name}-${tone}-${device}.png`) });
          const f = (found[name] ||= { name, faults: [], kept: drawn.kept, pressed: [], spills: [], dim: [] });
          f.faults.push(...drawn.faults, ...faults.splice(0));
          f.dim.push(...(await page.evaluate(dim)).map((d) => `${d} (${tone})`));
          if (tone === "dark") continue;
          await pressAll(page);
          if (device === "desktop") f.pressed = await page.evaluate(() => window.pressed);
          f.spills.push(...(await page.evaluate(spills)).map((s) => `${s} (${device})`));
          await page.locator("#card").screenshot({ path: path.join(folder, `${name}-open-${device}.png`) });
        }
        if (faults.length) out.push({ name: "theme " + tone, faults, kept: 0, pressed: [], spills: [], dim: [] });
        await page.close();
      }
    }
    out.unshift(...Object.values(found));
  } finally {
    await browser.close();
  }
  process.stdout.write(JSON.stringify(out));
})().catch((e) => { console.error(e); process.exit(1); });
