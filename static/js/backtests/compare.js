// Equity of several runs on one axis, as percent of each run's cash or as amounts, with the drawdowns below.
import { Chart, fromScript } from "../charts.js";

const COLOURS = ["chart-1", "chart-2", "chart-3", "chart-4", "chart-5", "chart-6", "chart-muted", "ink"];
const element = document.getElementById("chart");
const curves = fromScript("curves");
const time = curves.time.map((text) => Date.parse(text) / 1000);
const points = (values, scaled) => values.map((value, i) => (value === null ? { time: time[i] } : { time: time[i], value: scaled(Number(value)) }));

let scale = "normalised";
const chart = new Chart(element);
const lines = curves.names.map((name, i) => chart.line(`Run ${name}`, { colour: COLOURS[i], price: 2, dashed: i > 3, width: 2 }));
const falls = curves.names.map((name, i) => chart.line(`Drawdown ${name}`, { colour: COLOURS[i], pane: 1, percent: true, dashed: i > 3, width: 1, legend: false }));
chart.height(0, 3);
chart.height(1, 1);

function draw() {
  chart.axis = scale === "normalised" ? "Return, %" : "Equity, in each run’s currency";
  lines.forEach((line, i) => line.set(points(curves[scale][i], scale === "normalised" ? (value) => 100 * (value - 1) : (value) => value)));
  falls.forEach((fall, i) => fall.set(points(curves.drawdown[i], (value) => value)));
  element.dataset.ready = scale;
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-scale]");
  if (!button) return;
  for (const other of button.parentElement.children) other.setAttribute("aria-pressed", String(other === button));
  scale = button.dataset.scale;
  draw();
});

draw();
chart.all();
