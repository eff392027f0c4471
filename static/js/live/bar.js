// The desk's state in the top bar of every page: modes, value, kill switch, whether prices come. It opens the page's connection to the desk,
// over which the server sends the bar drawn anew. Without a connection the bar is asked for.
import { part } from "../desk/line.js";
import { feed } from "./feed.js";
import { patch } from "./patch.js";

const bar = document.getElementById("desk-bar");

function show(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const id of ["desk-bar", "desk-banner"]) {
    patch(document.getElementById(id), fresh.getElementById(id));
    window.htmx?.process(document.getElementById(id));
  }
  document.dispatchEvent(new CustomEvent("desk:prices", { detail: bar.dataset.stale }));
}

async function load() {
  const { text } = await part(bar.dataset.bar);
  show(text);
}

/** The parts of this page that the server draws for everyone. */
const painted = () => [...document.querySelectorAll("#desk[data-painted] [data-part]")].map((one) => one.dataset.part);

if (bar) {
  feed.listen(({ type, payload }) => type === "part" && payload.name === "bar" && show(payload.html));
  feed.start(Number(bar.dataset.seq), ["bar", ...painted()]);
  feed.poll(load);
  load().catch(() => feed.look());
}
