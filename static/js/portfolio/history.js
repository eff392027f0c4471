// The value of the money with what was paid in, the return with that taken out, and the drawdown, on one time axis.
import { Chart, fromScript } from "../charts.js";

const element = document.getElementById("history");
const { currency, time, value, paid_in: paidIn, growth, fall, flows } = fromScript("curves");
const money = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2, minimumFractionDigits: 2 });
const points = (values) => values.map((one, i) => ({ time: time[i], value: one }));
const mark = ([at, amount]) => ({ time: at, side: amount > 0 ? "buy" : "sell", text: "", detail: `${money.format(Math.abs(amount))} ${currency} paid ${amount > 0 ? "in" : "out"}` });

const chart = new Chart(element, { axis: currency });
const worth = chart.line("Value", { colour: "chart-1", price: 2 });
const paid = chart.line("Paid in", { colour: "chart-muted", price: 2, width: 1, dashed: true, step: true });
const made = chart.baseline("Return", { pane: 1, percent: true });
const fallen = chart.area("Drawdown", { pane: 2, percent: true, inverted: true, width: 1, colour: "down" });
chart.height(0, 3);
chart.height(1, 2);
chart.height(2, 1);

if (time.length > 1) {
  worth.set(points(value));
  paid.set(points(paidIn));
  made.set(points(growth));
  fallen.set(points(fall));
  chart.marks(worth, flows.map(mark));
  chart.all();
} else {
  chart.message("No history in this period yet. The desk writes what its wallets are worth each hour, and fills in the days before.");
}
element.dataset.ready = "true";
