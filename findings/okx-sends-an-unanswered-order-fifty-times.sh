#!/usr/bin/env bash
# okx 2.1.2: an order whose outcome is unknown is sent again, by default up to fifty times in five seconds.
#
# Done: trade.set_order for a market order of 0.5 BTC, all defaults, against a loopback venue that books every order it
# reads. It then answers code 50004 three times, or hangs up before its answer three times, and "filled" after that;
# and one that always answers 50004.
#
# Expected: one order. OKX lists 50004 as a time-out at the venue that "does not mean that the request was successful
# or failed, please check the request result", and a comment in the package says the same in Chinese next to the list
# of codes to repeat. A connection that ends without an answer says no more. Reading may be repeated; a POST that buys
# may not, and the README and the docstring of set_order say nothing of it.
#
# Happens: one wrapper repeats all requests alike, GET and POST, on 50001, 50004, 50011, 50013, 50026 and on every
# requests.ConnectionError, 50 times (retry_num) at intervals of 0.1 s. Each is signed anew with a fresh time, so none
# is recognised as a repetition, and clOrdId, which would let the venue refuse the second, is '' by default. The caller
# sees one answer: one order id of four. Positions are four times, at the worst fifty times, what was asked for.
#
# Seen:
#   50004 three times, then filled:   4 orders of 0.5, answer: order 4
#   hung up three times, then filled: 4 orders of 0.5, answer: order 4
#   50004 always:                     50 orders of 0.5, answer: 50004
#   with clOrdId: the same requests, with one clOrdId
#
# Way round: API(..., retry_num=1), or a clOrdId of your own on every order.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check okx==2.1.2 requests==2.32.5
cd "$dir"
venv/bin/python - <<'PY'
import http.server
import json
import threading
import warnings

warnings.simplefilter("ignore")
from okx.api import API

booked, script = [], []


class Venue(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        booked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        step = script.pop(0) if len(script) > 1 else script[0]
        if step == "hang up":
            self.close_connection = True
            return
        answer = {"code": "50004", "msg": "API endpoint request timeout", "data": []}
        if step == "filled":
            answer = {"code": "0", "msg": "", "data": [{"ordId": str(len(booked)), "sCode": "0"}]}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Venue)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_port}"


def order(*steps, retries={}, **more):
    booked.clear()
    script[:] = steps
    trade = API(key="key", secret="secret", passphrase="phrase", proxy_host=url, **retries).trade
    answer = trade.set_order(instId="BTC-USDT", tdMode="cash", side="buy", ordType="market", sz="0.5",
                             tgtCcy="base_ccy", **more)
    return len(booked), {body["sz"] for body in booked}, (answer["data"] or [answer])[0].get("ordId", answer["code"])


defaults = API(key="key", secret="secret", passphrase="phrase").trade
expect("retry_num and retry_delay by default:", (defaults.retry_num, defaults.retry_delay), (50, 0.1))
expect("50004 three times (orders, sizes, answer):", order("50004", "50004", "50004", "filled"), (4, {"0.5"}, "4"))
expect("hung up three times:", order("hang up", "hang up", "hang up", "filled"), (4, {"0.5"}, "4"))
expect("50004 always:", order("50004", retries={"retry_delay": 0}), (50, {"0.5"}, "50004"))
expect("with a clOrdId:", order("50004", "filled", clOrdId="a1"), (2, {"0.5"}, "2"))
expect("the same on both:", {body["clOrdId"] for body in booked}, {"a1"})
expect("with retry_num=1:", order("50004", "filled", retries={"retry_num": 1}), (1, {"0.5"}, "50004"))
PY
