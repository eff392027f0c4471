// What a wallet was worth, beside what was paid in: the steps that are kept, and what there is now.
import { Chart } from "../charts.js";

const element = document.getElementById("value-chart");
const chart = new Chart(element, { price: 2 });

async function load() {
  chart.message("Loading");
  try {
    const answer = await fetch(element.dataset.values);
    if (!answer.ok) throw new Error(String(answer.status));
    const { currency, rows } = await answer.json();
    chart.axis = currency;
    if (!rows.some(([, worth]) => worth !== null)) return chart.message("The history begins at the next full hour.");
    const point = (time, value) => (value === null ? { time } : { time, value });
    const value = chart.area("Value", { colour: "chart-1" });
    const paid = chart.line("Paid in", { colour: "chart-2", dashed: true, step: true });
    value.set([...rows.map(([time, worth]) => point(time, worth)), point(Math.floor(Date.now() / 1000), Number(element.dataset.now))]);
    paid.set(rows.map(([time, , amount]) => point(time, amount)));
    chart.all();
    chart.message("");
    element.dataset.ready = rows.length;
  } catch (error) {
    chart.message(`The history could not be loaded (${error.message}). Load the page again.`);
  }
}

load();
