#!/usr/bin/env bash
# influxdb-client 1.50.0 (influxdb3-python 0.21.0 too): one time stamp in eight is written a millisecond early.
#
# Done: a thousand trades of one market, one a millisecond, written with write_precision=MS to a loopback server, as
# Points with datetimes and as a pandas 3.1.1 frame. Then Points of the successor, influxdb3-python, the same way.
#
# Expected: the thousand moments. They are whole milliseconds, the precision asked for is milliseconds, so nothing has
# to be rounded. The docstring of Point.time: "Specify timestamp for DataPoint with declared precision". In nanoseconds
# all are right, and whole numbers given for the time are passed on unchanged.
#
# Happens: nanoseconds since 1970, which no longer fit a float, are divided by 1e6 as floats and cut with int(): where
# the quotient falls just under the whole number, the time is one millisecond early. 12:00:00.130 becomes .129, and
# every eighth after it. InfluxDB tells points by measurement, tags and time: the trade at .130 then overwrites the one
# at .129. Of 1000 trades 875 remain, without an error from either side, and sums of volume are an eighth short.
# With microseconds (/ 1e3) 16 of 1000 are hit.
#
# Seen:
#   MS: 1000 points sent, 125 early by 1, 875 different moments: Points and frame, and influxdb3 Points
#   US: 1000 points sent, 16 early by 1, 984 different moments
#   NS: none
#
# Way round: leave the precision at nanoseconds, or hand over whole numbers: time.value // 10**6.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check influxdb-client==1.50.0 \
    influxdb3-python==0.21.0 pandas==3.1.1
cd "$dir"
venv/bin/python - <<'PY'
import http.server
import threading

import influxdb_client
import influxdb_client_3
import pandas as pd
from influxdb_client.client.write_api import SYNCHRONOUS

lines = []


class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        lines.extend(self.rfile.read(int(self.headers["Content-Length"])).decode().splitlines())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = influxdb_client.InfluxDBClient(url=f"http://127.0.0.1:{server.server_port}", token="token", org="desk")
api = client.write_api(write_options=SYNCHRONOUS)
NANOSECONDS = {"ms": 10**6, "us": 10**3, "ns": 1}


def moments(unit):
    step = "us" if unit == "us" else "ms"
    return pd.date_range("2026-01-01 12:00:00.123", periods=1000, freq=step, tz="UTC")


def told(unit):
    """How many points arrived, how many of them early and by how much, how many different moments are left."""
    wanted = [time.value // NANOSECONDS[unit] for time in moments(unit)]
    seen = [int(line.split()[-1]) for line in lines]
    early = [want - have for want, have in zip(wanted, seen) if want != have]
    return len(seen), len(early), sorted(set(early)), len(set(seen))


def points(module, unit):
    return [module.Point("trade").tag("market", "BTC-USD").field("amount", 0.5).time(time.to_pydatetime(), unit)
            for time in moments(unit)]


def written(unit, record, **more):
    lines.clear()
    api.write("bucket", "desk", record, write_precision=unit, **more)
    return told(unit)


expect("MS, Points: sent, early, by, moments:", written("ms", points(influxdb_client, "ms")), (1000, 125, [1], 875))
expect("first of them:", next((str(time.time()), int(line.split()[-1]) % 60_000)
                              for time, line in zip(moments("ms"), lines)
                              if time.value // 10**6 != int(line.split()[-1])), ("12:00:00.130000", 129))
frame = pd.DataFrame({"amount": 0.5}, index=moments("ms"))
expect("MS, frame:", written("ms", frame, data_frame_measurement_name="trade"), (1000, 125, [1], 875))
expect("US, Points:", written("us", points(influxdb_client, "us")), (1000, 16, [1], 984))
expect("NS, Points:", written("ns", points(influxdb_client, "ns")), (1000, 0, [], 1000))

lines[:] = [point.to_line_protocol() for point in points(influxdb_client_3, "ms")]
expect("MS, Points of influxdb3-python:", told("ms"), (1000, 125, [1], 875))

whole = [influxdb_client.Point("trade").field("amount", 0.5).time(time.value // 10**6, "ms") for time in moments("ms")]
expect("MS, whole numbers:", written("ms", whole), (1000, 0, [], 1000))
PY
