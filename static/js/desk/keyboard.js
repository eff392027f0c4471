// Keys: "/" searches, "g" and a letter go to a page, "?" lists all keys, "j" and "k" move through the rows of a table.
const search = document.getElementById("search-input");
const results = document.getElementById("search-results");
let going = false;

function typing(target) {
  return target.closest("input, textarea, select, [contenteditable]") && !target.matches("[type=checkbox], [type=radio], [type=button], [type=submit]");
}

function go(key) {
  const link = [...document.querySelectorAll("#shortcuts [data-key]")].find((item) => item.dataset.key === key);
  if (link) location.assign(link.href);
}

function step(by) {
  const rows = [...document.querySelectorAll("main tbody tr")].filter((row) => row.querySelector("a[href]") && row.offsetParent);
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement.closest("tr"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
  next.querySelector("a[href]").focus();
  next.scrollIntoView({ block: "nearest" });
}

const KEYS = {
  "/": () => search?.focus(),
  "?": () => document.getElementById("shortcuts")?.showModal(),
  j: () => step(1),
  k: () => step(-1),
  g: () => {
    going = true;
    setTimeout(() => (going = false), 1200);
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  if (going) {
    going = false;
    go(event.key);
    return;
  }
  if (KEYS[event.key]) {
    event.preventDefault();
    KEYS[event.key]();
  }
});

// Arrow keys move through what was found. Escape leaves the search.
document.getElementById("search")?.addEventListener("keydown", (event) => {
  const links = [...results.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  if (event.key === "ArrowDown" && links.length) links[Math.min(at + 1, links.length - 1)].focus();
  else if (event.key === "ArrowUp" && at >= 0) (links[at - 1] ?? search).focus();
  else if (event.key === "Escape") search.blur(), document.activeElement.blur();
  else if (event.key === "Enter" && event.target === search && links.length) links[0].click();
  else return;
  event.preventDefault();
});
