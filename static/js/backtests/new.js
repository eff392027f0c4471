// The form of a new run: the fields of a choice, the symbols of the venue, quick spans, ratios as percent, and the plan beside it.
const DAY_MS = 86_400_000;
let due = 0;

const form = () => document.getElementById("run-form");
const series = () => JSON.parse(document.getElementById("series").textContent);
const tickedSymbols = () => [...form().querySelectorAll("input[name=symbols]:checked:enabled")].map((box) => box.value);

function showChosen() {
  for (const field of form().querySelectorAll("[data-only-for]")) field.hidden = form().elements[field.dataset.chooser].value !== field.dataset.onlyFor;
}

function showSymbols() {
  const venue = form().elements.venue?.value;
  for (const label of form().querySelectorAll(".symbol")) {
    label.hidden = label.dataset.venue !== venue;
    label.querySelector("input").disabled = label.hidden;
  }
}

/** The stored series of the ticked symbols at the chosen venue. */
function tickedSeries() {
  const symbols = tickedSymbols();
  return series().filter((one) => one.venue === form().elements.venue?.value && symbols.includes(one.symbol));
}

function showIntervals() {
  const found = tickedSeries();
  const select = form().elements.interval;
  for (const option of select.options) {
    const fits = !found.length || tickedSymbols().every((symbol) => found.some((one) => one.symbol === symbol && one.makes.includes(option.value)));
    option.disabled = !fits;
  }
  if (select.selectedOptions[0]?.disabled) select.value = [...select.options].find((option) => !option.disabled)?.value ?? select.value;
}

function setSpan(days) {
  const found = tickedSeries();
  const { start, end } = form().elements;
  end.value = "";
  start.value = "";
  if (days !== "all" && found.length) {
    const last = Math.min(...found.map((one) => one.end));
    start.value = new Date(Math.max(Math.min(...found.map((one) => one.first)), last - days * DAY_MS)).toISOString().slice(0, 16);
  }
  plan();
}

function showPercents() {
  for (const output of form().querySelectorAll(".as-percent")) {
    const value = output.previousElementSibling.value;
    output.textContent = value === "" || Number.isNaN(Number(value)) ? "" : `= ${Number((100 * value).toFixed(4))} %`;
  }
}

function plan() {
  clearTimeout(due);
  due = setTimeout(() => window.htmx.trigger("#plan", "plan"), 250);
}

function settle() {
  showChosen();
  if (form().elements.venue) [showSymbols(), showIntervals()];
  showPercents();
}

document.addEventListener("input", ({ target }) => {
  if (!form().contains(target)) return;
  showPercents();
  if (target.name !== "name" && target.name !== "strategy") plan();
});
document.addEventListener("change", ({ target }) => form().contains(target) && settle());
document.addEventListener("click", ({ target }) => {
  const span = target.closest("[data-span]");
  if (span) setSpan(span.dataset.span);
  const link = target.closest(".problem-list a");
  // A link to a field in the folded part unfolds that part first.
  const aim = link && document.querySelector(link.hash);
  if (aim) {
    aim.closest("details")?.setAttribute("open", "");
    requestAnimationFrame(() => aim.focus());
  }
});
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  settle();
  if (detail.target.id === "strategy-part") plan();
  if (detail.elt.id === "run-form" || detail.target.id === "run-form") (form().querySelector("[aria-invalid=true]") ?? document.getElementById("problems"))?.focus();
});

settle();
