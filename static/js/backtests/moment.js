// The panel beside playback: one state of the run, in words.
const two = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const eight = new Intl.NumberFormat("en-US", { maximumFractionDigits: 8 });
const whole = new Intl.NumberFormat("en-US");
const MOST_LISTED = 12;

const minus = (text) => text.replace("-", "−");
const money = (text) => minus(two.format(Number(text)));
const price = (text) => (text === null ? "—" : minus((Math.abs(Number(text)) >= 100 ? two : eight).format(Number(text))));
const short = (iso) => iso.slice(0, 16).replace("T", " ");
const words = (code) => code.replaceAll("_", " ");

function node(tag, options = {}, ...children) {
  const { className, ...attributes } = options;
  const made = document.createElement(tag);
  if (className) made.className = className;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function part(title, ...children) {
  return node("section", {}, title ? node("h3", {}, title) : null, ...children);
}

function facts(pairs) {
  return node("dl", {}, ...pairs.flatMap(([term, value, className]) => [node("dt", {}, term), node("dd", className ? { className } : {}, value)]));
}

function signedText(value, text) {
  if (!Number(value)) return [text, ""];
  return Number(value) > 0 ? [`▲ +${text}`, "up"] : [`▼ ${text}`, "down"];
}

/** `run` is the RunChart: it has the texts of the reasons, the names of the indicators and the symbol that is shown. */
export function moment(state, run) {
  const all = document.createDocumentFragment();
  all.append(head(state), account(state, run), positions(state, run), events(state, run), waiting(state, run), indicators(state, run));
  return all;
}

function head(state) {
  return part("", node("div", { className: "when" }, `${short(state.time)} UTC`), node("div", { className: "muted small" }, `Candle ${whole.format(state.index + 1)} of ${whole.format(state.candles)}; the state at its close`));
}

function account(state, run) {
  const { currency } = run.element.dataset;
  return part(
    "Account",
    facts([
      ["Equity", `${money(state.equity)} ${currency}`, "state-equity"],
      ["Cash", `${money(state.cash)} ${currency}`, "state-cash"],
      ["Drawdown", `${minus(two.format(100 * state.drawdown))} %`],
    ]),
  );
}

function positions({ positions: held }, run) {
  if (!held.length) return part("Positions", node("p", { className: "muted" }, "Nothing is held."));
  const { currency } = run.element.dataset;
  return part(
    "Positions",
    ...held.map((one) => {
      const [gain, className] = signedText(one.unrealised, `${money(one.unrealised)} ${currency}`);
      return facts([
        [one.symbol, eight.format(Number(one.quantity))],
        ["Average price", price(one.average_price)],
        ["Last close", price(one.mark)],
        ["Unrealised", gain, className],
      ]);
    }),
  );
}

function events({ happened, last_fill: fill, last_refusal: refusal, time }, run) {
  const told = [...happened.fills.map((one) => fillRow(one, run)), ...happened.orders.map((one) => orderRow(one, run))].filter(Boolean);
  const earlier = [];
  if (fill && fill.time !== time) earlier.push(fillRow(fill, run, `Last fill, ${short(fill.time)}: `));
  if (refusal && refusal.created_at !== time) earlier.push(orderRow(refusal, run, `Last refusal, ${short(refusal.created_at)}: `));
  const now = told.length ? node("ul", {}, ...told) : node("p", { className: "muted" }, "No order and no fill.");
  return part("In this candle", now, earlier.length ? node("ul", { className: "old" }, ...earlier) : null);
}

function fillRow(fill, run, lead = "") {
  const [done, className] = fill.side === "buy" ? ["Bought", "buy"] : ["Sold", "sell"];
  const many = run.setup.symbols.length > 1 ? ` ${fill.symbol}` : "";
  return node("li", { className }, `${lead}${done} ${eight.format(Number(fill.quantity))}${many} at ${price(fill.price)}, fee ${money(fill.fee)}: ${run.setup.reasons[fill.reason]}.`);
}

function orderRow(order, run, lead = "") {
  // When a market order and its fill fall into one candle, the fill says everything.
  if (order.status === "filled" && order.closed_at === order.created_at) return null;
  const many = run.setup.symbols.length > 1 ? ` ${order.symbol}` : "";
  if (order.status === "refused") return node("li", { className: "refused" }, `${lead}Refused to ${order.side}${many} (${words(order.refusal)}): ${run.setup.refusals[order.refusal]}`);
  return node("li", { className: "order" }, `${lead}Ordered: ${order.side}${many} ${priceText(order)}: ${run.setup.reasons[order.reason]}.`);
}

function priceText({ type, stop, limit }) {
  if (type === "market") return "at the next open";
  return type === "stop_limit" ? `with stop ${price(stop)}, limit ${price(limit)}` : `${type} at ${price(type === "stop" ? stop : limit)}`;
}

function waiting({ open_orders: orders, open_order_count: count }, run) {
  if (!count) return part("Open orders", node("p", { className: "muted" }, "None waits."));
  const shown = orders.slice(-MOST_LISTED).map((order) => {
    const side = order.side === "buy" ? "Buy" : "Sell";
    return node("li", { className: "order" }, `${side} ${run.setup.symbols.length > 1 ? `${order.symbol} ` : ""}${priceText(order)}, since ${short(order.created_at)}`);
  });
  const rest = count - shown.length;
  return part(`Open orders: ${whole.format(count)}`, node("ul", {}, ...shown), rest > 0 ? node("p", { className: "muted small" }, `and ${whole.format(rest)} older`) : null);
}

function indicators(state, run) {
  const values = state.indicators[run.symbol] ?? {};
  const label = (name) => run.setup.plots.find((plot) => plot.name === name)?.label ?? words(name);
  const pairs = Object.entries(values).map(([name, value]) => [label(name), value === null ? "not yet known" : price(value)]);
  return part(`Indicators${run.setup.symbols.length > 1 ? ` of ${run.symbol}` : ""}`, pairs.length ? facts(pairs) : node("p", { className: "muted" }, "This strategy has none."));
}
