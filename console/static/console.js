// Keeps a page live: when the hub says that something changed, the live part is fetched
// and put in its place. Everything else works without this file.
(() => {
  const part = document.getElementById("live");
  if (!part || !part.dataset.live) return;
  const state = document.createElement("p");
  state.id = "line";
  state.setAttribute("role", "status");
  document.querySelector(".top").append(state);
  const say = (text, on) => { state.textContent = text; state.className = on ? "on" : ""; };

  // What a person is typing, and what they opened, must survive a redraw.
  const remember = () => {
    const open = new Set([...part.querySelectorAll("details")].map((d, i) => d.open ? i : -1));
    const typed = new Map([...part.querySelectorAll("input[id], select[id]")].map((f) => [f.id, f.value]));
    const focus = part.contains(document.activeElement) ? document.activeElement.id : "";
    return () => {
      part.querySelectorAll("details").forEach((d, i) => { if (open.has(i)) d.open = true; });
      typed.forEach((value, id) => { const f = document.getElementById(id); if (f && value) f.value = value; });
      if (focus) document.getElementById(focus)?.focus();
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
        const back = remember();
        const doc = new DOMParser().parseFromString(await resp.text(), "text/html");
        const fresh = doc.getElementById("live") || doc.body;
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
  // A form that is sent twice in a hurry is sent once.
  document.addEventListener("submit", (e) => {
    if (e.target.dataset.sent) { e.preventDefault(); return; }
    e.target.dataset.sent = "yes";
  });
})();
