// Draws one card with Microsoft's renderer. Reads {chromium, file, tone, card} and writes
// the picture to the file, twice as fine as a plain screen; prints the card's {Width, Height}.
const fs = require("fs");
const { open, stage } = require("./look.cjs");

const { chromium, file, tone, card } = JSON.parse(fs.readFileSync(0, "utf8"));

(async () => {
  const browser = await open(chromium);
  try {
    const faults = [];
    const page = await stage(browser, tone, faults, 2);
    faults.push(...(await page.evaluate((c) => window.draw(c), card)).faults);
    if (faults.length) throw new Error(faults.join("; "));
    await page.locator("#card").screenshot({ path: file });
    const box = await page.locator("#card").boundingBox();
    process.stdout.write(JSON.stringify({ Width: Math.round(box.width), Height: Math.round(box.height) }));
  } finally {
    await browser.close();
  }
})().catch((e) => { console.error(e.message); process.exit(1); });
