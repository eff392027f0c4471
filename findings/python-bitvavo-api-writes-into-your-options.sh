#!/usr/bin/env bash
# python-bitvavo-api 1.4.3: calls write market, start and end into the caller's options, and the next call obeys them.
#
# Done: one dict of options, {"limit": 500}, handed to candles with a start and an end, then to candles of another
# market without them; another, empty, handed to getOrders of one market, then to ordersOpen and cancelOrders, which
# without a market are for all. Against a loopback venue that keeps the paths.
#
# Expected: the second call asks for what it says: the newest candles, the open orders of every market, the cancelling
# of every order. Comments above ordersOpen and cancelOrders call the market an option ("options: market"), so it may be
# left out, and an argument that is read is not written to.
#
# Happens: candles puts interval, start and end into the dict it was given, getOrders and trades put market there. The
# second candles request still has the first one's start and end: candles of January come back where the newest were
# asked for. And the kill switch, cancelOrders(options), cancels the orders of BTC-EUR only and leaves the others open.
# No error tells.
#
# Seen:
#   candles of ETH-EUR, no start: /ETH-EUR/candles?limit=500&interval=1h&start=1767225600000&end=1767232800000
#   ordersOpen: /ordersOpen?market=BTC-EUR; cancelOrders: DELETE /orders?market=BTC-EUR
#   with fresh options: /ETH-EUR/candles?limit=500&interval=1h; /ordersOpen; DELETE /orders
#
# Way round: a new dict for every call: dict(options).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check python-bitvavo-api==1.4.3
cd "$dir"
venv/bin/python - <<'PY'
import http.server
import threading
from datetime import datetime, timezone

from python_bitvavo_api.bitvavo import Bitvavo

asked = []


class Venue(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked.append((self.command, self.path))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    do_DELETE = do_GET

    def log_message(self, *args):
        pass


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Venue)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
venue = Bitvavo({"APIKEY": "key", "APISECRET": "secret", "RESTURL": url})
since, until = (datetime(2026, 1, 1, hour, tzinfo=timezone.utc) for hour in (0, 2))

options = {"limit": 500}
venue.candles("BTC-EUR", "1h", options, start=since, end=until)
venue.candles("ETH-EUR", "1h", options)
expect("candles of ETH-EUR, options used before:", asked[-1],
       ("GET", "/ETH-EUR/candles?limit=500&interval=1h&start=1767225600000&end=1767232800000"))
venue.candles("ETH-EUR", "1h", {"limit": 500})
expect("with fresh options:", asked[-1], ("GET", "/ETH-EUR/candles?limit=500&interval=1h"))

options = {}
venue.getOrders("BTC-EUR", options)
expect("the caller's options after getOrders:", options, {"market": "BTC-EUR"})
venue.ordersOpen(options)
expect("open orders of all markets:", asked[-1], ("GET", "/ordersOpen?market=BTC-EUR"))
venue.cancelOrders(options)
expect("cancel all orders:", asked[-1], ("DELETE", "/orders?market=BTC-EUR"))
venue.ordersOpen({})
venue.cancelOrders({})
expect("both with fresh options:", asked[-2:], [("GET", "/ordersOpen"), ("DELETE", "/orders")])
PY
