"""ccxt, with nothing set but addresses and keys: what a trader's program asks of both venues. Runs in an environment of its own,
where only ccxt is installed: `python ccxt_walk.py ADDRESSES`, a file of what `manage.py sandbox --json` prints."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ccxt  # type: ignore[import-not-found]
import ccxt.pro  # type: ignore[import-not-found]

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
    """One message of each stream, within ten seconds."""
    found = {}
    for name in WATCHED:
        try:
            await asyncio.wait_for(getattr(exchange, name)(symbol), 10)
            found[name] = ""
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"[:200]
    await exchange.close()
    return found


def try_step(step: Callable[[], Any]) -> str:
    try:
        step()
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def main(path: str) -> int:
    """Prints each step and what went wrong; 1 where something did."""
    addresses, failed = json.loads(Path(path).read_text()), 0
    for venue, symbol in SYMBOLS.items():
        keys = {"apiKey": addresses[venue]["api_key"], "secret": addresses[venue]["api_secret"]}
        exchange = point_to(getattr(ccxt, venue)(keys), addresses[venue])
        found = {name: try_step(step) for name, step in walk_rest(exchange, symbol).items()}
        found |= asyncio.run(walk_streams(point_to(getattr(ccxt.pro, venue)(keys), addresses[venue]), symbol))
        for name, problem in found.items():
            print(f"{venue:<9} {name:<34} {problem or 'ok'}")
            failed += bool(problem)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
