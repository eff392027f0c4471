// Keeps a page fresh: a WebSocket while there is one, polling while there is none, and the words for which of them.
//
//   follow(path, {message(kind, payload, seconds), poll(), active()})  -> stop()
//
// `poll` answers a promise. It is called every 2 s while the socket is down and every 30 s while it is up, only while `active()`.
const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000];
const POLL_DOWN_MS = 2000;
const POLL_UP_MS = 30_000;
const [SIGNED_OUT, UNKNOWN] = [4401, 4404];

function say(state, text) {
  document.dispatchEvent(new CustomEvent("desk:connection", { detail: { state, text } }));
}

export function follow(path, { message, poll, active }) {
  let [socket, up, failures, stopped, last] = [null, false, 0, false, Date.now()];

  function open() {
    if (stopped) return;
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
    socket.addEventListener("open", () => {
      [up, failures] = [true, 0];
      say("live", "Live (WebSocket)");
    });
    socket.addEventListener("message", ({ data }) => {
      const told = JSON.parse(data);
      message(told.type, told.payload, Date.parse(told.ts) / 1000);
    });
    socket.addEventListener("close", ({ code }) => {
      up = false;
      if (stopped || code === UNKNOWN) return;
      if (code === SIGNED_OUT) return location.reload();
      say("polling", "Live (polling)");
      setTimeout(open, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
    });
  }

  async function look() {
    if (stopped || document.hidden || !active() || Date.now() - last < (up ? POLL_UP_MS : POLL_DOWN_MS)) return;
    last = Date.now();
    try {
      await poll();
      if (!up && !stopped) say("polling", "Live (polling)");
    } catch {
      if (!up && !stopped) say("down", "Not connected, trying again");
    }
  }

  const timer = setInterval(look, 500);
  open();
  return () => {
    stopped = true;
    clearInterval(timer);
    socket?.close();
  };
}

/** The text of a part of the page, as htmx would fetch it, with the answer's headers. */
export async function part(url) {
  const answer = await fetch(url, { headers: { "HX-Request": "true" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return { text: await answer.text(), headers: answer.headers };
}
