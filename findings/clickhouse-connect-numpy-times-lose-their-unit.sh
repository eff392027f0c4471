#!/usr/bin/env bash
# clickhouse-connect 1.12.0: times in a numpy array are written as bare counts, whatever unit the column counts in.
#
# Done: two candles of 2026-01-01 as a numpy structured array with a datetime64 field, in seconds, milliseconds,
# microseconds and nanoseconds, inserted by Client.insert into DateTime64(3) and DateTime64(6) columns of a loopback
# server that keeps the bytes; the same rows as a pandas frame by insert_df.
#
# Expected: the same moments. A datetime64 array carries its unit in its dtype, the column's precision is known to the
# client, and numpy arrays are among the types that the package's page lists as supported. insert_df converts, for the
# same arrays and columns.
#
# Happens: the integers behind the array are sent as they are. Right only where the unit happens to be the column's:
# milliseconds in a DateTime64(6) are stored as microseconds, 1970-01-21 instead of 2026-01-01; seconds land in 1970
# in both; microseconds in DateTime64(3) land some 56,000 years ahead, out of the type's range. No error, no warning. A
# table read by query_np comes in the unit of its own column, so copying trades to a table of other precision is enough.
#
# Seen (2026-01-01 00:00 as the server reads it, from numpy and from pandas):
#   ms into DateTime64(3): 2026-01-01, 2026-01-01
#   ms into DateTime64(6): 1970-01-21 10:53:45.600000, 2026-01-01
#   s  into DateTime64(3): 1970-01-21 10:53:45.600000, 2026-01-01
#   s  into DateTime64(6): 1970-01-01 00:29:27.225600, 2026-01-01
#   us into DateTime64(3): 1767225600000000 ms (expected 1767225600000), 2026-01-01
#
# Way round: array.astype("datetime64[us]") to the column's own unit first, or insert_df.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check clickhouse-connect==1.12.0 numpy==2.4.6 pandas==3.1.1
cd "$dir"
venv/bin/python - <<'PY'
import http.server
import threading
from datetime import datetime, timedelta

import clickhouse_connect
import numpy as np
import pandas as pd

bodies = []


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        bodies.append(body)
        answer = b"26.8.1.1\tUTC\n" if b"version()" in body else b""
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = clickhouse_connect.get_client(host="127.0.0.1", port=server.server_port, compress=False)


def stored(column):
    """The first count of the column in the Native block that was sent: it follows the name of the type."""
    block = bodies[-1]
    start = block.index(column.encode()) + len(column)
    return int.from_bytes(block[start:start + 8], "little", signed=True)


def inserted(unit, places):
    column = f"DateTime64({places})"
    rows = np.array([("2026-01-01T00:00:00", 60000.0), ("2026-01-01T00:01:00", 60001.0)],
                    dtype=[("at", f"datetime64[{unit}]"), ("close", "f8")])
    told = {"column_names": ["at", "close"], "column_type_names": [column, "Float64"]}
    client.insert("candles", rows, **told)
    array = stored(column)
    client.insert_df("candles", pd.DataFrame(rows), **told)
    return array, stored(column)


def moment(count, places):
    return str(datetime(1970, 1, 1) + timedelta(microseconds=count * 10 ** (6 - places)))


NEW_YEAR = "2026-01-01 00:00:00"
for unit, places, wanted in (("ms", 3, NEW_YEAR), ("ms", 6, "1970-01-21 10:53:45.600000"),
                             ("s", 3, "1970-01-21 10:53:45.600000"), ("s", 6, "1970-01-01 00:29:27.225600")):
    expect(f"{unit} into DateTime64({places}), numpy and pandas:",
           tuple(moment(count, places) for count in inserted(unit, places)), (wanted, NEW_YEAR))
expect("us into DateTime64(3), as milliseconds:", inserted("us", 3), (1_767_225_600_000_000, 1_767_225_600_000))
expect("ns into DateTime64(6), as microseconds:", inserted("ns", 6),
       (1_767_225_600_000_000_000, 1_767_225_600_000_000))
PY
