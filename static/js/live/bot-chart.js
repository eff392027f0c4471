// A bot's chart: its candles with its fills marked. It grows while the market moves.
import { Chart } from "../charts.js";
import { feed } from "./feed.js";
import { candleRow, market, venueKey } from "./market.js";

const element = document.getElementById("chart");
const chart = new Chart(element, { axis: element.dataset.axis });
const candles = chart.candles();
const state = { symbol: element.dataset.symbol, before: false, busy: false, turn: 0, marks: new Map() };

const toRow = ([time, open, high, low, close, volume]) => ({ time, open, high, low, close, volume });

async function ask(query) {
  const address = new URL(element.dataset.candles, location.href);
  address.search = new URLSearchParams({ symbol: state.symbol, ...query });
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

function mark(marks, anew = false) {
  const known = state.marks.size;
  for (const one of marks) state.marks.set(one.id, one);
  if (state.marks.size === known && !anew) return;
  const first = candles.rows[0]?.time ?? Infinity;
  chart.marks(candles, [...state.marks.values()].filter(({ time }) => time >= first).sort((a, b) => a.time - b.time));
  element.dataset.marks = state.marks.size;
}

async function load() {
  const turn = ++state.turn;
  chart.message("Loading candles");
  try {
    const found = await ask({ limit: 1000 });
    if (turn !== state.turn) return;
    state.before = found.before;
    state.marks.clear();
    candles.set(found.rows.map(toRow));
    mark(found.marks, true);
    chart.message(candles.rows.length ? "" : `No candles of ${state.symbol} are stored yet. They come as they close.`);
    element.dataset.ready = state.symbol;
  } catch (error) {
    chart.message(`The candles could not be loaded (${error.message}). Load the page again.`);
  }
}

async function earlier() {
  if (state.busy || !state.before || !candles.rows.length) return;
  state.busy = true;
  const turn = state.turn;
  try {
    const found = await ask({ limit: 2000, end: candles.rows[0].time });
    if (turn !== state.turn) return;
    const view = chart.chart.timeScale().getVisibleRange();
    state.before = found.before;
    candles.set([...found.rows.map(toRow), ...candles.rows]);
    mark(found.marks, true);
    if (view) chart.chart.timeScale().setVisibleRange(view);
  } finally {
    state.busy = false;
  }
}

/** Adds new fills and closed candles without moving the view. */
async function refresh() {
  const turn = state.turn;
  const found = await ask({ limit: 1000 });
  if (turn !== state.turn) return;
  for (const row of found.rows.map(toRow)) grow(row);
  mark(found.marks);
}

function grow(row) {
  const last = candles.rows.at(-1);
  if (last && row.time < last.time) return;
  candles.update(row);
  chart.message("");
  element.dataset.last = row.time;
}

document.getElementById("chart-card").addEventListener("click", ({ target }) => {
  const choice = target.closest("[data-symbol][aria-pressed]");
  if (!choice) return;
  for (const other of choice.parentElement.children) other.setAttribute("aria-pressed", String(other === choice));
  state.symbol = choice.dataset.symbol;
  load();
});
chart.onWindow(({ before }) => before < 150 && earlier());

let due = 0;
feed.listen(({ type, payload }) => {
  if (type !== "fill" || payload.bot !== document.getElementById("desk").dataset.bot) return;
  clearTimeout(due);
  due = setTimeout(() => refresh().catch(() => feed.look()), 600);
});
feed.poll(refresh);

if ("growing" in element.dataset) {
  const { venue, interval } = element.dataset;
  const symbols = [...new Set([state.symbol, ...[...document.querySelectorAll("#chart-card [data-symbol][aria-pressed]")].map((one) => one.dataset.symbol)])];
  market.follow(symbols, ({ type, payload }) => {
    if (type !== "candle" || venueKey(payload) !== venue || payload.symbol !== state.symbol || payload.interval !== interval) return;
    grow(candleRow(payload));
  });
}

load();
