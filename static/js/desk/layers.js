// What lies over the page: dialogs, menus and definitions.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.dialog);
    document.querySelector("[popover]:popover-open")?.hidePopover();
    dialog?.showModal();
    return;
  }
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
  // A click beside the dialog hits its backdrop, which is the element itself.
  if (event.target.matches("dialog.dialog") && outside(event)) event.target.close();
});

function outside({ target, clientX, clientY }) {
  const box = target.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

let shown = null;

function showTip(button) {
  const tip = document.getElementById(button.dataset.tip);
  if (!tip || tip === shown) return;
  hideTip();
  tip.showPopover();
  shown = tip;
  const at = button.getBoundingClientRect();
  const left = Math.min(Math.max(8, at.left), innerWidth - tip.offsetWidth - 8);
  const below = at.bottom + 6 + tip.offsetHeight < innerHeight;
  tip.style.left = `${left}px`;
  tip.style.top = `${below ? at.bottom + 6 : at.top - tip.offsetHeight - 6}px`;
}

function hideTip() {
  if (shown?.isConnected) shown.hidePopover();
  shown = null;
}

function near(node) {
  return node instanceof Element && (node.closest("[data-tip]") || node.closest(".tip"));
}

document.addEventListener("pointerover", (event) => {
  const term = event.target instanceof Element && event.target.closest("[data-tip]");
  if (term) showTip(term);
  else if (shown && !near(event.target) && !near(document.activeElement)) hideTip();
});
document.addEventListener("focusin", (event) => {
  const term = event.target.closest("[data-tip]");
  if (term) showTip(term);
  else hideTip();
});
document.addEventListener("focusout", (event) => event.target.closest("[data-tip]") && hideTip());
document.addEventListener("click", (event) => {
  const term = event.target.closest("[data-tip]");
  if (term) showTip(term);
});
document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
document.addEventListener("scroll", hideTip, { capture: true, passive: true });

// A menu opens under its button, inside the window.
document.addEventListener(
  "toggle",
  (event) => {
    if (event.newState !== "open" || !event.target.matches?.(".menu")) return;
    const at = document.querySelector(`[popovertarget="${CSS.escape(event.target.id)}"]`).getBoundingClientRect();
    const left = Math.max(8, Math.min(at.right - event.target.offsetWidth, innerWidth - event.target.offsetWidth - 8));
    event.target.style.left = `${left}px`;
    event.target.style.top = `${at.bottom + 6}px`;
  },
  true,
);
