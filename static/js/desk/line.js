// A page's connections to the desk: sockets that reopen after a break, polling beside them, and a text that says how fresh the page is.
//
//   connect(path, {opened, heard, closed})        keeps one socket open. `path` is text, or a function that is called at each opening;
//                                                 heard(message) gets each message -> {send(object), cut(), stop()}
//   follow(path, {..., poll, active})             the same with poll() beside it, which returns a promise: it is called every 30 s while
//                                                 the socket is up, else every 3 s, and only while active() -> {send(object), look(), stop()}
//   part(url)                                     a part of the page, as htmx would fetch it -> {text, headers}
//
// A poll that fails cuts the socket, which finds one that is open but dead. Of several connections, the one that was opened last says how
// fresh the page is. A page that htmx polls ([data-live]) says so itself.
const RETRY_MS = [500, 1000, 2000, 5000, 10_000];
const POLL_UP_MS = 30_000;
const POLL_DOWN_MS = 3000;
const [SIGNED_OUT, UNKNOWN] = [4401, 4404];

const lines = [];
const clock = (ms) => new Date(ms).toISOString().slice(11, 19);

export function connect(path, { opened, heard, closed }) {
  let [socket, failures, stopped] = [null, 0, false];

  function open() {
    if (stopped) return;
    const address = typeof path === "function" ? path() : path;
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${address}`);
    socket.addEventListener("open", () => {
      failures = 0;
      opened?.();
    });
    socket.addEventListener("message", ({ data }) => heard(JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => {
      if (stopped) return;
      if (code === SIGNED_OUT) return location.reload();
      closed?.();
      if (code !== UNKNOWN) setTimeout(open, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
    });
  }

  open();
  return {
    send: (request) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(request)),
    cut: () => socket.close(),
    stop() {
      stopped = true;
      socket.close();
    },
  };
}

function words({ up, failed, reached }) {
  if (failed && !up) return ["down", `Stale, as of ${clock(reached)} UTC`];
  return up ? ["live", "Live (WebSocket)"] : ["polling", "Live (polling)"];
}

function say() {
  if (document.querySelector("[data-live]")) return;
  const line = lines.at(-1);
  if (line && !line.tried) return;
  const [state, text] = line ? words(line) : ["", ""];
  document.dispatchEvent(new CustomEvent("desk:connection", { detail: { state, text } }));
}

export function follow(path, { opened, heard, closed, poll, active }) {
  const line = { up: false, tried: false, failed: false, asked: Date.now(), reached: Date.now() };
  lines.push(line);
  const socket = connect(path, {
    opened() {
      Object.assign(line, { up: true, tried: true, failed: false, reached: Date.now() });
      say();
      opened?.();
    },
    heard(message) {
      line.reached = Date.now();
      heard(message);
    },
    closed() {
      Object.assign(line, { up: false, tried: true });
      say();
      closed?.();
    },
  });

  async function look() {
    line.asked = Date.now();
    try {
      await poll();
      Object.assign(line, { failed: false, reached: Date.now() });
    } catch {
      line.failed = true;
      socket.cut();
    }
    if (lines.includes(line)) say();
  }

  const due = () => !document.hidden && active() && Date.now() - line.asked >= (line.up ? POLL_UP_MS : POLL_DOWN_MS);
  const timer = setInterval(() => (due() ? look() : say()), 500);
  return {
    look,
    send: socket.send,
    stop() {
      clearInterval(timer);
      lines.splice(lines.indexOf(line), 1);
      socket.stop();
      say();
    },
  };
}

export async function part(url) {
  const answer = await fetch(url, { headers: { "HX-Request": "true" } });
  if (answer.status === 401) location.reload();
  if (!answer.ok) throw new Error(String(answer.status));
  return { text: await answer.text(), headers: answer.headers };
}
