"""freqtrade as a bot of its own, dry and with orders at the sandbox, on both venues: started, watched through its REST API until
it has closed a trade, and stopped. `python -m tests.clients.freqtrade_walk ADDRESSES`."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import ccxt.pro  # type: ignore[import-not-found]

from tests.clients.ccxt_walk import point_to
from tests.clients.steps import print_steps, read_addresses, try_steps

STRATEGY = Path(__file__).with_name("freqtrade_strategy.py")
STAKES = {"binance": ("USDT", ["BTC/USDT", "ETH/USDT"]), "coinbase": ("USD", ["BTC/USD", "ETH/USD"])}
PATIENCE = 240
OF_ITS_OWN = ("`force_entry_enable` RPC message enabled", "not officially supported by the Freqtrade", "no active trade")
RUNS = (
    ("binance", True, True),
    ("binance", False, True),
    ("binance", False, False),
    ("coinbase", True, False),
    ("coinbase", False, False),
)
"""Venue, dry, with streams of candles. freqtrade has none for Coinbase."""


def write_config(folder: Path, venue: str, address: dict[str, Any], port: int, *, dry: bool, sockets: bool) -> Path:
    coin, pairs = STAKES[venue]
    urls = {"api": point_to(getattr(ccxt.pro, venue)(), address).urls["api"]}
    price = {"price_side": "other", "use_order_book": venue == "binance", "order_book_top": 1}
    volume = {"method": "VolumePairList", "number_assets": 2, "sort_key": "quoteVolume"}
    types = {"entry": "limit", "exit": "limit", "stoploss": "limit", "stoploss_on_exchange": venue == "binance"}
    config = {
        "dry_run": dry,
        "max_open_trades": 3,
        "stake_currency": coin,
        "stake_amount": 200,
        "dry_run_wallet": 10_000,
        "entry_pricing": price,
        "exit_pricing": price,
        "order_types": types,
        "exchange": {
            "name": venue,
            "key": address["api_key"],
            "secret": address["api_secret"],
            "ccxt_config": {"urls": urls},
            "enable_ws": sockets,
            "pair_whitelist": pairs,
        },
        "pairlists": [{"method": "StaticPairList"}, volume],
        "api_server": {
            "enabled": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": port,
            "username": "walk",
            "password": "walk",
            "jwt_secret_key": "no secret: this bot lives for minutes",
        },
        "internals": {"process_throttle_secs": 2},
        "db_url": f"sqlite:///{folder}/trades.sqlite",
        "user_data_dir": str(folder),
        "initial_state": "running",
        "force_entry_enable": True,
    }
    found = folder / "config.json"
    found.write_text(json.dumps(config))
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def run_bot(folder: Path, config: Path) -> Iterator[Path]:
    """Its log, while it runs."""
    log, binary = folder / "bot.log", Path(sys.executable).with_name("freqtrade")
    command: list[str | Path] = [binary, "trade", "--config", config, "--strategy", "BuyAtOnce", "--strategy-path", STRATEGY.parent]
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out, cwd=folder) as process:
        try:
            yield log
        finally:
            process.terminate()


class RunningBot:
    """A bot by its REST API and its log."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Any:
        secret = b64encode(b"walk:walk").decode()
        headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/json"}
        data = None if method == "GET" else json.dumps(body or {}).encode()
        request = Request(f"http://127.0.0.1:{self.port}/api/v1/{path}", data, headers, method=method)
        with urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def list_closed(self) -> list[Any]:
        return [trade for trade in self.ask("trades")["trades"] if not trade["is_open"]]

    def list_open(self) -> list[Any]:
        found: list[Any] = self.ask("status") if self.ask("count")["current"] else []
        return found

    def list_orders(self) -> list[Any]:
        return [order for trade in self.list_open() for order in trade["orders"]]

    def count_filled(self, side: str) -> int:
        return sum(order["ft_order_side"] == side and order["status"] == "closed" for order in self.list_orders())

    def has_stop(self) -> bool:
        return any(order["ft_order_side"] == "stoploss" and order["status"] == "open" for order in self.list_orders())

    def enter_far_away(self, pair: str) -> None:
        self.ask("forceenter", "POST", {"pair": pair, "price": 60.0, "ordertype": "limit", "stakeamount": 100})

    def cancel_far_away(self) -> None:
        waiting = next(trade for trade in self.list_open() if trade["pair"].startswith("SOL/"))
        assert waiting["has_open_orders"], waiting
        with contextlib.suppress(HTTPError):  # it ends the trade, and then complains that there is none to show
            self.ask(f"trades/{waiting['trade_id']}/open-order", "DELETE")
        wait_until(lambda: all(not trade["pair"].startswith("SOL/") for trade in self.list_open()))

    def check_books(self) -> None:
        for trade in self.list_closed():
            assert trade["exit_reason"] == "kept_long_enough", trade["exit_reason"]
            assert trade["close_rate"] > 0, trade
            assert trade["fee_open_cost"] > 0, trade

    def check_log(self) -> None:
        lines = [line for line in self.log.read_text().splitlines() if re.search(" - (ERROR|WARNING|CRITICAL) - |Traceback", line)]
        bad = [line for line in lines if not any(words in line for words in OF_ITS_OWN)]
        assert not bad, "\n".join(bad)


def wait_until(condition: Callable[[], Any]) -> None:
    deadline, problem = time.monotonic() + PATIENCE, "it never came true"
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except OSError as error:
            problem = str(error)
        time.sleep(1)
    raise TimeoutError(problem)


def list_steps(bot: RunningBot, venue: str, *, stops: bool, waits: bool) -> dict[str, Callable[[], Any]]:
    coin, (pair, _) = STAKES[venue]
    by_hand: dict[str, Callable[[], Any]] = {
        "buys by hand, far away": lambda: bot.enter_far_away(f"SOL/{coin}"),
        "cancels": bot.cancel_far_away,
    }
    candles = f"pair_candles?pair={pair}&timeframe=1m"
    return {
        "starts and loads markets": lambda: wait_until(lambda: bot.ask("ping")),
        "pair lists": lambda: wait_until(lambda: len(bot.ask("whitelist")["whitelist"]) == 2),
        "candles": lambda: wait_until(lambda: bot.ask(candles)["length"] > 20),
        "buys": lambda: wait_until(lambda: bot.count_filled("buy") >= 2),
        **({"stop at the venue": lambda: wait_until(bot.has_stop)} if stops else {}),
        "balance": lambda: bot.ask("balance")["total"],
        **(by_hand if waits else {}),
        "sells and closes": lambda: wait_until(bot.list_closed),
        "books of the closed trade": bot.check_books,
        "stops buying": lambda: bot.ask("stopentry", "POST"),
        "sells the others by hand": lambda: bot.ask("forceexit", "POST", {"tradeid": "all"}),
        "nothing open": lambda: wait_until(lambda: not bot.list_open()),
        "no warning in its log": bot.check_log,
    }


def walk_bot(venue: str, address: dict[str, Any], *, dry: bool, sockets: bool) -> int:
    stops = venue == "binance" and not dry
    waits = venue == "binance" or not dry  # a dry order is filled at once, whatever its price, where ccxt has no book
    with tempfile.TemporaryDirectory() as place:
        folder, port = Path(place), free_port()
        config = write_config(folder, venue, address, port, dry=dry, sockets=sockets)
        with run_bot(folder, config) as log:
            found = try_steps(list_steps(RunningBot(port, log), venue, stops=stops, waits=waits))
        kind = ("dry" if dry else "live") + (", streams" if sockets else "")
        return print_steps(venue, {f"{kind}: {name}": problem for name, problem in found.items()})


def main(path: str) -> int:
    """Prints each step and what went wrong; 1 where something did."""
    addresses, code = read_addresses(path), 0
    for venue, dry, sockets in RUNS:
        code = max(code, walk_bot(venue, addresses[venue], dry=dry, sockets=sockets))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
