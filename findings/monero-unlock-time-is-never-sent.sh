#!/usr/bin/env bash
# monero 1.1.1: transfer(unlock_time=...) makes a transfer that is not locked; the argument is dropped and 0 is sent.
#
# Done: Wallet.transfer, transfer_multiple and sweep_all with unlock_time=720 (a day of blocks) through the JSON RPC
# backend, against a loopback wallet that keeps the requests.
#
# Expected: "unlock_time": 720 on the wire, or an error if it can't be had. All three docstrings list the argument,
# ":param unlock_time: the extra unlock delay", the wallet's RPC has a field of that name, and the library passes the
# argument down from wallet to account to backend. The other arguments (priority, relay) arrive.
#
# Happens: the backend writes "unlock_time": 0 whatever it was given. The coins of a vesting or an escrow are free to
# be spent by the receiver as soon as any others, and a transfer cannot be taken back. No error, no warning.
#
# Seen:
#   transfer(unlock_time=720):          "unlock_time": 0, "priority": 3, "do_not_relay": True
#   transfer_multiple(unlock_time=720): "unlock_time": 0
#   sweep_all(unlock_time=720):         "unlock_time": 0
#
# Way round: wallet._backend.raw_request("transfer_split", {..., "unlock_time": 720}), and read the transaction back.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check monero==1.1.1
cd "$dir"
venv/bin/python - <<'PY'
import http.server
import json
import threading
from decimal import Decimal as D

from monero.backends.jsonrpc import JSONRPCWallet
from monero.seed import Seed
from monero.wallet import Wallet

RECEIVER = str(Seed("2b" * 32).public_address())                # made up
requests = []
EMPTY = {f"{name}_list": [] for name in ("tx_hash", "amount", "fee", "tx_key", "tx_blob")}


class Daemon(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        requests.append((request["method"], request["params"]))
        accounts = {"subaddress_accounts": [{"account_index": 0, "base_address": RECEIVER}]}
        result = accounts if request["method"] == "get_accounts" else EMPTY
        body = json.dumps({"jsonrpc": "2.0", "id": 0, "result": result}).encode()
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


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Daemon)
threading.Thread(target=server.serve_forever, daemon=True).start()
wallet = Wallet(JSONRPCWallet(port=server.server_port))
wanted = {"priority": 3, "unlock_time": 720, "relay": False}


def sent():
    method, params = requests[-1]
    return method, params["unlock_time"], params["priority"], params["do_not_relay"]


for way in (wallet.transfer, wallet.transfer_multiple, wallet.sweep_all):
    expect(f"{way.__name__} documents it:", ":param unlock_time: the extra unlock delay" in way.__doc__, True)

wallet.transfer(RECEIVER, D("1.5"), **wanted)
expect("transfer (method, unlock_time, priority, do_not_relay):", sent(), ("transfer_split", 0, 3, True))
wallet.transfer_multiple([(RECEIVER, D("1.5")), (RECEIVER, D("0.5"))], **wanted)
expect("transfer_multiple:", sent(), ("transfer_split", 0, 3, True))
wallet.sweep_all(RECEIVER, subaddr_indices=[0], **wanted)
expect("sweep_all:", sent(), ("sweep_all", 0, 3, True))
PY
