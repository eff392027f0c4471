#!/usr/bin/env bash
# python-kraken-sdk 3.5.1: create_order(truncate=True) orders less than asked, and refuses every price below 0.5.
#
# Done: against a loopback venue that lists a pair as Kraken does (lot_decimals 8, ordermin "0.29", costmin "0.5"),
# a limit order of volume "0.29", and Trade.truncate on other amounts that already have the allowed places.
#
# Expected: an amount that already has at most 8 places stays as it is. The docstring: truncate "converts an amount ...
# to a string that uses the correct number of decimal places", takes "Decimal | float | str", and its example keeps 0.1
# as 0.10000000. costmin is the least cost of an order, price times volume in the quote currency; it says nothing of
# the price alone.
#
# Happens: the amount, text or Decimal as it may be, becomes a float, is multiplied by 10**8 and floored; where the
# product falls just under the whole number, the last place is lost. "0.29" goes out as 0.28999999, here under the
# pair's least order; 8.2 as 8.19999999. And a price is compared with costmin alone: 0.25 USD for a coin at a quarter
# dollar is "less than the costmin: 0.5", whatever the volume.
#
# Seen:
#   on the wire: volume=0.28999999
#   of the 1972 amounts 0.29 .. 20.00 in steps of 0.01, 150 lose their last place, among them 0.57 0.58 1.13 2.3 8.2
#   price 0.25: ValueError Price is less than the costmin: 0.5!
#
# Way round: quantize with Decimal against lot_decimals and pair_decimals, send text, leave truncate off.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check python-kraken-sdk==3.5.1
cd "$dir"
venv/bin/python - <<'PY'
import http.server
import json
import threading
from decimal import Decimal as D
from urllib.parse import parse_qs

from kraken.spot import Market, Trade

PAIR = {"altname": "XBTUSD", "pair_decimals": 1, "lot_decimals": 8, "ordermin": "0.29", "costmin": "0.5"}
orders = []


class Venue(http.server.BaseHTTPRequestHandler):
    def answer(self, result):
        body = json.dumps({"error": [], "result": result}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer({"XXBTZUSD": PAIR})

    def do_POST(self):
        orders.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        self.answer({"descr": {}, "txid": ["T"]})

    def log_message(self, *args):
        pass


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Venue)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"
trade = Trade(key="k", secret="c2VjcmV0", url=url)
trade._Trade__market = Market(url=url)       # else the pair is asked of the real venue, whatever url says

trade.create_order(ordertype="limit", side="buy", pair="XBTUSD", volume="0.29", price="60000.1", truncate=True)
expect("on the wire:", orders[-1]["volume"], ["0.28999999"])
expect("under the least order:", D(orders[-1]["volume"][0]) < D(PAIR["ordermin"]), True)

fine = [D(cents) / 100 for cents in range(29, 2001)]
short = [amount for amount in fine if D(trade.truncate(amount, "volume", "XBTUSD")) < amount]
expect("amounts, and those that lose a place:", (len(fine), len(short)), (1972, 150))
for amount, sent in (("0.57", "0.56999999"), ("2.3", "2.29999999"), ("8.2", "8.19999999")):
    expect(f"{amount} becomes", trade.truncate(amount, "volume", "XBTUSD"), sent)
try:
    trade.truncate("0.25", "price", "XBTUSD")
    answer = "accepted"
except ValueError as error:
    answer = str(error)
expect("price 0.25:", answer, "Price is less than the costmin: 0.5!")
PY
