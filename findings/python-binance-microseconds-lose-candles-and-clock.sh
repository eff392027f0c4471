#!/usr/bin/env bash
# python-binance 1.0.37 with time_unit="MICROSECOND": history comes back empty, and signed requests age a thousandfold.
#
# Done: Client and AsyncClient with their own argument time_unit, against a loopback venue that answers in the unit the
# header X-MBX-TIME-UNIT asks for and takes time stamps in either unit, as Binance's REST page says it does. 2,500
# one-minute candles are asked for by get_historical_klines with a start and an end; then AsyncClient signs a request
# at once and 3 s later.
#
# Expected: the same candles as in milliseconds, with microsecond stamps, and a time stamp that is now. The docstring:
# 'time_unit: Time unit to use for requests. Supported values: "MILLISECOND", "MICROSECOND"'.
#
# Happens: get_historical_klines compares the first candle's time (microseconds) with the end (milliseconds), finds
# the end in the past and returns [] - no error, and no candle was asked for but the very first. The generator too.
# AsyncClient.create() takes serverTime (microseconds) minus local milliseconds as its offset and later adds local
# MILLIseconds to it: the result looks like microseconds and is right at that instant, but each second adds only 1000
# to it. After recvWindow (10 s by default) every signed request of the process, orders included, is too old (-1021).
#
# Seen:
#   MILLISECOND: 2500 candles (generator 2500)
#   MICROSECOND: 0 candles (generator 0), no error
#   MICROSECOND without an end: 2500
#   stamp's age at once and after 3 s: MILLISECOND 0.0 0.0, MICROSECOND 0.0 3.0
#
# Way round: leave time_unit alone on clients that sign or fetch history.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check python-binance==1.0.37
cd "$dir"
venv/bin/python - <<'PY'
import asyncio
import http.server
import json
import threading
import time
from urllib.parse import parse_qsl, urlsplit

from binance import AsyncClient, Client

MINUTE, START, COUNT = 60_000, 1_767_225_600_000, 2_500      # 2026-01-01 00:00 UTC
signed = []


class Venue(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        query = dict(parse_qsl(url.query))
        unit = 1000 if self.headers.get("X-MBX-TIME-UNIT") == "MICROSECOND" else 1
        answer = {}
        if url.path.endswith("/time"):
            answer = {"serverTime": time.time_ns() // 1_000_000 * unit}
        elif url.path.endswith("/klines"):
            def given(name, default):
                value = int(query.get(name, default))
                return value // 1000 if value > 10**14 else value
            first, last = given("startTime", START), given("endTime", START + COUNT * MINUTE)
            opens = range(max(START, -(-first // MINUTE) * MINUTE), min(last + 1, START + COUNT * MINUTE), MINUTE)
            answer = [[at * unit, "1", "1", "1", "1", "1", (at + MINUTE) * unit - 1, "1", 1, "1", "1", "0"]
                      for at in opens[: int(query.get("limit", 500))]]
        elif "timestamp" in query:
            stamp = int(query["timestamp"])
            signed.append(time.time() - stamp / (1e6 if stamp > 10**14 else 1e3))
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
api = f"http://127.0.0.1:{server.server_port}/api"
Sync = type("Sync", (Client,), {"API_URL": api})
Async = type("Async", (AsyncClient,), {"API_URL": api})


def history(unit, end):
    client = Sync("key", "secret", time_unit=unit)
    asked = ("BTCUSDT", "1m", "2026-01-01 00:00 UTC", end)
    return len(client.get_historical_klines(*asked)), len(list(client.get_historical_klines_generator(*asked)))


END = "2026-01-02 17:40 UTC"                                  # the end of candle 2,500
expect("candles, MILLISECOND:", history("MILLISECOND", END), (2500, 2500))
expect("candles, MICROSECOND:", history("MICROSECOND", END), (0, 0))
expect("candles, MICROSECOND, no end:", history("MICROSECOND", None), (2500, 2500))


async def ages(unit):
    client = await Async.create("key", "secret", time_unit=unit)
    signed.clear()
    await client.get_account()
    await asyncio.sleep(3)
    await client.get_account()
    await client.close_connection()
    print(unit, "stamp's age in s:", [round(age, 1) for age in signed])
    return ["now" if age < 1.5 else "3 s old" for age in signed]


expect("stamps, MILLISECOND:", asyncio.run(ages("MILLISECOND")), ["now", "now"])
expect("stamps, MICROSECOND:", asyncio.run(ages("MICROSECOND")), ["now", "3 s old"])
PY
