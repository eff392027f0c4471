// The page's connection to the running desk, /ws/live/.
//
//   feed.start(seq, parts)   opens it; `seq` is that of the newest event that the page was drawn with, `parts` the names of those that the
//                            server is to draw for us: they come as {type: "part", payload: {name, html, whole}}, whole at first, then
//                            when they change, without the rows that stay
//   feed.renew(parts)        asks for these parts whole
//   feed.listen(callback)    callback(message) for each message, once, in the order of `seq`; and {type: "open"} whenever the socket has
//                            opened, because a message that is no event is not sent again, {type: "closed"} when it has closed
//   feed.poll(callback)      calls callback(), which returns a promise, as `desk/line.js` says, and at once when the server cannot replay
//                            what was missed ("reset")
//   feed.look()              polls now
//
// `?since` asks for what was missed during a break.
import { follow } from "../desk/line.js";

const listeners = new Set();
const polls = new Set();
const parts = new Map(); // the newest of each, for those who listen later
let [line, seq] = [null, null];

function tell(message) {
  if (message.type === "open" || message.type === "closed") parts.clear();
  if (message.type === "part") parts.set(message.payload.name, message);
  for (const listener of listeners) listener(message);
}

function heard(message) {
  const numbered = message.seq !== null && message.seq !== undefined;
  if (message.type === "reset") {
    if (numbered) seq = message.seq;
    return line.look();
  }
  if (numbered) {
    if (seq !== null && message.seq <= seq) return undefined;
    seq = message.seq;
  }
  return tell(message);
}

function start(newest, names) {
  seq = newest;
  line = follow(() => `/ws/live/?${new URLSearchParams({ parts: names.join(","), ...(seq === null ? {} : { since: seq }) })}`, {
    opened: () => tell({ type: "open" }),
    closed: () => tell({ type: "closed" }),
    heard,
    poll: () => Promise.all([...polls].map((poll) => poll())),
    active: () => polls.size > 0,
  });
}

export const feed = {
  start,
  look: () => line?.look(),
  renew: (names) => line.send({ whole: names }),
  listen(callback) {
    listeners.add(callback);
    for (const message of parts.values()) callback(message);
  },
  poll: (callback) => polls.add(callback),
};
