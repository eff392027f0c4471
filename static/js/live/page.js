// A page whose parts are kept fresh by pushes. The server draws each part.
//
//   <div id="desk" data-parts="/live/" data-seq="41" data-bot="...">        data-bot: only that bot's messages count
//     <section id="part-fills" data-part="fills" data-on="fill">...</section>   data-on: the messages that change it
//
// With `data-painted` on #desk the same parts are shown to everyone: the server draws them once and sends what of them has changed, and they
// are not fetched while the socket is up. Elsewhere a push only says what has changed, and those parts are fetched together, at most once a
// second. New rows do not push away the rows that someone points at: a button offers them instead.
import { part as fetchPart } from "../desk/line.js";
import { feed } from "./feed.js";
import { market } from "./market.js";
import { patch } from "./patch.js";

const APART_MS = 1000;
const root = document.getElementById("desk");
const wanted = new Set();
const held = new Map();
const sent = new Set(); // the parts that this connection brings
let [timer, last] = [0, 0];

const parts = () => [...root.querySelectorAll("[data-part]")];
const partOf = (name) => root.querySelector(`[data-part="${CSS.escape(name)}"]`);
const reading = (part) => part.matches("[data-rows]:hover, [data-rows]:focus-within");

/** Has these parts drawn anew: over the connection that brings them, else by a request. */
async function load(names) {
  const [brought, others] = [names.filter((name) => sent.has(name)), names.filter((name) => !sent.has(name))];
  if (brought.length) feed.renew(brought);
  if (!others.length) return;
  const address = new URL(root.dataset.parts, location.href);
  address.searchParams.set("part", others.join(","));
  const { text } = await fetchPart(address);
  // What was sent in the meantime is newer.
  draw(text, (name) => !sent.has(name));
}

function draw(text, fits) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const part of fresh.querySelectorAll("[data-part]")) if (fits(part.dataset.part)) show(part);
  window.htmx?.process(root);
}

function show(fresh) {
  const old = partOf(fresh.dataset.part);
  if (!old) return;
  if (!reading(old) && lacksRows(old, fresh)) {
    feed.renew([fresh.dataset.part]);
    return;
  }
  const waiting = patch(old, fresh, { keep: reading(old) });
  if (waiting) held.set(fresh.dataset.part, waiting);
  else held.delete(fresh.dataset.part);
  offer(old, waiting);
}

/** Rows that waited are not there when a drawing counts on them. */
const lacksRows = (old, fresh) => [...fresh.querySelectorAll("[data-same]")].some(({ dataset }) => !old.querySelector(`[data-key="${CSS.escape(dataset.key)}"]`));

function offer(part, waiting) {
  part.querySelector(".arrived")?.remove();
  if (!waiting) return;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn small arrived", textContent: `Show ${waiting} new` });
  button.addEventListener("click", () => {
    button.blur();
    held.delete(part.dataset.part);
    release(part.dataset.part);
  });
  part.querySelector(".card-head").append(button);
}

/** Draws a part with its new rows, wherever the pointer is. */
async function release(name) {
  const part = partOf(name);
  delete part.dataset.rows;
  await load([name]);
}

function ask(names) {
  for (const name of names) wanted.add(name);
  if (timer || !wanted.size) return;
  timer = setTimeout(async () => {
    const now = [...wanted];
    wanted.clear();
    last = Date.now();
    await load(now).catch(() => feed.look());
    timer = 0;
    ask([]);
  }, Math.max(0, last + APART_MS - Date.now()));
}

root.addEventListener("pointerout", ({ target }) => {
  const part = target.closest("[data-part]");
  if (part && held.has(part.dataset.part)) setTimeout(() => reading(part) || ask([part.dataset.part]), 200);
});

const listening = (part, type) => (part.dataset.on ?? "").split(" ").includes(type);

function heard({ type, payload }) {
  if (type === "open" || type === "closed") sent.clear();
  if (type === "part") {
    const { name, html, whole } = payload;
    if (!partOf(name)) return;
    if (!whole && !sent.has(name)) {
      feed.renew([name]);
      return;
    }
    sent.add(name);
    draw(html, () => true);
    return;
  }
  if (root.dataset.bot && payload?.bot && payload.bot !== root.dataset.bot) return;
  ask(parts().filter((part) => listening(part, type) && !sent.has(part.dataset.part)).map((part) => part.dataset.part));
}

feed.listen(heard);
if (!("painted" in root.dataset) && parts().some((part) => listening(part, "stream_status"))) market.follow([], heard);
feed.poll(() => load(parts().map((part) => part.dataset.part).filter((name) => !sent.has(name))));
