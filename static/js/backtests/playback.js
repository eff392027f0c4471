// Playback: the run candle by candle. The chart ends at the cursor; a panel shows the positions, orders and decisions of that time.
import { moment } from "./moment.js";

const BATCH = 120;
const NEAR = 45;
const WINDOW = 500;
const EDGE = 100;
const VISIBLE = 140;
const MOST_STATES = 4000;
const MOST_AT_ONCE = 20;

export class Playback {
  constructor(runChart) {
    this.run = runChart;
    this.states = new Map();
    this.asked = new Map();
    this.open = false;
    this.timer = 0;
    this.turn = 0;
    this.bar = document.getElementById("playback");
    this.panel = document.getElementById("moment");
    this.slider = document.getElementById("playback-at");
    this.opener = document.getElementById("playback-open");
    this.opener.addEventListener("click", () => (this.open ? this.close() : this.start()));
    this.bar.addEventListener("click", ({ target }) => this.press(target.closest("[data-play]")?.dataset.play));
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    document.getElementById("playback-speed").addEventListener("change", () => this.timer && this.play());
    document.addEventListener("keydown", (event) => this.open && this.bar.isConnected && this.key(event));
    document.addEventListener("backtests:symbol", () => this.open && this.go(this.index));
  }

  press(what) {
    const acts = {
      back: () => this.go(this.index - 1),
      forward: () => this.go(this.index + 1),
      toggle: () => (this.timer ? this.pause() : this.play()),
      close: () => this.close(),
      "previous-fill": () => this.seek("previous", "fill"),
      "next-fill": () => this.seek("next", "fill"),
      "next-event": () => this.seek("next", "any"),
    };
    if (!what) return;
    if (what !== "toggle") this.pause();
    acts[what]();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.target.matches("input:not([type=range]), select, textarea, [role=tab]")) return;
    if (event.key === " " && event.target.matches("button, summary, a")) return;
    const keys = {
      ArrowLeft: event.shiftKey ? "previous-fill" : "back",
      ArrowRight: event.shiftKey ? "next-fill" : "forward",
      " ": "toggle",
      e: "next-event",
      Escape: "close",
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    this.press(keys[event.key]);
  }

  show(open) {
    this.open = open;
    this.run.hold(open);
    this.bar.hidden = this.panel.hidden = !open;
    this.opener.setAttribute("aria-expanded", String(open));
    document.getElementById("chart-all").hidden = this.opener.hidden = open;
    document.getElementById("stage").classList.toggle("playing", open);
  }

  /** Starts at the candle before something happens, because there is nothing to see in a warm-up. */
  async start() {
    this.show(true);
    this.run.tell();
    const first = await this.event(0, "next", "any");
    await this.go(Math.max(0, (first ?? 0) - 1));
    this.bar.querySelector("[data-play=toggle]").focus({ preventScroll: true });
    document.getElementById("chart-card").scrollIntoView({ block: "start" });
  }

  close() {
    this.pause();
    this.show(false);
    this.window = null;
    this.run.all();
    this.opener.focus({ preventScroll: true });
  }

  async event(index, way, kind) {
    const address = new URL(this.run.element.dataset.event, location.href);
    address.search = new URLSearchParams({ index, way, kind });
    const answer = await fetch(address);
    return answer.ok ? (await answer.json()).index : null;
  }

  async seek(way, kind) {
    const found = await this.event(this.index, way, kind);
    if (found !== null) return this.go(found);
    document.dispatchEvent(new CustomEvent("desk:toast", { detail: { text: way === "next" ? "Nothing more happens after this candle." : "Nothing happened before this candle.", kind: "info" } }));
    return undefined;
  }

  /** Moves to the candle that is open at a moment. */
  async goto(seconds, symbol) {
    this.pause();
    this.run.pick(symbol);
    const { number } = await this.fetch({ at: seconds, count: 2 });
    await this.go(number);
  }

  async fetch(query) {
    const address = new URL(this.run.element.dataset.states, location.href);
    address.search = new URLSearchParams(query);
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  /** The states of the batch that holds a candle. Each batch is fetched once. */
  batch(index) {
    const first = Math.floor(Math.max(0, index) / BATCH) * BATCH;
    if (!this.asked.has(first)) {
      const asked = this.fetch({ first, count: BATCH }).then(({ states }) => states.forEach((state) => this.states.set(state.index, state)));
      asked.catch(() => this.asked.delete(first));
      this.asked.set(first, asked);
      if (this.states.size > MOST_STATES) this.forget();
    }
    return this.asked.get(first);
  }

  forget() {
    this.states.clear();
    this.asked.clear();
  }

  async go(index) {
    const turn = ++this.turn;
    const wanted = Math.max(0, this.count ? Math.min(index, this.count - 1) : index);
    try {
      if (!this.states.has(wanted)) await this.batch(wanted);
      const state = this.states.get(wanted);
      if (turn !== this.turn || !state || !this.open) return;
      await this.reveal(state);
      if (turn !== this.turn) return;
      this.tell(state);
      this.ahead(wanted);
    } catch (error) {
      this.pause();
      document.dispatchEvent(new CustomEvent("desk:toast", { detail: { text: `This moment could not be loaded (${error.message}). Try again.`, kind: "bad" } }));
    }
  }

  ahead(index) {
    const inside = index % BATCH;
    if (inside > BATCH - NEAR && index + BATCH - inside < this.count) this.batch(index + BATCH);
    if (inside < NEAR && index - inside > 0) this.batch(index - BATCH);
  }

  tell(state) {
    Object.assign(this, { index: state.index, count: state.candles });
    Object.assign(this.slider, { max: state.candles - 1, value: state.index });
    this.slider.setAttribute("aria-valuetext", `${state.time}, candle ${state.index + 1} of ${state.candles}`);
    this.panel.replaceChildren(moment(state, this.run));
    this.panel.dataset.index = state.index;
  }

  /** Shows bars up to the state's candle and no further. */
  async reveal(state) {
    const { run } = this;
    const at = Date.parse(state.time) / 1000;
    const step = run.data?.step ?? 60;
    if (!this.holds(at, step)) await this.fill(at, step);
    if (!this.open) return;
    const until = countUntil(run.data.candles, at);
    const scale = run.chart.chart.timeScale();
    const range = scale.getVisibleLogicalRange();
    const width = this.fresh || !range ? VISIBLE : range.to - range.from;
    if (until > run.shown && until <= run.shown + MOST_AT_ONCE && !this.fresh) run.extend(until);
    else if (until !== run.shown || this.fresh) run.draw(until);
    this.fresh = false;
    scale.setVisibleLogicalRange({ from: until - width * 0.85, to: until + width * 0.15 });
  }

  /** Whether the chart is drawn from single candles around the moment. */
  holds(at, step) {
    const { data, symbol } = this.run;
    if (!this.window || this.window !== data || this.symbol !== symbol || data.size !== 1) return false;
    return (at - EDGE * step >= data.from || !data.before) && at < data.to;
  }

  async fill(at, step) {
    const { run } = this;
    const half = WINDOW * step;
    const start = Math.max(0, Math.floor((at - half) / half) * half);
    run.turn += 1;
    run.data = await run.ask({ start, end: start + 4 * half, bars: 4000 });
    Object.assign(this, { window: run.data, symbol: run.symbol, fresh: run.shown === undefined || !this.window });
    run.shown = -1;
    // The window after this one, so that playing on does not wait.
    if (run.data.after) run.ask({ start: start + 2 * half, end: start + 6 * half, bars: 4000 }).catch(() => {});
  }

  /** Plays as many candles a second as chosen, several in one step where drawing takes longer than that. */
  play() {
    clearTimeout(this.timer);
    const speed = Number(document.getElementById("playback-speed").value);
    const began = { index: this.index, time: performance.now() };
    const next = async () => {
      if (this.index >= this.count - 1) return this.pause();
      const steps = Math.floor(((performance.now() - began.time) / 1000) * speed);
      await this.go(Math.max(this.index + 1, Math.min(began.index + steps, this.index + MOST_AT_ONCE)));
      const due = began.time + ((this.index - began.index + 1) / speed) * 1000;
      if (this.timer) this.timer = setTimeout(next, Math.max(0, due - performance.now()));
      return undefined;
    };
    this.timer = setTimeout(next, 1000 / speed);
    this.icons(true);
  }

  pause() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.icons(false);
  }

  icons(playing) {
    const button = this.bar.querySelector("[data-play=toggle]");
    button.setAttribute("aria-label", playing ? "Pause" : "Play");
    button.querySelector("[data-icon=play]").hidden = playing;
    button.querySelector("[data-icon=pause]").hidden = !playing;
  }
}

/** How many rows open at or before a moment. */
function countUntil(rows, at) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].time <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
