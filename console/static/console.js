// Keeps a page live: when the hub says that something changed, the live part is fetched
// and put in its place. Everything else works without this file.
(() => {
  // A form that is sent twice in a hurry is sent once.
  document.addEventListener("submit", (e) => {
    if (e.target.method !== "post") return;
    if (e.target.dataset.sent) { e.preventDefault(); return; }
    e.target.dataset.sent = "yes";
  });
  // Who comes back to a page may send its forms again.
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((f) => { delete f.dataset.sent; }));

  const part = document.getElementById("live");
  if (!part || !part.dataset.live) return;
  const state = document.createElement("p");
  state.id = "line";
  state.setAttribute("role", "status");
  document.querySelector(".top").append(state);
  const say = (text, on) => { state.textContent = text; state.className = on ? "on" : ""; };

  // What a redraw must find again has no id: it is known by its place, form and words.
  const nameOf = (e) => [e.closest("[id]:not(#live)")?.id, e.tagName, e.name, e.tagName === "BUTTON" ? e.value : "", e.form?.getAttribute("action"), e.getAttribute("href"), (e.tagName === "DETAILS" ? e.firstElementChild : e).textContent.trim()].join("|");
  const named = (selector) => {
    const found = new Map();
    part.querySelectorAll(selector).forEach((e) => { let name = nameOf(e); while (found.has(name)) name += "+"; found.set(name, e); });
    return found;
  };
  const stops = "a, button, input, select, textarea, summary";

  // What a person is typing, what they opened and where they are must survive a redraw.
  const remember = () => {
    const open = [...named("details")].map(([name, d]) => [name, d.open]);
    const typed = [...part.querySelectorAll("input[id], select[id], textarea[id]")].map((f) => [f.id, f.value]);
    const focus = [...named(stops)].find(([, e]) => e === document.activeElement)?.[0];
    return () => {
      const details = named("details");
      open.forEach(([name, is]) => { const d = details.get(name); if (is && d && !d.classList.contains("panel")) d.open = true; });
      typed.forEach(([id, value]) => { const f = document.getElementById(id); if (f && value) f.value = value; });
      if (focus) named(stops).get(focus)?.focus({ preventScroll: true });
    };
  };

  let busy = false, again = false;
  const redraw = async () => {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const resp = await fetch(part.dataset.fetch + (part.dataset.fetch === "/" ? location.search : ""), { headers: { "X-Part": "live" } });
      if (resp.status === 401 || resp.redirected) { say("You are not signed in any more. Reload the page.", false); line.close(); return; }
      if (resp.ok) {
        const doc = new DOMParser().parseFromString(await resp.text(), "text/html");
        const fresh = doc.getElementById("live") || doc.body;
        const back = remember();
        part.replaceChildren(...fresh.childNodes);
        back();
      }
    } catch { say("No connection to the hub; what you see may be old.", false); }
    busy = false;
    if (again) { again = false; redraw(); }
  };

  const line = new EventSource(part.dataset.live);
  line.addEventListener("open", () => say("Live", true));
  line.addEventListener("error", () => say("No connection to the hub; what you see may be old.", false));
  line.addEventListener("changed", redraw);
})();
