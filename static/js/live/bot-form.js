// The form of a bot: the wallet decides the venue, and so the symbols and the modes to choose from.
const form = () => document.getElementById("run-form");

function settle() {
  const { wallet_id: wallet, venue, mode } = form().elements;
  const chosen = wallet?.selectedOptions[0];
  if (!chosen) return;
  const modes = chosen.dataset.modes.split(" ");
  for (const option of mode.options) option.disabled = !modes.includes(option.value);
  if (mode.selectedOptions[0]?.disabled) mode.value = modes.at(-1);
  venue.value = chosen.dataset.venue;
  // The script that it shares with the forms of backtests shows the fields of a choice.
  mode.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("change", ({ target }) => target.name === "wallet_id" && settle());
document.addEventListener("htmx:afterSettle", ({ target }) => target.id === "run-form" && settle());
if (form()) settle();
