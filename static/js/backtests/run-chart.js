// A run's chart: candles with indicators and trades, equity beside buy and hold, drawdown, on one time axis and one crosshair.
// The server thins the data: in a view of the whole run each bar stands for many candles, in a close view for one. The zoom stays.
import { Chart, colour, fromScript } from "../charts.js";

const LWC = window.LightweightCharts;
const VIEW_BARS = 700;
const NARROW = 600;
const HEIGHTS = { price: 5, own: 1.3, equity: 2.1, drawdown: 1.2 };
const COLOURS = ["chart-2", "chart-3", "chart-4", "chart-5", "chart-6"];
const whole = new Intl.NumberFormat("en-US");

export class RunChart {
  constructor(element) {
    this.element = element;
    this.setup = fromScript("chart-setup");
    this.symbol = this.setup.symbols[0];
    this.answers = new Map();
    this.turn = 0;
    this.build();
    this.chart.onWindow((view) => this.held || this.see(view));
    this.redraw = () => this.label();
    document.addEventListener("desk:theme", this.redraw);
    document.getElementById("chart-all").addEventListener("click", () => this.all());
    for (const button of document.querySelectorAll("#chart-card [data-symbol]")) button.addEventListener("click", () => this.choose(button.dataset.symbol));
    this.all();
  }

  build() {
    const { currency } = this.element.dataset;
    this.chart = new Chart(this.element);
    this.hold(false);
    this.candles = this.chart.candles();
    this.candles.series.priceScale().applyOptions({ scaleMargins: { top: this.element.clientWidth < NARROW ? 0.26 : 0.12, bottom: 0.2 } });
    const panes = new Map([["price", 0]]);
    for (const { pane } of this.setup.plots) if (!panes.has(pane)) panes.set(pane, panes.size);
    this.panes = [...panes.keys()].map((name) => (name === "price" ? `Price, ${currency}` : name));
    this.lines = new Map(this.setup.plots.map(({ name, label, pane }, index) => [name, this.chart.line(label, { pane: panes.get(pane), width: 1, colour: COLOURS[index % COLOURS.length] })]));
    const [equity, drawdown] = [this.panes.push(`Equity, ${currency}`) - 1, this.panes.push("Drawdown, %") - 1];
    this.curves = {
      equity: this.chart.line("Equity", { pane: equity, price: 2, colour: "chart-1" }),
      buy_and_hold: this.chart.line("Buy and hold", { pane: equity, price: 2, width: 1, dashed: true, colour: "chart-muted" }),
      drawdown: this.chart.area("Drawdown", { pane: drawdown, percent: true, inverted: true, width: 1, colour: "down" }),
    };
    this.panes.forEach((_, pane) => this.chart.height(pane, pane === 0 ? HEIGHTS.price : pane === equity ? HEIGHTS.equity : pane === drawdown ? HEIGHTS.drawdown : HEIGHTS.own));
    this.label();
  }

  /** While playback uses the chart, it moves the view. Otherwise the view moves freely, but not beyond the run. */
  hold(held) {
    this.held = held;
    this.chart.chart.timeScale().applyOptions({ fixLeftEdge: !held, fixRightEdge: !held });
  }

  /** Draws into the corner of each pane what its axis shows. */
  label() {
    this.marks ??= this.chart.chart.panes().map((pane, index) => (index ? LWC.createTextWatermark(pane, { horzAlign: "left", vertAlign: "top", lines: [] }) : null));
    this.marks.forEach((mark, index) => mark?.applyOptions({ lines: [{ text: `  ${this.panes[index]}`, color: colour("ink-3"), fontSize: 11 }] }));
  }

  async ask(query) {
    const address = new URL(this.element.dataset.candles, location.href);
    address.search = new URLSearchParams({ symbol: this.symbol, ...query });
    const key = address.search;
    if (!this.answers.has(key)) {
      const answer = await fetch(address);
      if (!answer.ok) throw new Error(String(answer.status));
      this.answers.set(key, rowsOf(await answer.json()));
      if (this.answers.size > 24) this.answers.delete(this.answers.keys().next().value);
    }
    return this.answers.get(key);
  }

  /** Loads a window, draws it unless a newer one was asked for meanwhile, and shows `view` (all of it without one). */
  async load(query, view, asked) {
    const turn = ++this.turn;
    if (!this.data) this.chart.message("Loading candles");
    try {
      const data = await this.ask(query);
      if (turn !== this.turn) return false;
      this.data = data;
      this.asked = asked ?? this.wanted(data.first, data.last + data.step);
      this.draw();
      if (view) this.chart.show(view.from, view.to);
      else this.chart.all();
      this.element.dataset.ready = `${data.size}`;
      return true;
    } catch (error) {
      this.failed(error);
      return false;
    }
  }

  failed(error) {
    const text = `The candles could not be loaded (${error.message}). Load the page again.`;
    if (this.data) document.dispatchEvent(new CustomEvent("desk:toast", { detail: { text, kind: "bad" } }));
    else this.chart.message(text);
  }

  draw(until = Infinity) {
    const { data } = this;
    const count = until === Infinity ? data.candles.length : until;
    const cut = (rows) => (count < rows.length ? rows.slice(0, count) : rows.slice());
    this.candles.set(cut(data.candles));
    for (const [name, line] of this.lines) line.set(cut(data.indicators[name] ?? []));
    for (const [name, curve] of Object.entries(this.curves)) curve.set(cut(data[name]));
    this.drawMarks(count < data.candles.length ? (data.candles[count - 1]?.time ?? -1) : Infinity);
    this.shown = count;
    this.chart.message(data.candles.length ? "" : "No candles of this symbol in the span.");
    this.tell();
  }

  /** Adds bars up to `until` without drawing the others again. */
  extend(until) {
    const { data } = this;
    for (let at = this.shown; at < until; at += 1) {
      this.candles.update(data.candles[at]);
      for (const [name, line] of this.lines) if (data.indicators[name]) line.update(data.indicators[name][at]);
      for (const [name, curve] of Object.entries(this.curves)) curve.update(data[name][at]);
    }
    this.shown = until;
    this.drawMarks(data.candles[until - 1].time);
  }

  drawMarks(until) {
    const name = ({ at, side }) => (at === this.trade?.from && side === "buy" ? "Entry" : at === this.trade?.to && side === "sell" ? "Exit" : "");
    const marks = this.data.marks.filter(({ time }) => time <= until).map((mark) => ({ ...mark, text: name(mark) }));
    if (marks.length === this.marked && until !== Infinity) return;
    this.marked = marks.length;
    this.chart.marks(this.candles, marks);
  }

  tell() {
    const { size, marks, fills } = this.data;
    const bars = size === 1 ? `Each bar is one ${this.setup.interval} candle` : `Each bar is ${whole.format(size)} candles of ${this.setup.interval}`;
    const trades = fills > marks.length ? `zoom in to see its ${whole.format(fills)} fills` : `${whole.format(fills)} fills marked, hover for the reason`;
    const place = document.getElementById("chart-note");
    const text = this.held ? "" : `${bars}; ${trades}.`;
    if (place.textContent !== text) place.textContent = text;
  }

  /** How many candles a bar should have for a view of this span. */
  wanted(from, to) {
    const count = (to - from) / this.data.step;
    return 2 ** Math.max(0, Math.ceil(Math.log2(count / VIEW_BARS)));
  }

  see({ from, to }) {
    const { data } = this;
    if (!data?.candles.length) return;
    const size = this.wanted(from, to);
    const near = (to - from) * 0.15;
    const covered = (from - near >= data.from || !data.before) && (to + near <= data.to || !data.after);
    if (size === this.asked && covered) return;
    const span = Math.max(to - from, 60 * data.step);
    this.window(from - span, to + span, size, { from, to });
  }

  window(from, to, size, view) {
    const { first, last, step } = this.data;
    // Windows begin and end on a grid as coarse as the bars, so that the cache has those that are asked for again.
    const grid = size * step * 128;
    const [start, end] = [Math.floor(Math.max(from, first) / grid) * grid, Math.ceil(Math.min(to, last + step) / grid) * grid];
    const bars = Math.min(4000, Math.max(10, Math.ceil((end - start) / step / size)));
    return this.load({ start: Math.max(0, start), end, bars }, view, size);
  }

  all() {
    return this.load({ bars: 2 * VIEW_BARS });
  }

  /** Shows a trade with some room around it, and names its entry and exit. */
  focus(symbol, from, to) {
    if (!this.data) return undefined;
    this.pick(symbol);
    this.trade = { from, to };
    this.element.dataset.focused = `${from}`;
    const room = Math.max((to - from) * 0.6, 40 * this.data.step);
    const view = { from: from - room, to: to + room };
    const size = this.wanted(view.from, view.to);
    const span = view.to - view.from;
    return this.window(view.from - span, view.to + span, size, view);
  }

  pick(symbol) {
    if (!symbol || symbol === this.symbol) return false;
    this.symbol = symbol;
    for (const button of document.querySelectorAll("#chart-card [data-symbol]")) button.setAttribute("aria-pressed", String(button.dataset.symbol === symbol));
    return true;
  }

  choose(symbol) {
    if (!this.pick(symbol)) return;
    if (this.held) return document.dispatchEvent(new CustomEvent("backtests:symbol"));
    const view = this.chart.chart.timeScale().getVisibleRange();
    if (view) this.window(view.from - (view.to - view.from), view.to + (view.to - view.from), this.asked, view);
  }

  destroy() {
    document.removeEventListener("desk:theme", this.redraw);
    this.chart.destroy();
  }
}

/** Turns the server's columns into the chart's rows. An unknown value becomes a hole. */
function rowsOf(answer) {
  const { columns: c, ...rest } = answer;
  const time = c.time ?? [];
  const points = (column = []) => column.map((value, i) => (value === null ? { time: time[i] } : { time: time[i], value }));
  return {
    ...rest,
    from: time[0],
    to: time.at(-1) + rest.step * rest.size,
    candles: time.map((at, i) => ({ time: at, open: c.open[i], high: c.high[i], low: c.low[i], close: c.close[i], volume: c.volume[i] })),
    indicators: Object.fromEntries(Object.entries(c.indicators ?? {}).map(([name, column]) => [name, points(column)])),
    equity: points(c.equity),
    buy_and_hold: points(c.buy_and_hold),
    drawdown: points(c.drawdown),
    marks: rest.marks.map((mark) => ({ ...mark, text: "" })),
  };
}
