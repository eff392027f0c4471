// Gives names to controls that Django's admin leaves without one, for people who use a screen reader.
function name() {
  for (const input of document.querySelectorAll(".vDateField, .vTimeField")) {
    const row = input.closest(".form-row, td")?.querySelector("label, legend")?.textContent.replace(":", "").trim() ?? "";
    if (!input.labels?.length) input.setAttribute("aria-label", `${row}, ${input.matches(".vDateField") ? "date" : "time"}`.replace(/^, /, ""));
  }
  for (const hint of document.querySelectorAll(".help-tooltip[aria-label]")) hint.setAttribute("role", "img");
}

name();
// Django's own scripts build their widgets once the page has loaded.
addEventListener("load", () => requestAnimationFrame(name));

// The periodic task's form says what its crontab means.
const crontabs = document.getElementById("readable-crontabs");
const crontab = document.getElementById("id_crontab");
if (crontabs && crontab) {
  const readable = JSON.parse(crontabs.textContent);
  const help = document.querySelector(".field-crontab .help > div, .field-crontab .help");
  const original = help?.textContent ?? "";
  const tell = () => {
    if (help) help.textContent = [original, readable[crontab.value]].filter(Boolean).join(" ");
  };
  crontab.addEventListener("change", tell);
  tell();
}
