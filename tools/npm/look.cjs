// A page that draws adaptive cards with Microsoft's renderer, looking much like Teams.
// The colours and sizes are ours.
const path = require("path");
const { chromium } = require("playwright-core");

const tones = {
  light: { page: "#f0f0f0", card: "#ffffff", ink: "#1f1f1f", soft: "#5c5c5c", line: "#dcdcdc", shade: "#f2f2f6", accent: "#4b53bc", good: "#17702f", warn: "#835b00", bad: "#b3261e", button: "#ffffff", calm: "#e4ecfb", fine: "#e0f3e3", care: "#fdf0d0", alarm: "#fde3df" },
  dark: { page: "#151515", card: "#242424", ink: "#f4f4f4", soft: "#b4b4b4", line: "#4a4a4a", shade: "#303036", accent: "#a5abff", good: "#7fd18b", warn: "#f5c04e", bad: "#ff8d85", button: "#2d2d2d", calm: "#22304a", fine: "#1e3a26", care: "#453811", alarm: "#52231f" },
};

const colour = (strong, soft) => ({ default: strong, subtle: soft || strong });
const colours = (t) => ({
  default: colour(t.ink, t.soft), dark: colour(t.ink, t.soft), light: colour(t.soft), accent: colour(t.accent),
  good: colour(t.good), warning: colour(t.warn), attention: colour(t.bad),
});

// hostConfig says how a card is drawn. maxActions is what Teams shows.
function hostConfig(tone) {
  const t = tones[tone];
  const container = (background) => ({ backgroundColor: background, foregroundColors: colours(t) });
  return {
    fontFamily: "'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif",
    spacing: { small: 6, default: 10, medium: 16, large: 24, extraLarge: 32, padding: 16 },
    separator: { lineThickness: 1, lineColor: t.line },
    fontSizes: { small: 12, default: 14, medium: 16, large: 19, extraLarge: 24 },
    fontWeights: { lighter: 300, default: 400, bolder: 600 },
    imageSizes: { small: 32, medium: 52, large: 100 },
    containerStyles: {
      default: container(t.card), emphasis: container(t.shade), accent: container(t.calm),
      good: container(t.fine), warning: container(t.care), attention: container(t.alarm),
    },
    actions: {
      maxActions: 6, spacing: "medium", buttonSpacing: 8, actionsOrientation: "horizontal", actionAlignment: "left",
      showCard: { actionMode: "inline", inlineTopMargin: 16, style: "emphasis" },
    },
    adaptiveCard: { allowCustomStyle: false },
    factSet: { title: { weight: "bolder", wrap: true }, value: { wrap: true }, spacing: 16 },
    inputs: { label: { inputSpacing: "small" } },
  };
}

function css(tone, width) {
  const t = tones[tone];
  return `
    * { box-sizing: border-box; }
    body { margin: 0; background: ${t.page}; color: ${t.ink}; font: 14px/1.45 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif; }
    #card { width: ${width}px; margin: 24px; background: ${t.card}; border: 1px solid ${t.line}; border-radius: 6px; overflow: hidden; }
    .ac-pushButton { font: inherit; font-weight: 600; color: ${t.ink}; background: ${t.button}; border: 1px solid ${t.line}; border-radius: 4px; padding: 6px 14px; margin-bottom: 8px; cursor: pointer; white-space: normal; max-width: 100%; }
    .ac-pushButton.style-positive, .ac-pushButton.primary { color: ${t.card}; background: ${t.accent}; border-color: ${t.accent}; }
    .ac-pushButton:focus-visible { outline: 2px solid ${t.accent}; outline-offset: 1px; }
    .ac-actionSet { flex-wrap: wrap; }
    .ac-input { font: inherit; color: ${t.ink}; background: ${t.button}; border: 1px solid ${t.line}; border-radius: 4px; padding: 6px; }
    .ac-input[type=checkbox] { margin: 0 8px 0 0; }
    a.ac-anchor { color: ${t.accent}; }
    p { margin: 0; }
  `;
}

// open starts the browser. It reaches nothing outside: pages are made from text.
function open(executablePath) {
  return chromium.launch({
    executablePath, headless: true,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

// widths of a card in a channel on a desktop and on a small phone.
const widths = { desktop: 720, phone: 320 };

// stage makes a page on which draw() works. Whatever goes wrong in it is added to faults.
async function stage(browser, tone, faults, scale, width = widths.desktop) {
  const page = await browser.newPage({ viewport: { width: width + 48, height: 900 }, deviceScaleFactor: scale || 1, colorScheme: tone });
  page.on("pageerror", (e) => faults.push("page: " + e.message));
  page.on("console", (m) => m.type() === "error" && faults.push("console: " + m.text()));
  page.on("request", (r) => r.url().startsWith("data:") || r.url() === "about:blank" || faults.push("request: " + r.url()));
  await page.setContent(`<!doctype html><html lang="en"><head><title>card</title><style>${css(tone, width)}</style></head><body><div id="card"></div></body></html>`);
  await page.addScriptTag({ path: path.join(__dirname, "node_modules/adaptivecards/dist/adaptivecards.min.js") });
  await page.evaluate((config) => {
    window.faults = [];
    window.pressed = [];
    // Teams renders a subset of markdown. Nothing of ours relies on it, so it is shown as it is.
    AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
      const p = document.createElement("p");
      p.textContent = text;
      result.outputHtml = p.innerHTML;
      result.didProcess = true;
    };
    window.draw = (payload) => {
      window.faults.length = window.pressed.length = 0;
      const card = new AdaptiveCards.AdaptiveCard();
      card.hostConfig = new AdaptiveCards.HostConfig(config);
      card.onExecuteAction = (a) => window.pressed.push({ type: a.getJsonTypeName(), title: a.title || "", verb: a.verb || "", data: a.data || null });
      const context = new AdaptiveCards.SerializationContext();
      card.parse(payload, context);
      for (let i = 0; i < context.eventCount; i++) window.faults.push("parse: " + context.getEventAt(i).message);
      for (const f of card.validateProperties().validationEvents) window.faults.push("validate: " + f.message);
      document.getElementById("card").replaceChildren(card.render());
      return { faults: window.faults.slice(), kept: card.getActionCount() };
    };
  }, hostConfig(tone));
  return page;
}

module.exports = { hostConfig, open, stage, widths };
