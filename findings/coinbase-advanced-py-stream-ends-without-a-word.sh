#!/usr/bin/env bash
# coinbase-advanced-py 1.8.4: a polite close, or one error in on_message, ends the price stream for good and in silence.
#
# Done: WSClient (retry=True, the default) subscribed to ticker on a loopback venue that sends a price and then closes
# with 1011 (error), 1001 (going away, as at a restart) or 1000; and one that stays open and sends five prices, where
# on_message raises KeyError on the second. After each, three seconds of sleep_with_exception_check.
#
# Expected: a new connection, or an exception. The README: "The WebSocket client will automatically attempt to reconnect
# the WebSocket API if the connection is lost, and will resubscribe to any channels that were previously subscribed to";
# and of errors "on forced disconnects, or within logic in the message handler" that sleep_with_exception_check and
# run_forever_with_exception_check "allow you to catch these exceptions".
#
# Happens: only closes with an error code reconnect. After 1000 and 1001 the reading task ends: no reconnection, no
# exception, no on_close, the subscriptions still listed; run_forever_with_exception_check runs on forever with no
# prices. An exception of any type that the client does not know (KeyError, ValueError, Decimal's InvalidOperation) ends
# the same task, is stored nowhere, and the four prices after it are never read, though the connection is open. A desk
# goes on trading on its last price, and only the age of the price can tell.
#
# Seen (prices read of sent, connections, exception):
#   close 1011: 2 of 2, 2 connections, none
#   close 1001: 1 of 1, 1 connection, none
#   close 1000: 1 of 1, 1 connection, none
#   KeyError in on_message: 2 of 5, 1 connection, none
#
# Way round: catch everything in on_message yourself; watch heartbeats, and open a new client when they stop.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check coinbase-advanced-py==1.8.4 websockets==13.1 backoff==2.2.1
cd "$dir"
venv/bin/python - <<'PY'
import json
import logging
import threading
import time
import warnings

warnings.simplefilter("ignore")
from coinbase.websocket import WSClient, WSClientException
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

logging.disable(logging.CRITICAL)
plan, connections, sent = [], [], []


def venue(connection):
    connections.append(connection)
    prices, code = plan.pop(0)
    assert json.loads(connection.recv())["channel"] == "ticker"
    try:
        for _ in range(prices):
            sent.append(60000 + len(sent))
            connection.send(json.dumps({"channel": "ticker", "events": [{"tickers": [{"price": str(sent[-1])}]}]}))
        if code:
            time.sleep(0.5)                                     # the client is waiting for the next price
            connection.close(code)
        else:
            connection.recv()
    except ConnectionClosed:
        pass


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


server = serve(venue, "127.0.0.1", 0)
threading.Thread(target=server.serve_forever, daemon=True).start()
port = server.socket.getsockname()[1]


def streamed(*steps, fails_at=None):
    plan[:] = steps
    connections.clear()
    sent.clear()
    read, closed = [], []

    def on_message(message):
        read.append(json.loads(message)["events"][0]["tickers"][0]["price"])
        if len(read) == fails_at:
            raise KeyError("a field that this message does not have")

    client = WSClient(base_url=f"ws://127.0.0.1:{port}", on_message=on_message, on_close=lambda: closed.append(True))
    client.open()
    client.subscribe(["BTC-USD"], ["ticker"])
    raised = None
    try:
        client.sleep_with_exception_check(3)
    except WSClientException as error:
        raised = error
    subscribed = {channel: sorted(products) for channel, products in client.subscriptions.items()}
    ended = client._task.done()
    if fails_at or len(connections) > 1:
        client.close()
    return (len(read), len(sent)), len(connections), raised, subscribed == {"ticker": ["BTC-USD"]}, ended


what = "((read, sent), connections, exception, still subscribed, reader ended):"
expect(f"close 1011 {what}", streamed((1, 1011), (1, None)), ((2, 2), 2, None, True, False))
expect("close 1001:", streamed((1, 1001), (1, None)), ((1, 1), 1, None, True, True))
expect("close 1000:", streamed((1, 1000), (1, None)), ((1, 1), 1, None, True, True))
expect("KeyError on the second message:", streamed((5, None), fails_at=2), ((2, 5), 1, None, True, True))
server.shutdown()
PY
