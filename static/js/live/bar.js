// The desk's state in the top bar of every page: modes, value, kill switch, whether prices come. It opens the page's connection to the desk.
import { part } from "../desk/line.js";
import { feed } from "./feed.js";
import { patch } from "./patch.js";

const bar = document.getElementById("desk-bar");
const CHANGED_BY = ["open", "prices", "portfolio_update", "fill", "bot_status", "alert"];
const APART_MS = 2000;
let timer = 0;

async function load() {
  const { text } = await part(bar.dataset.bar);
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const id of ["desk-bar", "desk-banner"]) {
    patch(document.getElementById(id), fresh.getElementById(id));
    window.htmx?.process(document.getElementById(id));
  }
  document.dispatchEvent(new CustomEvent("desk:prices", { detail: bar.dataset.stale }));
}

if (bar) {
  feed.start(Number(bar.dataset.seq));
  feed.poll(load);
  load().catch(() => feed.look());
  feed.listen(({ type }) => {
    if (timer || !CHANGED_BY.includes(type)) return;
    timer = setTimeout(() => {
      timer = 0;
      load().catch(() => feed.look());
    }, type === "prices" ? 0 : APART_MS);
  });
}
