"""The desk that the days are played on: accounts at both venues, wallets, and bots that trade often."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from random import Random
from typing import Any

from market.sandbox.coinbase import rest as coinbase_rest
from market.sandbox.instruments import BINANCE, COINBASE
from market.sandbox.scenario import Scenario
from market.sandbox.server import RunningSandbox
from tests.chaos.days import HOUR, HOURS
from trading.models import Bot
from trading.services.bots import bot_create, bot_start
from wallets.models import ExchangeAccount, Wallet
from wallets.services import account_create, wallet_create

START = 1_735_689_600_000
"""The first of January 2025, long over by the clock on the wall: a candle that has closed there has closed by every clock."""
RATE = 0.008
"""Trades a second of the market's time, over all symbols."""
QUOTES = {"binance": "USDT", "coinbase": "USD"}
LISTED = {"binance": BINANCE[:2], "coinbase": COINBASE[:2]}
PLENTY = 1_000_000
PAPER = {"USDT": Decimal(100_000), "USD": Decimal(100_000)}
"""What the made-up wallet begins with."""


def scenario(seed: int) -> Scenario:
    """Its market moves by hand."""
    return Scenario(seed=seed, speed=None, start=START, rate=RATE, minutes=HOURS * HOUR // 60_000, listed=LISTED)


@contextmanager
def lifted_limits(sandbox: RunningSandbox) -> Iterator[None]:
    """A day passes within seconds, and is counted by clocks on the wall: without this, the venues' limits would rule it."""
    limits = sandbox.sandbox.binance.limits
    limits.weight.limit = limits.orders.limit = PLENTY
    usual = {name: getattr(coinbase_rest, name) for name in ("PRIVATE", "PUBLIC")}
    for name in usual:
        setattr(coinbase_rest, name, PLENTY)
    try:
        yield
    finally:
        for name, value in usual.items():
            setattr(coinbase_rest, name, value)


def open_desk(sandbox: RunningSandbox, seed: int) -> None:
    wallets = {venue: wallet(sandbox, venue) for venue in QUOTES}
    for one in bots(Random(seed)):
        start(one, wallets[one["config"]["venue"].split("-")[0]])


def open_paper_desk(sandbox: RunningSandbox, seed: int) -> None:
    """Venues to hear prices from, and money that is made up."""
    for venue in QUOTES:
        wallet(sandbox, venue)
    wallet_create(name="paper", kind="paper", quote="USDT", venue="binance-sandbox", opening=PAPER)


def start(given: dict[str, Any], wallet: Wallet, mode: str = "testnet") -> Bot:
    return bot_start(bot_id=bot_create(mode=mode, wallet_id=wallet.wallet_id, **given).bot_id)


def wallet(sandbox: RunningSandbox, venue: str) -> Wallet:
    return wallet_create(name=venue, kind="exchange", quote=QUOTES[venue], account=account(sandbox, venue))


def account(sandbox: RunningSandbox, venue: str) -> ExchangeAccount:
    address = sandbox.addresses[venue]
    places = {name: address[name] for name in ("rest", "ws", "ws_api", "ws_user") if name in address}
    return account_create(
        name=venue, venue=venue, environment="sandbox", api_key=address["api_key"], secret=address["api_secret"], **places
    )


def bots(random: Random) -> list[dict[str, Any]]:
    """Entries at each candle, ladders, crosses; exits by profit, loss and age; orders that expire."""
    take, stop = random.choice((0.004, 0.008)), random.choice((0.005, 0.01))
    spacing = random.choice((0.003, 0.005))
    return [
        bot("dca", "binance", "BTC-USDT", {"every": 1, "part": 1}, fixed("150"), {"take_profit": take}),
        bot("dca", "coinbase", "ETH-USD", {"every": 2, "part": 1}, fixed("200"), {"stop_loss": stop, "take_profit": take}),
        bot("grid", "binance", "ETH-USDT", {"levels": 6, "spacing": spacing}, {"kind": "fraction", "value": 0.9}, {}),
        bot("grid", "coinbase", "BTC-USD", {"levels": 4, "spacing": spacing}, {"kind": "fraction", "value": 0.8}, {}, order_ttl=3),
        bot("sma_cross", "binance", "BTC-USDT", {"fast": 1, "slow": 2}, {"kind": "all_in"}, {"trailing_stop": stop}),
        bot("chaos_dips", "coinbase", "ETH-USD", {}, fixed("300"), {}, order_ttl=1),
    ]


def fixed(value: str) -> dict[str, str]:
    return {"kind": "fixed", "value": value}


def bot(
    strategy: str, venue: str, symbol: str, params: dict[str, Any], sizing: dict[str, Any], exits: dict[str, Any], **more: Any
) -> dict[str, Any]:
    config = {
        "strategy": strategy,
        "params": params,
        "venue": f"{venue}-sandbox",
        "symbol": symbol,
        "interval": "1h",
        "cash": "5000",
        "fee_bps": 10 if venue == "binance" else 60,
        "sizing": sizing,
        "exits": exits,
    }
    return {"name": f"{strategy} {symbol}", "config": config | more}
