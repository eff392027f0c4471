"""ccxt, with nothing set but addresses and keys: what a trader's program asks of both venues. Runs in an environment of its own,
where only ccxt is installed: `python -m tests.clients.ccxt_walk ADDRESSES`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import ccxt  # type: ignore[import-not-found]
import ccxt.pro  # type: ignore[import-not-found]

from tests.clients.steps import print_steps, read_addresses, try_await, try_steps

SYMBOLS = {"binance": "BTC/USDT", "coinbase": "BTC/USD"}
ASKED = (
    "fetch_time",
    "fetch_currencies",
    "load_markets",
    "fetch_tickers",
    "fetch_bids_asks",
    "fetch_balance",
    "fetch_trading_fees",
)
ASKED_OF_SYMBOL = ("fetch_ticker", "fetch_order_book", "fetch_trades", "fetch_ohlcv", "fetch_trading_fee")
HISTORY = ("fetch_orders", "fetch_open_orders", "fetch_closed_orders", "fetch_canceled_orders", "fetch_my_trades")
OWN = {
    "binance": ("fetch_status", "fetch_deposits", "fetch_withdrawals", "fetch_dust", "fetch_transfers", "fetch_conversions"),
    "coinbase": ("fetch_accounts", "fetch_portfolios", "fetch_ledger"),
}
WATCHED = ("watch_ticker", "watch_trades", "watch_order_book")


def point_to(exchange: Any, address: dict[str, Any]) -> Any:
    """Every address of the venue is the sandbox's."""

    def move(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: move(one) for name, one in value.items()}
        plain = value.replace("{hostname}", "venue.example")
        if plain.startswith("http"):
            return address["rest"] + "".join(plain.partition("://")[2].partition("/")[1:])
        return value

    exchange.urls["api"] = {name: move(value) for name, value in exchange.urls["api"].items() if name != "ws"} | {
        "ws": {"spot": f"{address['ws']}/ws", "ws-api": {"spot": address.get("ws_api", "")}}
        if exchange.id == "binance"
        else address["ws"]
    }
    return exchange


def walk_rest(exchange: Any, symbol: str) -> dict[str, Callable[[], Any]]:
    """Each step by its name; later ones need the orders of earlier ones."""
    made: dict[str, Any] = {}

    def place(share: float) -> Any:
        price = float(exchange.price_to_precision(symbol, exchange.fetch_ticker(symbol)["last"] * share))
        made["order"] = exchange.create_order(symbol, "limit", "buy", 0.001, price)
        return made["order"]["id"]

    own: dict[str, Callable[[], Any]] = {
        "fetch_dust": lambda: exchange.fetch_my_dust_trades(),
        "fetch_transfers": lambda: exchange.fetch_transfers("BTC"),
        "fetch_conversions": lambda: exchange.fetch_convert_trade_history("BTC"),
        "fetch_ledger": lambda: exchange.fetch_ledger("BTC"),
    }
    return {
        **{name: getattr(exchange, name) for name in ASKED},
        **{name: lambda name=name: getattr(exchange, name)(symbol) for name in ASKED_OF_SYMBOL},
        "create_order limit": lambda: place(0.9),
        "fetch_order": lambda: exchange.fetch_order(made["order"]["id"], symbol),
        "cancel_order": lambda: exchange.cancel_order(made["order"]["id"], symbol),
        "create_order market": lambda: exchange.create_order(symbol, "market", "sell", 0.001)["id"],
        "create_market_buy_order_with_cost": lambda: exchange.create_market_buy_order_with_cost(symbol, 50)["id"],
        **{name: lambda name=name: getattr(exchange, name)(symbol) for name in HISTORY},
        **{name: own.get(name) or getattr(exchange, name) for name in OWN[exchange.id]},
    }


async def walk_streams(exchange: Any, symbol: str) -> dict[str, str]:
    """One message of each stream."""
    found = {name: await try_await(partial(getattr(exchange, name), symbol)) for name in WATCHED}
    await exchange.close()
    return found


def main(path: str) -> int:
    """Prints each step and what went wrong; 1 where something did."""
    addresses, code = read_addresses(path), 0
    for venue, symbol in SYMBOLS.items():
        keys = {"apiKey": addresses[venue]["api_key"], "secret": addresses[venue]["api_secret"]}
        exchange = point_to(getattr(ccxt, venue)(keys), addresses[venue])
        found = try_steps(walk_rest(exchange, symbol))
        found |= asyncio.run(walk_streams(point_to(getattr(ccxt.pro, venue)(keys), addresses[venue]), symbol))
        code = max(code, print_steps(venue, found))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
