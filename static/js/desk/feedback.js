// Toasts, the busy line, the text that describes the connection, and what to show when a request of htmx fails.
const region = document.getElementById("toasts");
const busy = document.getElementById("busy");
const STAY_MS = { ok: 6000, success: 6000, info: 6000 };
const WORDS = {
  400: "The server did not accept the request.",
  401: "You are signed out. Sign in again.",
  403: "You may not do this, or the page is too old. Load it again.",
  404: "This does not exist any more. Load the page again.",
  409: "Not possible in the present state. Load the page again.",
  413: "The file is too large.",
  429: "Too many requests. Wait a moment.",
  500: "The server failed. What you asked may not have been done; the fault is in its log.",
  502: "The server does not answer. It may be restarting.",
  503: "The server is not ready. It may be starting.",
};

function show(toast) {
  const kind = [...toast.classList].find((name) => name in STAY_MS);
  // A toast replaces one with the same text.
  for (const told of [...region.children]) if (told.textContent === toast.textContent) told.remove();
  region.append(toast);
  while (region.children.length > 5) region.firstElementChild.remove();
  if (kind) setTimeout(() => toast.remove(), STAY_MS[kind]);
}

function toast(text, kind = "info") {
  const box = document.createElement("div");
  box.className = `toast ${kind}`;
  box.setAttribute("role", kind === "bad" ? "alert" : "status");
  const words = document.createElement("div");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn quiet small";
  close.dataset.dismiss = "";
  close.textContent = "Dismiss";
  box.append(words, close);
  show(box);
}

function showRefusal(xhr) {
  const fragment = xhr.getResponseHeader("X-Fragment") && new DOMParser().parseFromString(xhr.responseText, "text/html");
  const told = fragment && fragment.querySelector(".toast");
  if (told) return show(document.adoptNode(told));
  const words = WORDS[xhr.status] ?? (xhr.status >= 500 ? WORDS[500] : WORDS[400]);
  return toast(`${words} (${xhr.status})`, "bad");
}

// How fresh the page is, and a warning while no prices come. A page without a connection does not know about prices.
const told = { page: { state: "", text: "" }, prices: "" };

function connection() {
  const slot = document.getElementById("connection");
  if (!slot) return;
  const { state, text } = told.prices && told.page.state !== "down" ? { state: "down", text: told.prices } : told.page;
  slot.hidden = !text;
  slot.dataset.state = state;
  if (slot.textContent !== text) slot.textContent = text;
}

let open = 0;
function working(step) {
  open = Math.max(0, open + step);
  busy?.classList.toggle("on", open > 0);
}

document.addEventListener("htmx:beforeRequest", () => working(1));
document.addEventListener("htmx:afterRequest", () => working(-1));
// When a part that refreshes itself fails, the top bar says so once, instead of a toast every few seconds.
const refreshes = (event) => event.target.matches?.("[data-live]");
let fresh = new Date();

document.addEventListener("htmx:responseError", (event) => refreshes(event) || showRefusal(event.detail.xhr));
document.addEventListener("htmx:sendError", (event) => refreshes(event) || toast("The server cannot be reached. Nothing was changed; try again.", "bad"));
document.addEventListener("htmx:timeout", (event) => refreshes(event) || toast("The server took too long to answer. Look again before you repeat it.", "bad"));
document.addEventListener("htmx:afterRequest", (event) => {
  if (!refreshes(event)) return;
  if (event.detail.successful) fresh = new Date();
  const since = fresh.toISOString().slice(11, 19);
  told.page = event.detail.successful ? { state: "polling", text: "Live (polling)" } : { state: "down", text: `Not connected, as of ${since} UTC` };
  connection();
});
document.addEventListener("htmx:swapError", () => toast("The answer could not be shown. Load the page again.", "bad"));

document.addEventListener("desk:toast", (event) => toast(event.detail.text, event.detail.kind));
document.addEventListener("desk:connection", ({ detail }) => {
  told.page = detail;
  connection();
});
document.addEventListener("desk:prices", ({ detail }) => {
  told.prices = detail;
  connection();
});
region?.addEventListener("click", (event) => {
  if (event.target.closest("[data-dismiss]")) event.target.closest(".toast").remove();
});
for (const told of region?.querySelectorAll(".toast.success, .toast.info") ?? []) setTimeout(() => told.remove(), STAY_MS.ok);
