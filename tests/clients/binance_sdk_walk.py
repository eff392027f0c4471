"""Binance's own modular SDK against the sandbox: `python -m tests.clients.binance_sdk_walk ADDRESSES`, in an environment where
only it is installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from binance_common.configuration import ConfigurationRestAPI  # type: ignore[import-not-found]
from binance_sdk_spot.spot import Spot  # type: ignore[import-not-found]

from tests.clients.steps import print_steps, read_addresses, try_steps

SYMBOL = "BTCUSDT"
MARKET = ("depth", "get_trades", "agg_trades", "historical_trades", "avg_price", "ticker24hr", "ticker_price", "ticker_book_ticker")
ACCOUNT = ("get_open_orders", "all_orders", "my_trades", "my_allocations", "account_commission", "my_filters")
PLAIN = ("ping", "time", "exchange_info", "get_account", "rate_limit_order", "open_order_list", "all_order_list")


def ask(api: Any, name: str, **given: Any) -> Any:
    return getattr(api, name)(**given).data()


def list_steps(api: Any) -> dict[str, Callable[[], Any]]:
    made: dict[str, Any] = {}

    def place(name: str, share: float) -> None:
        price = round(float(json.loads(api.ticker_price(symbol=SYMBOL).data().to_json())["price"]) * share, 2)
        order = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.001, "price": price}
        made[name] = getattr(api, name)(**order).data()

    def replace() -> None:
        known = made["new_order"].order_id
        price = round(float(made["new_order"].price) * 0.99, 2)
        order = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "time_in_force": "GTC", "quantity": 0.001, "price": price}
        api.order_cancel_replace(cancel_replace_mode="STOP_ON_FAILURE", cancel_order_id=known, **order).data()

    return {
        **{name: partial(ask, api, name) for name in PLAIN},
        **{name: partial(ask, api, name, symbol=SYMBOL) for name in (*MARKET, *ACCOUNT)},
        "klines": lambda: api.klines(symbol=SYMBOL, interval="1m").data(),
        "ui_klines": lambda: api.ui_klines(symbol=SYMBOL, interval="1m").data(),
        "order_test": lambda: place("order_test", 0.9),
        "new_order": lambda: place("new_order", 0.9),
        "get_order": lambda: api.get_order(symbol=SYMBOL, order_id=made["new_order"].order_id).data(),
        "order_cancel_replace": replace,
        "delete_open_orders": lambda: api.delete_open_orders(symbol=SYMBOL).data(),
    }


def main(path: str) -> int:
    """Prints each step and what went wrong; 1 where something did."""
    address = read_addresses(path)["binance"]
    keys = {"api_key": address["api_key"], "api_secret": address["api_secret"]}
    api = Spot(config_rest_api=ConfigurationRestAPI(**keys, base_path=address["rest"])).rest_api
    return print_steps("binance", try_steps(list_steps(api)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
