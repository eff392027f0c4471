#!/usr/bin/env bash
# kucoin-universal-sdk 1.3.2: an answer with one value its models do not know comes back empty, as if it had no rows.
#
# Done: get_spot_account_list against a loopback venue that lists a main account with 2.5 BTC and a trade account with
# 60,000 USDT; then the same list with an old margin account of nothing behind them. And get_oco_order_by_order_id for
# an order that is NEW and one that is CANCELED.
#
# Expected: three accounts, and an order that is canceled; or a RestError, for which the transport even has the message
# "Failed to parse response JSON data". Both values are in the SDK's own docstrings: "Account type: main, trade,
# isolated (abandon), margin (abandon)", and "Order status: NEW: New, DONE: Completed, TRIGGERED: Triggered, CANCELED:
# Canceled".
#
# Happens: the account type has the members main and trade only, the status is spelt CANCELLED. The row fails
# validation, and the exception is dropped by a `return` in a `finally`: the caller gets an object with code 200000,
# "success", and None in every other field. Accounts that were there a moment ago are gone, all of them, and a desk that
# sums balances has nothing; a canceled pair of orders has no id and no status and looks like no order at all. The same
# holds for any value or type that the venue adds later, in the answers to new orders too.
#
# Seen:
#   main and trade: 2 accounts
#   main, trade and margin: data None, code 200000, no exception (3 rows came)
#   NEW: order_id 69d0; CANCELED: order_id None, status None, code 200000, no exception
#
# Way round: take an answer whose fields are None for an error; answer.common_response.data has the raw rows.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check kucoin-universal-sdk==1.3.2 pydantic==2.14.4
cd "$dir"
venv/bin/python - <<'PY'
import http.server
import json
import threading

from kucoin_universal_sdk.api.client import DefaultClient
from kucoin_universal_sdk.generate.account.account.model_get_spot_account_list_data import GetSpotAccountListData
from kucoin_universal_sdk.generate.account.account.model_get_spot_account_list_req import GetSpotAccountListReqBuilder
from kucoin_universal_sdk.generate.spot.order.model_get_oco_order_by_order_id_req import (
    GetOcoOrderByOrderIdReqBuilder,
)
from kucoin_universal_sdk.generate.spot.order.model_get_oco_order_by_order_id_resp import GetOcoOrderByOrderIdResp
from kucoin_universal_sdk.model.client_option import ClientOptionBuilder
from kucoin_universal_sdk.model.transport_option import TransportOptionBuilder

answers = []


class Venue(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({"code": "200000", "data": answers[0]}).encode()
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
option = (ClientOptionBuilder().set_key("key").set_secret("secret").set_passphrase("phrase").set_spot_endpoint(url)
          .set_futures_endpoint(url).set_broker_endpoint(url).set_transport_option(TransportOptionBuilder().build())
          .build())
rest = DefaultClient(option).rest_service()
accounts, orders = rest.get_account_service().get_account_api(), rest.get_spot_service().get_order_api()


def account(kind, currency, balance):
    return {"id": f"{kind}-1", "currency": currency, "type": kind, "balance": balance, "available": balance,
            "holds": "0"}


def listed(*rows):
    answers[:] = [list(rows)]
    answer = accounts.get_spot_account_list(GetSpotAccountListReqBuilder().build())
    rows = answer.data and [(row.type.value, row.currency, row.balance) for row in answer.data]
    return answer.common_response.code, rows, len(answer.common_response.data)


def ordered(status):
    answers[:] = [{"orderId": "69d0", "symbol": "BTC-USDT", "clientOid": "a-1", "orderTime": 1767225600000,
                   "status": status}]
    answer = orders.get_oco_order_by_order_id(GetOcoOrderByOrderIdReqBuilder().set_order_id("69d0").build())
    return answer.common_response.code, answer.order_id, answer.status and answer.status.value


kinds = "main, trade, isolated (abandon), margin (abandon)"
expect("the docstring names margin:", kinds in GetSpotAccountListData.__doc__, True)
two = account("main", "BTC", "2.5"), account("trade", "USDT", "60000")
expect("main and trade:", listed(*two), ("200000", [("main", "BTC", "2.5"), ("trade", "USDT", "60000")], 2))
expect("and margin (code, rows, rows that came):", listed(*two, account("margin", "BTC", "0")), ("200000", None, 3))
states = "NEW: New, DONE: Completed, TRIGGERED: Triggered, CANCELED: Canceled"
expect("the docstring names CANCELED:", states in GetOcoOrderByOrderIdResp.__doc__, True)
expect("NEW (code, order id, status):", ordered("NEW"), ("200000", "69d0", "NEW"))
expect("CANCELED:", ordered("CANCELED"), ("200000", None, None))
PY
