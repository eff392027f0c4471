// Keeps relative times right while the page is open.
const UNITS = [
  ["min", 60, 3600],
  ["h", 3600, 86400],
  ["d", 86400, 86400 * 30],
  ["mo", 86400 * 30.44, 86400 * 365],
  ["y", 86400 * 365.25, Infinity],
];

function relative(seconds) {
  const span = Math.abs(seconds);
  if (span < 45) return "just now";
  const [unit, length] = UNITS.find(([, , limit]) => span < limit);
  const count = Math.max(1, Math.round(span / length));
  return seconds > 0 ? `${count} ${unit} ago` : `in ${count} ${unit}`;
}

function refresh() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const text = relative((Date.now() - Date.parse(time.dateTime)) / 1000);
    if (time.textContent !== text) time.textContent = text;
  }
}

setInterval(refresh, 20_000);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
