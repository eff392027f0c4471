"""Candles, wallets and bots for the tests of the trading desk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from engine.types import Candles
from market import candles as store
from market.services import instrument_ensure
from tests.backtests.fixtures import make_candles
from trading.models import Bot
from trading.services.bots import bot_create
from trading.services.budgets import budgets_ensure
from trading.setup.limits import parse_limits
from wallets.models import Wallet
from wallets.services import wallet_create

VENUE = "test"


def keep(candles: Candles, venue: str = VENUE, **rules: Any) -> Candles:
    """Candles in the store, with their instrument."""
    store.write_candles(instrument_ensure(venue=venue, symbol=candles.symbol, **rules), candles)
    return candles


def paper_wallet(name: str = "Paper", quote: str = "BTC", **opening: str) -> Wallet:
    amounts = {asset: Decimal(value) for asset, value in (opening or {quote: "1000000"}).items()}
    return wallet_create(name=name, kind="paper", quote=quote, venue=VENUE, opening=amounts)


def config(**changes: Any) -> dict[str, Any]:
    return {
        "strategy": "sma_cross",
        "params": {"fast": 3, "slow": 8},
        "venue": VENUE,
        "symbols": ["ETH-BTC"],
        "interval": "5m",
        "cash": "10000",
        "fee_bps": 10,
        **changes,
    }


def replay_bot(wallet: Wallet, *, name: str = "Replayed", **changes: Any) -> Bot:
    return bot_create(name=name, mode="replay", wallet_id=wallet.wallet_id, config=config(**changes))


def budget_ids(bot: Bot, limit: str) -> list[int]:
    return budgets_ensure(bot, parse_limits({"budget": limit}), "BTC")


def candles(count: int = 300, **more: Any) -> Candles:
    return keep(make_candles(count=count, **more))
