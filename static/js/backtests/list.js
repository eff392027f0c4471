// The list of runs: rows refresh in their place, new runs are announced, and a selection can be compared.
import { follow, part } from "../desk/line.js";

const box = document.getElementById("runs");
const compare = document.getElementById("compare");
const arrivals = document.getElementById("arrivals");
const picked = new Set();
const arrived = new Set();
const BUSY = ["queued", "running"];
const [LEAST, MOST] = [2, 8];

const rowOf = (id) => document.getElementById(`run-${id}`);
const busyRows = () => [...box.querySelectorAll("tr[data-run]")].filter((row) => BUSY.includes(row.dataset.status));

/** Refreshes rows in their place. What has the focus or is ticked stays so. */
async function refresh(ids) {
  const known = ids.filter(rowOf).slice(0, 200);
  if (!known.length) return;
  const { text } = await part(`${box.dataset.list}?part=some&ids=${known.join(",")}`);
  const holder = document.createElement("template");
  holder.innerHTML = `<table><tbody>${text}</tbody></table>`;
  const fresh = new Map([...holder.content.querySelectorAll("tr[data-run]")].map((row) => [row.dataset.run, row]));
  for (const id of known) replace(rowOf(id), fresh.get(id));
}

function replace(old, fresh) {
  if (!old || !fresh) return;
  const focused = old.contains(document.activeElement) && (document.activeElement.matches("a") ? "a[href]" : "input");
  fresh.querySelector("input").checked = picked.has(fresh.dataset.run);
  old.replaceWith(fresh);
  if (focused) fresh.querySelector(focused)?.focus({ preventScroll: true });
}

function progress({ run_id: id, status, share }) {
  const row = rowOf(id);
  if (!row) return announce(id);
  const bar = row.querySelector("progress");
  if (row.dataset.status !== status || !bar || share === undefined) return refresh([id]);
  bar.value = 100 * share;
  bar.nextElementSibling.textContent = `${Math.floor(100 * share)} %`;
}

/** Offers new runs by a button, so that they do not push away the rows that someone reads. */
function announce(id) {
  arrived.add(id);
  if (!arrivals) return location.reload();
  arrivals.hidden = false;
  arrivals.firstElementChild.textContent = `Show ${arrived.size} ${arrived.size === 1 ? "run" : "runs"} not in this list`;
}

arrivals?.addEventListener("click", () => {
  arrived.clear();
  arrivals.hidden = true;
  window.htmx.trigger("#filters", "change");
});

function count() {
  if (!compare) return;
  compare.querySelector("span").textContent = `Compare (${picked.size})`;
  compare.setAttribute("aria-disabled", String(picked.size < LEAST || picked.size > MOST));
}

box.addEventListener("change", ({ target }) => {
  if (!target.matches("input[name=runs]")) return;
  if (target.checked) picked.add(target.value);
  else picked.delete(target.value);
  count();
});

compare?.addEventListener("click", (event) => {
  event.preventDefault();
  if (picked.size >= LEAST && picked.size <= MOST) location.assign(`${document.getElementById("selection").action}?runs=${[...picked].join(",")}`);
  else document.dispatchEvent(new CustomEvent("desk:toast", { detail: { text: `Tick two to ${MOST} completed runs. Ticked now: ${picked.size}.`, kind: "info" } }));
});

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  for (const input of box.querySelectorAll("input[name=runs]")) input.checked = picked.has(input.value);
  if (detail.target.id !== "runs") return;
  const query = new URLSearchParams(location.search);
  document.getElementById("export").href = document.getElementById("export").href.replace(/\?.*/, `?${query}`);
  document.getElementById("filter-sort").value = box.querySelector("table")?.dataset.sorted ?? "-created";
});

for (const input of box.querySelectorAll("input[name=runs]:checked")) picked.add(input.value);
count();

follow("/ws/backtests/", {
  heard: ({ type, payload }) => (type === "run_finished" ? (rowOf(payload.run_id) ? refresh([payload.run_id]) : announce(payload.run_id)) : progress(payload)),
  poll: () => refresh(busyRows().map((row) => row.dataset.run)),
  active: () => busyRows().length > 0,
});
