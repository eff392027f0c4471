// The page's one line to the desk: a WebSocket while there is one, polling beside it, and true words for how fresh the page is.
//
//   feed.listen(callback)    callback(message) for each message of /ws/live/, once, in the order of `seq`; and {type: "open"} whenever
//                            the socket has opened, as what is no event is not told again
//   feed.poll(callback)      callback() answers a promise; every 30 s while the socket is up, every 3 s while it is not, and at once
//                            when what was missed cannot be replayed ("reset")
//   feed.look()              polls now
//
// A socket that is open but dead is found by its poll: one that fails closes it. `?since` asks for what a break has missed.
const RETRY_MS = [500, 1000, 2000, 5000, 10_000];
const POLL_UP_MS = 30_000;
const POLL_DOWN_MS = 3000;
const SIGNED_OUT = 4401;
// Pages that say by themselves how fresh they are.
const OWN_VOICE = "[data-live], [data-active]";

const listeners = new Set();
const polls = new Set();
const state = { socket: null, up: false, tried: false, failures: 0, seq: null, asked: Date.now(), reached: Date.now(), failed: false };

const clock = (ms) => new Date(ms).toISOString().slice(11, 19);

function words() {
  if (state.failed && !state.up) return ["down", `Stale, as of ${clock(state.reached)} UTC`];
  return state.up ? ["live", "Live (WebSocket)"] : ["polling", "Live (polling)"];
}

function say() {
  if (!state.tried || document.querySelector(OWN_VOICE)) return;
  const [kind, text] = words();
  document.documentElement.dataset.feed = kind;
  document.dispatchEvent(new CustomEvent("desk:connection", { detail: { state: kind, text } }));
}

function open() {
  const since = state.seq === null ? "" : `?since=${state.seq}`;
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live/${since}`);
  state.socket = socket;
  socket.addEventListener("open", () => {
    Object.assign(state, { up: true, tried: true, failures: 0, failed: false, reached: Date.now() });
    say();
    tell({ type: "open" });
  });
  socket.addEventListener("message", ({ data }) => heard(JSON.parse(data)));
  socket.addEventListener("close", ({ code }) => {
    Object.assign(state, { up: false, tried: true });
    if (code === SIGNED_OUT) return location.reload();
    say();
    setTimeout(open, RETRY_MS[Math.min(state.failures++, RETRY_MS.length - 1)]);
  });
}

function heard(message) {
  state.reached = Date.now();
  if (message.type === "reset") return reset(message);
  if (message.seq !== null && message.seq !== undefined) {
    if (state.seq !== null && message.seq <= state.seq) return undefined;
    state.seq = message.seq;
  }
  return tell(message);
}

function tell(message) {
  for (const listener of listeners) listener(message);
}

function reset({ seq }) {
  if (seq !== null && seq !== undefined) state.seq = seq;
  return look();
}

async function look() {
  state.asked = Date.now();
  try {
    await Promise.all([...polls].map((poll) => poll()));
    Object.assign(state, { failed: false, reached: Date.now() });
  } catch {
    state.failed = true;
    state.socket.close();
  }
  say();
}

function due() {
  return !document.hidden && polls.size > 0 && Date.now() - state.asked >= (state.up ? POLL_UP_MS : POLL_DOWN_MS);
}

/** `seq`: of the newest event that the page was drawn with. */
function start(seq) {
  state.seq = seq;
  open();
  setInterval(() => (due() ? look() : say()), 500);
}

export const feed = {
  start,
  look,
  listen: (callback) => listeners.add(callback),
  poll: (callback) => polls.add(callback),
};
