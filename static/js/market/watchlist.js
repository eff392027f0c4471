// Shows the watchlist's prices as they change, and marks each change for a moment.
import { market } from "../live/market.js";

const root = document.getElementById("desk");
const row = (name) => root.querySelector(`[data-tick="${CSS.escape(name)}"]`);

/** Decimals by the size of the price, as the server writes it. */
function written(text) {
  const value = Number(text);
  const places = Math.abs(value) >= 100 ? 2 : Math.abs(value) >= 1 ? 4 : 8;
  return value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
}

function put(cell, text) {
  if (!cell || cell.textContent === text) return;
  const rose = Number(text.replaceAll(",", "")) > Number(cell.textContent.replaceAll(",", ""));
  cell.textContent = text;
  cell.classList.remove("told-up", "told-down");
  if (cell.dataset.field === "price") requestAnimationFrame(() => cell.classList.add(rose ? "told-up" : "told-down"));
}

function onMessage({ type, payload }) {
  if (type !== "tick") return;
  const place = row([payload.venue, payload.environment, payload.symbol].join(":"));
  if (!place) return;
  for (const name of ["price", "bid", "ask"]) if (payload[name]) put(place.querySelector(`[data-field=${name}]`), written(payload[name]));
  const time = place.querySelector("[data-field=time] time");
  if (time) [time.dateTime, time.textContent] = [payload.time, "just now"];
}

market.follow([...root.querySelectorAll("[data-tick]")].map((one) => one.dataset.tick), onMessage);
