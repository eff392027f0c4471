// Shows the depth of a symbol's book as it changes. A bar behind each quantity shows how much waits up to that price.
import { market } from "../live/market.js";

const place = document.getElementById("book");
const OLD_MS = 60_000;
// By this browser's clock, computed from its age by the server's clock.
let heardAt = Date.now() - 1000 * Number(place.dataset.age);
let { time } = place.dataset;

const field = (name) => place.querySelector(`[data-field=${name}]`);
const symbol = place.dataset.name.split(":").at(-1);

function cell(row, at, text, share = null) {
  const found = row.cells[at];
  if (found.textContent !== text) found.textContent = text;
  if (share !== null) found.style.setProperty("--share", `${(share * 100).toFixed(1)}%`);
}

/** For each level, the share of the side's quantity that waits at its price or a better one. */
function shares(levels) {
  const total = levels.reduce((sum, [, quantity]) => sum + Number(quantity), 0) || 1;
  let sum = 0;
  return levels.map(([, quantity]) => (sum += Number(quantity)) / total);
}

function rowsFor(count) {
  const body = place.querySelector("tbody");
  while (body.rows.length > count) body.deleteRow(-1);
  while (body.rows.length < count) {
    const row = body.insertRow();
    for (const name of ["num bid", "num up", "num down", "num ask"]) row.insertCell().className = name;
  }
  return body.rows;
}

function draw({ bids, asks }) {
  const rows = rowsFor(Math.max(bids.length, asks.length));
  const [bidShares, askShares] = [shares(bids), shares(asks)];
  [...rows].forEach((row, at) => {
    cell(row, 0, bids[at]?.[1] ?? "", bidShares[at] ?? 0);
    cell(row, 1, bids[at]?.[0] ?? "");
    cell(row, 2, asks[at]?.[0] ?? "");
    cell(row, 3, asks[at]?.[1] ?? "", askShares[at] ?? 0);
  });
  const [bid, ask] = [Number(bids[0]?.[0]), Number(asks[0]?.[0])];
  field("spread").textContent = bid && ask ? `Spread ${(((ask - bid) / ((ask + bid) / 2)) * 10_000).toFixed(2)} bps.` : "One side of the book is empty.";
}

market.follow(
  [place.dataset.name],
  ({ type, payload }) => {
    if (type !== "depth" || payload.symbol !== symbol) return;
    heardAt = Date.now();
    ({ time } = payload);
    field("state").textContent = "live";
    draw(payload);
  },
  { books: true },
);

setInterval(() => {
  if (Date.now() - heardAt > OLD_MS) field("state").textContent = `as of ${time.slice(11, 19)} UTC, old`;
}, 5000);
