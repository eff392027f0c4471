// Sweeps: the form's part of the search, and one sweep that fills while it runs.
import { follow, part } from "../desk/line.js";

const REFRESH_MS = 700;
const box = () => document.getElementById("sweep");
let line = null;
let due = 0;
let last = 0;

/** The form asks for a number of combinations only where combinations are drawn at random. */
function settleForm() {
  const method = document.querySelector("[name=method]");
  const trials = document.querySelector(".sweep-trials");
  if (method && trials) trials.hidden = method.value !== "random";
}

/** Fetches the state of the sweep again, and keeps the chosen axes and order. */
async function refresh() {
  last = Date.now();
  const chosen = new URLSearchParams(new FormData(document.getElementById("heat-form") ?? undefined));
  const order = document.querySelector("#trials [data-sort]");
  if (order) chosen.set("sort", order.dataset.sort);
  chosen.set("part", "sweep");
  const { text } = await part(`${location.pathname}?${chosen}`);
  const scrolled = [...document.querySelectorAll("#sweep .table-wrap")].map((wrap) => [wrap.scrollLeft, wrap.scrollTop]);
  window.htmx.swap("#sweep", text, { swapStyle: "outerHTML" });
  document.querySelectorAll("#sweep .table-wrap").forEach((wrap, at) => scrolled[at] && wrap.scrollTo(...scrolled[at]));
  settle();
}

/** Trials may come many times a second. The page follows at its own pace. */
function soon() {
  clearTimeout(due);
  due = setTimeout(refresh, Math.max(0, REFRESH_MS - (Date.now() - last)));
}

function settle() {
  const active = box()?.hasAttribute("data-active");
  if (active && !line) {
    line = follow(`/ws/sweeps/${box().dataset.sweep}/`, {
      heard: ({ type, payload }) => (type === "sweep_finished" || payload.trials_done > 0 || payload.status !== box().dataset.status) && soon(),
      poll: refresh,
      active: () => Boolean(box()?.hasAttribute("data-active")),
    });
  }
  if (!active && line) {
    line.stop();
    line = null;
    document.dispatchEvent(new CustomEvent("desk:toast", { detail: { text: `The sweep is ${box().dataset.status}.`, kind: box().dataset.status === "completed" ? "ok" : "warn" } }));
  }
}

document.addEventListener("change", settleForm);
document.addEventListener("htmx:afterSettle", settleForm);
settle();
settleForm();
