// A thin wrapper over TradingView Lightweight Charts 5.1 in the desk's tokens.
//
//   <script src="{% static 'vendor/lightweight-charts/lightweight-charts.js' %}" defer></script>
//   and import from your module: Chart, link, fromScript, colour, find, utc
//
//   const chart = new Chart(element, {axis: "USD", price: 2});   element: <div class="chart">; `price` is the number of decimals on the axis
//   chart.candles(name?)            -> {set(rows), update(row), series}    update takes a new row, or the last one again with new values; rows {time, open, high, low, close, volume?}; volume is drawn below
//   chart.line(name, {colour, pane, width, dashed, price, percent, step})  -> {set(points), update(point), series}   points {time, value}
//   chart.area(name, {...})         filled below;  chart.baseline(name, {...}) filled to 0, in the colours of up and down
//   chart.histogram(name, {...})    points may carry {up: true | false}
//   chart.height(pane, share)       how tall a pane is compared to the others (stretch factor)
//   chart.marks(candles, rows)      rows {time, side: "buy" | "sell", text, detail?}; the legend under the crosshair shows `detail`
//   chart.show(from, to)            seconds;  chart.all();  chart.message(text | "")  says why a chart is empty
//   chart.onWindow(callback)        callback({from, to, bars, before, after}) when the view moves: the bars in view, and how many are left on each side
//   chart.onHover(callback)         callback(time | null)
//   chart.cursor(time | null)       puts the crosshair there (playback)
//   link(a, b, ...)                 gives charts one time axis and one crosshair
//   chart.destroy()
//
// `time` is seconds since 1970 UTC. A colour is the name of a token ("chart-2", "up"). Points with no `value` (only `time`) are
// holes, and holes are drawn as holes. Data comes from <script type="application/json" id=...> (fromScript) or fetch.
// The logo is off because it injects a style, which the Content-Security-Policy forbids. The footer carries the credit.

const LWC = window.LightweightCharts;
const PALETTE = ["chart-1", "chart-2", "chart-3", "chart-4", "chart-5", "chart-6"];
const charts = new Set();
let probe;

/** A token's colour as the browser computes it for the current theme, e.g. "rgb(31, 82, 196)"; with `alpha`, translucent. */
export function colour(token, alpha = 1) {
  probe ??= document.body.appendChild(Object.assign(document.createElement("span"), { hidden: true }));
  probe.style.color = `var(--${token})`;
  const rgb = getComputedStyle(probe).color;
  return alpha === 1 ? rgb : rgb.replace("rgb(", "rgba(").replace(")", `, ${alpha})`);
}

/** The JSON in <script type="application/json" id="...">. */
export function fromScript(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

function look() {
  return {
    layout: {
      background: { type: "solid", color: colour("surface") },
      textColor: colour("ink-2"),
      fontSize: 11,
      fontFamily: getComputedStyle(document.body).fontFamily,
      attributionLogo: false,
      panes: { separatorColor: colour("line"), separatorHoverColor: colour("hover"), enableResize: true },
    },
    grid: { vertLines: { color: colour("chart-grid") }, horzLines: { color: colour("chart-grid") } },
    rightPriceScale: { borderColor: colour("line") },
    timeScale: { borderColor: colour("line") },
    crosshair: {
      mode: 0,
      vertLine: { color: colour("ink-3"), labelBackgroundColor: colour("ink-2") },
      horzLine: { color: colour("ink-3"), labelBackgroundColor: colour("ink-2") },
    },
  };
}

function candleLook() {
  const [up, down] = [colour("up"), colour("down")];
  // Rising candles are hollow: the direction shows without the colour.
  return { upColor: colour("surface"), downColor: down, borderUpColor: up, borderDownColor: down, wickUpColor: up, wickDownColor: down };
}

const writers = new Map();
function written(value, decimals) {
  if (value === undefined || value === null || Number.isNaN(value)) return "—";
  const places = decimals ?? (Math.abs(value) >= 100 ? 2 : Math.abs(value) >= 1 ? 4 : 8);
  if (!writers.has(places)) writers.set(places, new Intl.NumberFormat("en-US", { minimumFractionDigits: Math.min(places, 2), maximumFractionDigits: places }));
  return writers.get(places).format(value).replace("-", "−");
}

export function utc(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}

function hasDay(rows) {
  return rows.length > 1 && (rows[1].time - rows[0].time) % 86400 === 0;
}

export class Chart {
  constructor(element, options = {}) {
    this.element = element;
    this.decimals = options.price;
    this.parts = [];
    this.details = new Map();
    this.chart = LWC.createChart(element, {
      autoSize: true,
      ...look(),
      localization: { locale: "en-US", timeFormatter: utc },
      handleScroll: { vertTouchDrag: false },
    });
    this.chart.timeScale().applyOptions({ timeVisible: true, secondsVisible: false, rightOffset: 3, minBarSpacing: 0.05 });
    this.legend = element.appendChild(Object.assign(document.createElement("div"), { className: "chart-legend" }));
    this.notice = element.appendChild(Object.assign(document.createElement("div"), { className: "chart-message", hidden: true }));
    this.axis = options.axis ?? "";
    this.chart.subscribeCrosshairMove((at) => this.tell(at));
    charts.add(this);
  }

  add(kind, name, options, styled) {
    const part = { name, options, styled, rows: [] };
    part.series = this.chart.addSeries(LWC[`${kind}Series`], { priceLineVisible: false, lastValueVisible: false, ...styled() }, options.pane ?? 0);
    part.format = (value) => (options.percent ? `${written(value * 100, 2)} %` : written(value, options.price ?? this.decimals));
    if (kind !== "Candlestick") part.series.applyOptions({ priceFormat: { type: "custom", minMove: 1e-8, formatter: part.format } });
    part.set = (rows) => {
      part.rows = rows;
      part.series.setData(part.map ? rows.map(part.map) : rows);
      this.chart.timeScale().applyOptions({ timeVisible: !hasDay(rows) });
      this.tell();
    };
    part.update = (row) => {
      if (part.rows.at(-1)?.time === row.time) part.rows[part.rows.length - 1] = row;
      else part.rows.push(row);
      part.series.update(part.map ? part.map(row) : row);
      this.tell();
    };
    this.parts.push(part);
    return part;
  }

  candles(name = "", options = {}) {
    const part = this.add("Candlestick", name, options, candleLook);
    part.volume = this.chart.addSeries(LWC.HistogramSeries, { priceFormat: { type: "volume" }, priceScaleId: "volume", priceLineVisible: false, lastValueVisible: false });
    part.volume.priceScale().applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    part.series.priceScale().applyOptions({ scaleMargins: { top: this.element.clientWidth < 500 ? 0.18 : 0.08, bottom: 0.22 } });
    part.series.applyOptions({ priceFormat: { type: "custom", minMove: 1e-8, formatter: part.format } });
    const bar = (row) => ((row.volume ?? null) === null ? { time: row.time } : { time: row.time, value: row.volume, color: colour(row.close >= row.open ? "up" : "down", 0.28) });
    const [set, update] = [part.set, part.update];
    part.set = (rows) => (part.volume.setData(rows.map(bar)), set(rows));
    part.update = (row) => (part.volume.update(bar(row)), update(row));
    part.repaint = () => part.volume.setData(part.rows.map(bar));
    return part;
  }

  line(name, options = {}) {
    const token = this.token(options);
    return this.add("Line", name, options, () => ({
      color: colour(token),
      lineWidth: options.width ?? 2,
      lineStyle: options.dashed ? LWC.LineStyle.Dashed : LWC.LineStyle.Solid,
      lineType: options.step ? LWC.LineType.WithSteps : LWC.LineType.Simple,
      crosshairMarkerRadius: 3,
    }));
  }

  area(name, options = {}) {
    const token = this.token(options);
    return this.add("Area", name, options, () => ({ lineColor: colour(token), topColor: colour(token, 0.24), bottomColor: colour(token, 0.02), lineWidth: options.width ?? 2, invertFilledArea: Boolean(options.inverted) }));
  }

  baseline(name, options = {}) {
    return this.add("Baseline", name, options, () => ({
      baseValue: { type: "price", price: options.base ?? 0 },
      topLineColor: colour("up"),
      topFillColor1: colour("up", 0.24),
      topFillColor2: colour("up", 0.04),
      bottomLineColor: colour("down"),
      bottomFillColor1: colour("down", 0.04),
      bottomFillColor2: colour("down", 0.24),
      lineWidth: options.width ?? 2,
    }));
  }

  histogram(name, options = {}) {
    const token = this.token(options);
    const part = this.add("Histogram", name, options, () => ({ color: colour(token) }));
    part.map = (row) => (row.up === undefined ? row : { ...row, color: colour(row.up ? "up" : "down", 0.7) });
    part.repaint = () => part.series.setData(part.rows.map(part.map));
    return part;
  }

  token(options) {
    options.colour ??= PALETTE[this.parts.filter((part) => part.options.colour).length % PALETTE.length];
    return options.colour;
  }

  height(pane, share) {
    this.chart.panes()[pane]?.setStretchFactor(share);
  }

  marks(candles, rows) {
    this.details = Map.groupBy ? Map.groupBy(rows, (row) => row.time) : rows.reduce((all, row) => all.set(row.time, [...(all.get(row.time) ?? []), row]), new Map());
    candles.marked = rows;
    const drawn = rows.map(({ time, side, text }) => ({
      time,
      text,
      position: side === "buy" ? "belowBar" : "aboveBar",
      shape: side === "buy" ? "arrowUp" : "arrowDown",
      color: colour(side === "buy" ? "up" : "down"),
    }));
    if (candles.markers) candles.markers.setMarkers(drawn);
    else candles.markers = LWC.createSeriesMarkers(candles.series, drawn);
  }

  show(from, to) {
    this.chart.timeScale().setVisibleRange({ from, to });
  }

  all() {
    this.chart.timeScale().fitContent();
  }

  message(text) {
    this.notice.textContent = text;
    this.notice.hidden = !text;
  }

  onWindow(callback) {
    let due = 0;
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (!range || !this.parts.length) return;
      clearTimeout(due);
      due = setTimeout(() => {
        const bars = this.parts[0].series.barsInLogicalRange(range);
        const times = this.chart.timeScale().getVisibleRange();
        if (times) callback({ from: times.from, to: times.to, bars: range.to - range.from, before: bars?.barsBefore ?? 0, after: bars?.barsAfter ?? 0 });
      }, 60);
    });
  }

  onHover(callback) {
    this.chart.subscribeCrosshairMove((at) => callback(at.point ? (at.time ?? null) : null));
  }

  cursor(time) {
    const part = this.parts[0];
    const row = time === null ? null : find(part.rows, time);
    if ((row?.close ?? row?.value) !== undefined) this.chart.setCrosshairPosition(row.close ?? row.value, row.time, part.series);
    else this.chart.clearCrosshairPosition();
  }

  tell(at) {
    const words = this.axis ? [text("span", this.axis)] : [];
    const time = at?.time;
    if (time !== undefined) words.push(text("b", `${utc(time)} UTC`));
    for (const part of this.parts) {
      const row = time === undefined ? part.rows.at(-1) : find(part.rows, time);
      if (part.options.legend === false || !row) continue;
      words.push(...said(part, row));
    }
    for (const mark of this.details.get(time) ?? []) words.push(text("b", mark.detail ?? mark.text));
    this.legend.replaceChildren(...words);
  }

  repaint() {
    this.chart.applyOptions(look());
    for (const part of this.parts) {
      part.series.applyOptions(part.styled());
      part.repaint?.();
      if (part.marked) this.marks(part, part.marked);
    }
    this.tell();
  }

  destroy() {
    charts.delete(this);
    this.chart.remove();
  }
}

function text(tag, words) {
  return Object.assign(document.createElement(tag), { textContent: words });
}

function said(part, row) {
  const label = part.name ? `${part.name} ` : "";
  if (part.volume && row.close === undefined) return [text("span", `${label}no candle`)];
  if (row.close === undefined) {
    const box = text("span", label);
    box.style.color = part.options.colour ? colour(part.options.colour) : "";
    box.append(text("b", row.value === undefined ? "—" : part.format(row.value)));
    return [box];
  }
  const box = text("span", label);
  for (const key of ["open", "high", "low", "close"]) box.append(`${key[0].toUpperCase()} `, text("b", part.format(row[key])), " ");
  if (row.volume !== undefined) box.append("Vol ", text("b", row.volume === null ? "unknown" : written(row.volume, 2)));
  return [box];
}

/** The row of a time, by binary search; rows are in order of time. */
export function find(rows, time) {
  let [low, high] = [0, rows.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (rows[middle].time === time) return rows[middle];
    if (rows[middle].time < time) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}

/** Gives several charts one time axis and one crosshair. */
export function link(...linked) {
  let leading = null;
  let pointing = false;
  for (const chart of linked) {
    chart.chart.timeScale().subscribeVisibleTimeRangeChange(() => {
      if (leading && leading !== chart) return;
      leading = chart;
      const range = chart.chart.timeScale().getVisibleRange();
      for (const other of linked) if (range && other !== chart && other.parts[0]?.rows.length) other.chart.timeScale().setVisibleRange(range);
      requestAnimationFrame(() => (leading = null));
    });
    chart.chart.subscribeCrosshairMove((at) => {
      if (pointing) return;
      pointing = true;
      for (const other of linked) if (other !== chart) other.cursor(at.point ? (at.time ?? null) : null);
      pointing = false;
    });
  }
}

document.addEventListener("desk:theme", () => requestAnimationFrame(() => charts.forEach((chart) => chart.repaint())));
