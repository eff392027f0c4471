// Makes a part of the page equal to a fresh copy of it, touching only what differs: focus, scroll and selection stay.
//
//   patch(old, fresh, {keep})   matches children by their id or data-key, others by their place. A new row with a key gets the
//                               class "new", which announces it. With `keep`, new rows wait, and their number is returned.
//                               A row of the copy with `data-same` stands for the one that is there, which stays as it is.

const keyOf = (node) => (node.nodeType === Node.ELEMENT_NODE ? node.dataset.key || node.id || null : null);

// What a user, or another script, has changed since the page was drawn.
const OWN = (node, name) => (name === "open" && node.matches("dialog, details")) || (name === "class" && node.matches(".new"));

function attributes(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !OWN(old, name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

/** The child of `old` that corresponds to `child`, if there is one. */
function match(old, at, child, keyed) {
  const key = keyOf(child);
  if (key) return keyed.get(key);
  const here = old.childNodes[at];
  return here && !keyOf(here) && here.nodeName === child.nodeName ? here : undefined;
}

function place(old, at, node) {
  if (old.childNodes[at] !== node) old.insertBefore(node, old.childNodes[at] ?? null);
}

export function patch(old, fresh, options = {}) {
  if (old.isEqualNode(fresh)) return 0;
  attributes(old, fresh);
  const keyed = new Map([...old.children].filter(keyOf).map((child) => [keyOf(child), child]));
  const wasThere = keyed.size > 0;
  let [at, waiting] = [0, 0];
  for (const child of [...fresh.childNodes]) {
    const mine = match(old, at, child, keyed);
    if (!mine && options.keep && wasThere && child.dataset?.key) {
      waiting += 1;
      continue;
    }
    place(old, at, mine ?? importChild(child, wasThere));
    if (mine) waiting += settle(mine, child, options);
    at += 1;
  }
  while (old.childNodes.length > at) old.lastChild.remove();
  return waiting;
}

function importChild(child, wasThere) {
  const node = document.importNode(child, true);
  if (wasThere && node.dataset?.key) {
    node.classList.add("new");
    node.addEventListener("animationend", () => node.classList.remove("new"), { once: true });
  }
  return node;
}

function settle(mine, child, options) {
  if (mine.nodeType === Node.ELEMENT_NODE) return "same" in child.dataset ? 0 : patch(mine, child, options);
  if (mine.nodeValue !== child.nodeValue) mine.nodeValue = child.nodeValue;
  return 0;
}
