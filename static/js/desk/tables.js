// Tables: rows that lead somewhere, sorting where all rows are on the page, and a remembered choice of columns.
//   <table data-sortable>            headers <th data-sort="number | text">; cells may give data-value
//   <table data-columns="key">       headers with data-column="name" can be hidden by the menu <div data-columns-for="key">
//   <tr class="leads">               a click anywhere follows the row's first link
document.addEventListener("click", (event) => {
  const row = event.target.closest("tr.leads");
  if (!row || event.target.closest("a, button, input, label, select, summary") || getSelection().toString()) return;
  const link = row.querySelector("a[href]");
  if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});

function value(row, index, kind) {
  const cell = row.cells[index];
  const text = cell?.dataset.value ?? cell?.textContent.trim() ?? "";
  if (kind !== "number") return text.toLowerCase();
  const found = Number.parseFloat(text.replaceAll(",", "").replace("−", "-"));
  return Number.isNaN(found) ? -Infinity : found;
}

function sort(table, header) {
  const index = [...header.parentElement.cells].indexOf(header);
  const kind = header.dataset.sort;
  const first = kind === "number" ? "descending" : "ascending";
  const other = first === "descending" ? "ascending" : "descending";
  const order = header.getAttribute("aria-sort") === first ? other : first;
  for (const cell of header.parentElement.cells) cell.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [value(row, index, kind), row]);
  rows.sort(([a], [b]) => (a < b ? -sign : a > b ? sign : 0));
  body.append(...rows.map(([, row]) => row));
}

function makeSortable(table) {
  for (const header of table.querySelectorAll("thead th[data-sort]")) {
    if (header.querySelector(".sort")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => sort(table, header));
  }
}

function hidden(key) {
  return new Set(JSON.parse(localStorage.getItem(`columns:${key}`) ?? "[]"));
}

function showColumns(table) {
  const off = hidden(table.dataset.columns);
  for (const header of table.querySelectorAll("thead th[data-column]")) {
    const index = [...header.parentElement.cells].indexOf(header);
    for (const row of table.rows) if (row.cells[index] && row.cells.length > 1) row.cells[index].hidden = off.has(header.dataset.column);
  }
}

function makeChoosable(table) {
  showColumns(table);
  const key = table.dataset.columns;
  const menu = document.querySelector(`[data-columns-for="${CSS.escape(key)}"]`);
  if (!menu || menu.childElementCount) return;
  for (const header of table.querySelectorAll("thead th[data-column]")) {
    const label = document.createElement("label");
    label.className = "menu-item";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = !hidden(key).has(header.dataset.column);
    box.addEventListener("change", () => {
      const off = hidden(key);
      if (box.checked) off.delete(header.dataset.column);
      else off.add(header.dataset.column);
      localStorage.setItem(`columns:${key}`, JSON.stringify([...off]));
      showColumns(document.querySelector(`table[data-columns="${CSS.escape(key)}"]`));
    });
    label.append(box, header.textContent.trim());
    menu.append(label);
  }
}

function prepare(root) {
  for (const table of root.querySelectorAll("table[data-sortable]")) makeSortable(table);
  for (const table of document.querySelectorAll("table[data-columns]")) makeChoosable(table);
}

prepare(document);
document.addEventListener("htmx:afterSettle", (event) => prepare(event.target.parentElement ?? document));
