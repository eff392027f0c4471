// One run: live while it is active, then its results; tabs, copying, the chart.
import { follow, part } from "../desk/line.js";
import { RunChart } from "./run-chart.js";
import { Playback } from "./playback.js";

const LATE_SECONDS = 15;
let line = null;
let chart = null;
let playback = null;
let clock = 0;

const box = () => document.getElementById("run");
const card = () => document.getElementById("progress");
const put = (id, text) => {
  const place = document.getElementById(id);
  if (place && place.textContent !== text) place.textContent = text;
};
const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

function lasting(seconds) {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

/** Seconds by the server's clock, because the browser's own may be wrong. */
function now() {
  return Date.now() / 1000 + clock;
}

function tick() {
  const { started, created, status } = card()?.dataset ?? {};
  if (!created) return;
  const since = Date.parse(status === "running" && started ? started : created) / 1000;
  put("progress-elapsed", lasting(now() - since));
  document.getElementById("progress-late").hidden = status !== "queued" || document.getElementById("progress-compiling") !== null || now() - since < LATE_SECONDS;
}

function progress({ status, candles_processed: done, candles_total: total }, seconds) {
  const { dataset } = card();
  if (status !== dataset.status) return show("progress");
  if (!total) return undefined;
  const started = Date.parse(dataset.started) / 1000;
  put("progress-done", whole.format(done));
  put("progress-total", whole.format(total));
  put("progress-percent", `${Math.floor((100 * done) / total)} %`);
  document.getElementById("progress-bar").value = (100 * done) / total;
  if (done && seconds > started) put("progress-speed", `${whole.format(done / (seconds - started))} candles/s`);
  return undefined;
}

/** Fetches a part of the page again. Once the run has ended, the server answers with all of its parts. */
async function show(name) {
  const { text, headers } = await part(`${location.pathname}?part=${name}`);
  const target = headers.get("HX-Retarget") ?? "#progress";
  window.htmx.swap(target, text, { swapStyle: "outerHTML" });
}

function watch() {
  clock = (Date.parse(card().dataset.now) - Date.now()) / 1000;
  line = follow(`/ws/backtests/${box().dataset.run}/`, {
    heard: ({ type, payload, ts }) => (type === "run_finished" ? show("run") : card() && progress(payload, Date.parse(ts) / 1000)),
    poll: () => show("progress"),
    active: () => Boolean(card()),
  });
}

function settle() {
  if (card() && !line) watch();
  if (!card() && line) {
    line.stop();
    line = null;
    document.dispatchEvent(new CustomEvent("desk:toast", { detail: { text: `The run is ${box().dataset.status}.`, kind: box().dataset.status === "completed" ? "ok" : "warn" } }));
  }
  const element = document.getElementById("chart");
  if (element && chart?.element !== element) {
    chart?.destroy();
    chart = new RunChart(element);
    playback = new Playback(chart);
  }
}

function jump(link) {
  const seconds = (text) => Date.parse(text) / 1000;
  if (playback?.open) playback.goto(seconds(link.dataset.from), link.dataset.symbol);
  else chart?.focus(link.dataset.symbol, seconds(link.dataset.from), seconds(link.dataset.to));
  document.getElementById("chart-card").scrollIntoView({ block: "start" });
}

async function copy(button) {
  const words = button.textContent.trim();
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.lastChild.textContent = "Copied";
  } catch {
    button.lastChild.textContent = button.dataset.copy;
  }
  setTimeout(() => (button.lastChild.textContent = words), 4000);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-jump]");
  if (link) {
    event.preventDefault();
    jump(link);
  }
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
  const tab = event.target.closest("[role=tab]");
  if (tab) choose(tab);
});

function choose(tab) {
  for (const other of tab.parentElement.children) {
    other.setAttribute("aria-selected", String(other === tab));
    other.tabIndex = other === tab ? 0 : -1;
  }
  document.getElementById("tab-panel").setAttribute("aria-labelledby", tab.id);
}

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!tab || !step) return;
  event.preventDefault();
  const all = [...tab.parentElement.children];
  const next = all[(all.indexOf(tab) + step + all.length) % all.length];
  next.focus();
  next.click();
});

document.addEventListener("htmx:afterSettle", settle);
setInterval(tick, 200);
settle();
