#!/usr/bin/env bash
# pybit 5.17.0: the built-in wait after "too many visits" raises a bare ValueError once the limit has already reset.
#
# Done: a loopback venue refuses the first request with retCode 10006 and the header X-Bapi-Limit-Reset-Timestamp, and
# grants the second. The reset lies 1000 ms ahead of the desk's clock, then 100 ms and 2 s behind it.
#
# Expected: pybit waits if it must and asks again: 10006 is among its default retry_codes, max_retries is 3, and the log
# line says "Sleeping for ... Retrying...". At the worst one of pybit.exceptions. Bybit's rate limit page describes the
# header as the moment the limit resets, "otherwise, this is just the current timestamp". The window is one second, so
# a slow answer, or a clock a little ahead of the venue's, is enough for it to be in the past on arrival.
#
# Happens: the delay is reset minus now, and a negative one goes to time.sleep: "ValueError: sleep length must be
# non-negative". No retry takes place though the request would be granted at once, and `except FailedRequestError,
# InvalidRequestError`, which the package's pages teach, does not catch it: a loop that guards its orders so dies.
#
# Seen:
#   reset 1000 ms ahead: granted, 2 requests
#   reset 100 ms ago: ValueError, 1 request
#   reset 2 s ago: ValueError, 1 request
#
# Way round: retry_codes without 10006 (give the set explicitly) and an own wait, or catch ValueError too.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pybit==5.17.0
cd "$dir"
venv/bin/python - <<'PY'
import http.server
import json
import logging
import threading
import time

from pybit import exceptions
from pybit.unified_trading import HTTP

logging.basicConfig(level=logging.CRITICAL)
requests, shift = [], 0


class Venue(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        requests.append(self.path)
        refused = {"retCode": 10006, "retMsg": "Too many visits. Exceeded the API Rate Limit.", "result": {}}
        granted = {"retCode": 0, "retMsg": "OK", "result": {"list": []}}
        body = json.dumps(refused if len(requests) == 1 else granted).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Bapi-Limit-Reset-Timestamp", str(int(time.time() * 1000) + shift))
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
session = HTTP(api_key="key", api_secret="secret")
session.endpoint = f"http://127.0.0.1:{server.server_port}"
expect("10006 is retried by default, so often:", (10006 in session.retry_codes, session.max_retries), (True, 3))


def ask(milliseconds):
    global shift
    shift = milliseconds
    requests.clear()
    try:
        session.get_open_orders(category="linear", symbol="BTCUSDT")
        answer = "granted"
    except (exceptions.FailedRequestError, exceptions.InvalidRequestError):
        answer = "pybit's own exception"
    except ValueError as error:
        answer = f"ValueError: {error}"
    return answer, len(requests)


expect("reset 1000 ms ahead:", ask(1000), ("granted", 2))
expect("reset 100 ms ago:", ask(-100), ("ValueError: sleep length must be non-negative", 1))
expect("reset 2 s ago:", ask(-2000), ("ValueError: sleep length must be non-negative", 1))
PY
