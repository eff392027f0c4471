// Prices and candles as they come: /ws/market/, thinned by the server to what a screen can show.
//
//   market.follow(symbols, callback)   callback(message) for each tick, candle and stream_status of these symbols ("BTC-USDT",
//                                      "binance:BTC-USDT"); several calls share one socket; with {books: true} their depth too
//   venueKey(payload)                  the venue as instruments and bots name it: binance, binance-sandbox
//   candleRow(payload)                 a pushed candle as charts take it
const RETRY_MS = [500, 1000, 2000, 5000, 10_000];
const SIGNED_OUT = 4401;
const wanted = new Set();
const books = new Set();
const callbacks = new Set();
let [socket, failures] = [null, 0];

export const venueKey = ({ venue, environment }) => (environment === "live" ? venue : `${venue}-${environment}`);

export function candleRow(candle) {
  const values = ["open", "high", "low", "close", "volume"].map((name) => [name, Number(candle[name])]);
  return { time: Math.floor(Date.parse(candle.time) / 1000), ...Object.fromEntries(values) };
}

function subscribe() {
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ action: "subscribe", symbols: [...wanted] }));
  if (books.size) socket.send(JSON.stringify({ action: "subscribe", symbols: [...books], books: true }));
}

function open() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/market/`);
  socket.addEventListener("open", () => {
    failures = 0;
    subscribe();
  });
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    for (const callback of callbacks) callback(message);
  });
  socket.addEventListener("close", ({ code }) => {
    if (code !== SIGNED_OUT) setTimeout(open, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
  });
}

export const market = {
  follow(symbols, callback, options = {}) {
    for (const symbol of symbols) wanted.add(symbol);
    if (options.books) for (const symbol of symbols) books.add(symbol);
    callbacks.add(callback);
    if (socket) subscribe();
    else open();
  },
};
