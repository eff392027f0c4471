// system -> light -> dark. The cookie lets the server paint the right theme before any script runs.
const ORDER = ["system", "light", "dark"];
const root = document.documentElement;
const button = document.getElementById("theme");

function apply(theme) {
  if (theme === "system") root.removeAttribute("data-theme");
  else root.dataset.theme = theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  if (button) {
    button.dataset.themeNow = theme;
    button.setAttribute("aria-label", `Theme: ${theme}. Switch`);
    for (const icon of button.querySelectorAll("[data-theme-icon]")) icon.hidden = icon.dataset.themeIcon !== theme;
  }
  announce();
}

function announce() {
  document.dispatchEvent(new CustomEvent("desk:theme"));
}

button?.addEventListener("click", () => {
  apply(ORDER[(ORDER.indexOf(button.dataset.themeNow) + 1) % ORDER.length]);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", announce);
