// The chart of one series: a window of candles that grows as the view moves, at the series' own interval or a longer one.
import { Chart } from "../charts.js";
import { candleRow, market, venueKey } from "../live/market.js";

const FIRST_WINDOW = 1000;
const NEXT_WINDOW = 2000;
const NEAR = 150;
const MOST_ROWS = 24_000;
const MOST_HOLES = 400;

const element = document.getElementById("chart");
const chart = new Chart(element, { axis: element.dataset.axis });
const candles = chart.candles();
let shown = blank(element.dataset.interval);
let asked = 0;

function blank(interval) {
  return { interval, step: 0, rows: [], from: Infinity, to: -Infinity, before: false, after: false, busy: false };
}

async function ask(interval, query) {
  const address = new URL(element.dataset.candles, location.href);
  address.search = new URLSearchParams({ interval, ...query });
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

const toRow = ([time, open, high, low, close, volume]) => ({ time, open, high, low, close, volume });

/** Rows with holes between them, so that a gap looks like a gap. Long gaps are drawn shorter than they are. */
function withHoles(rows, step) {
  const all = [];
  for (const row of rows) {
    const last = all.at(-1);
    if (last && row.time - last.time > step) {
      const holes = Math.min(MOST_HOLES, (row.time - last.time) / step - 1);
      const stride = Math.ceil((row.time - last.time) / step / (holes + 1)) * step;
      for (let time = last.time + stride; time < row.time; time += stride) all.push({ time });
    }
    all.push(row);
  }
  return all;
}

function draw(keepView) {
  const view = keepView && chart.chart.timeScale().getVisibleRange();
  candles.set(withHoles(shown.rows, shown.step));
  if (view) chart.chart.timeScale().setVisibleRange(view);
  chart.message(shown.rows.length ? "" : "No candles in this window. Choose another month below.");
}

function join(window, side) {
  const rows = window.rows.map(toRow);
  shown.step = window.step;
  if (side === "before") {
    shown.rows = [...rows, ...shown.rows].slice(0, MOST_ROWS);
    shown.from = window.from;
    shown.before = window.before;
    if (shown.rows.length === MOST_ROWS) [shown.to, shown.after] = [shown.rows.at(-1).time + shown.step, true];
  } else if (side === "after") {
    shown.rows = [...shown.rows, ...rows].slice(-MOST_ROWS);
    shown.to = window.to;
    shown.after = window.after;
    if (shown.rows.length === MOST_ROWS) [shown.from, shown.before] = [shown.rows[0].time, true];
  } else {
    Object.assign(shown, { rows, from: window.from, to: window.to, before: window.before, after: window.after });
  }
}

function showError(error) {
  const words = `The candles could not be loaded (${error.message}). Load the page again.`;
  if (!shown.rows.length) chart.message(words);
  document.dispatchEvent(new CustomEvent("desk:toast", { detail: { text: words, kind: "bad" } }));
}

async function start(interval, query, focus) {
  const turn = ++asked;
  shown = { ...blank(interval), busy: true };
  chart.message("Loading candles");
  try {
    const window = await ask(interval, { limit: FIRST_WINDOW, ...query });
    if (turn !== asked) return;
    join(window);
    draw(false);
    const visible = Math.min(shown.rows.length, Math.round(element.clientWidth / 7));
    if (focus) chart.show(focus - (visible / 2) * shown.step, focus + (visible / 2) * shown.step);
    else chart.chart.timeScale().setVisibleLogicalRange({ from: candles.rows.length - visible, to: candles.rows.length + 3 });
    element.dataset.ready = interval;
  } catch (error) {
    showError(error);
  }
  shown.busy = false;
}

async function more(side) {
  if (shown.busy) return;
  const turn = asked;
  shown.busy = true;
  try {
    const query = side === "before" ? { end: shown.from } : { start: shown.to };
    const window = await ask(shown.interval, { limit: NEXT_WINDOW, ...query });
    if (turn !== asked) return;
    join(window, side);
    draw(true);
    element.dataset.rows = shown.rows.length;
  } catch (error) {
    showError(error);
  }
  shown.busy = false;
}

// Loads a screenful ahead, so that nobody sees the edge of what is loaded.
chart.onWindow(({ before, after, bars }) => {
  const near = Math.max(NEAR, bars);
  if (shown.before && before < near) more("before");
  else if (shown.after && after < near) more("after");
});

function goto(seconds) {
  const step = shown.step || 60;
  start(shown.interval, { start: Math.max(0, seconds - (FIRST_WINDOW / 2) * step) }, seconds);
}

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-goto]");
  if (target) {
    goto(Number(target.dataset.goto));
    element.closest(".card").scrollIntoView({ block: "start" });
  }
  const choice = event.target.closest("[data-interval][aria-pressed]");
  if (choice) {
    for (const other of choice.parentElement.children) other.setAttribute("aria-pressed", String(other === choice));
    start(choice.dataset.interval, {});
  }
});
document.getElementById("chart-first").addEventListener("click", () => start(shown.interval, { start: 0 }));
document.getElementById("chart-last").addEventListener("click", () => start(shown.interval, {}));

/** Lets the newest candles grow while the chart shows the end of the series. */
function grow(candle) {
  const [last, row] = [candles.rows.at(-1), candleRow(candle)];
  if (venueKey(candle) !== element.dataset.venue || candle.interval !== shown.interval || !last || row.time < last.time || shown.busy) return;
  // The page has missed messages: only the server has the candles in between.
  if (row.time > last.time + shown.step) return;
  candles.update(row);
  element.dataset.grown = row.time;
}

market.follow([`${element.dataset.venue}:${element.dataset.symbol}`], ({ type, payload }) => type === "candle" && payload.symbol === element.dataset.symbol && grow(payload));
start(shown.interval, {});
