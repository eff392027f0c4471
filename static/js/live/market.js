// Prices and candles as they happen, from /ws/market/. The server thins them to what a screen can show.
//
//   market.follow(symbols, callback)   callback(message) for each tick, candle and stream_status of these symbols ("BTC-USDT",
//                                      "binance:BTC-USDT"); several calls share one socket; {books: true} adds the depth of their books
//   venueKey(payload)                  the venue as instruments and bots name it: binance, binance-sandbox
//   candleRow(payload)                 a pushed candle as charts take it
import { connect } from "../desk/line.js";

const wanted = new Set();
const books = new Set();
const callbacks = new Set();
let socket = null;

export const venueKey = ({ venue, environment }) => (environment === "live" ? venue : `${venue}-${environment}`);

export function candleRow(candle) {
  const values = ["open", "high", "low", "close", "volume"].map((name) => [name, Number(candle[name])]);
  return { time: Math.floor(Date.parse(candle.time) / 1000), ...Object.fromEntries(values) };
}

function subscribe() {
  socket.send({ action: "subscribe", symbols: [...wanted] });
  if (books.size) socket.send({ action: "subscribe", symbols: [...books], books: true });
}

function heard(message) {
  for (const callback of callbacks) callback(message);
}

export const market = {
  follow(symbols, callback, options = {}) {
    for (const symbol of symbols) wanted.add(symbol);
    if (options.books) for (const symbol of symbols) books.add(symbol);
    callbacks.add(callback);
    if (socket) subscribe();
    else socket = connect("/ws/market/", { opened: subscribe, heard });
  },
};
