"""Bots and what came of them, as rows: for tests that read, not for those of the order path."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.utils import timezone

from core.broker import Pause, broker_address
from core.models import Event
from market.exchanges.base import Tick
from market.models import VenueStream
from market.prices import prices_put
from tests.broker import forget_keys
from trading.models import BlockEvent, Bot, BotRun, EquityPoint, Fill, ForeignOrder, Order, Position, RiskAllocation, RiskBudget
from wallets.models import Wallet

CONFIG = {
    "strategy": "sma_cross",
    "params": {"fast": 5, "slow": 20},
    "venue": "binance",
    "symbols": ["BTC-USDT"],
    "interval": "5m",
    "cash": "1000",
}


@dataclass
class Rows:
    """Makes rows with plain defaults; whatever a test is about, it says."""

    numbers: Any = field(default_factory=lambda: count(1))

    def number(self) -> int:
        return int(next(self.numbers))

    def wallet(self, **given: Any) -> Wallet:
        number = self.number()
        made: dict[str, Any] = {
            "wallet_id": f"{number:016x}",
            "name": f"wallet {number}",
            "kind": "paper",
            "venue": "binance",
            "quote": "USDT",
        }
        return Wallet.objects.create(**{**made, "maker": Decimal("0.001"), "taker": Decimal("0.001"), **given})

    def bot(self, *, running: bool = True, run: dict[str, Any] | None = None, **given: Any) -> Bot:
        """A running bot that decided a moment ago, or a stopped one that never ran."""
        number, symbols = self.number(), given.pop("symbols", "BTC-USDT")
        config = CONFIG | {"symbols": symbols.split(","), "interval": given.get("interval", "5m")} | given.pop("config", {})
        made: dict[str, Any] = {
            "bot_id": f"{number:012x}",
            "name": f"bot {number}",
            "config": config,
            "strategy": "sma_cross",
            "venue": "binance",
            "symbols": symbols,
            "interval": "5m",
            "mode": "paper",
            "wanted": "running" if running else "stopped",
        }
        made["wallet"] = given.pop("wallet", None) or self.wallet()
        bot = Bot.objects.create(**made | given)
        if running:
            bot.run = self.run(bot, **(run or {}))
            bot.save(update_fields=["run"])
        return bot

    def run(self, bot: Bot, **given: Any) -> BotRun:
        now = timezone.now()
        made = {
            "run_id": f"{self.number():016x}",
            "mode": bot.mode,
            "config": bot.config,
            "started_at": now - timedelta(hours=1),
            "history_from": now - timedelta(days=1),
            "evaluated_at": now - timedelta(seconds=20),
            "evaluation_ms": 0.8,
            "evaluations": 12,
        }
        return BotRun.objects.create(bot=bot, **made | given)

    def stream(self, venue: str = "binance", environment: str = "live", **given: Any) -> VenueStream:
        now = timezone.now()
        made = {"state": "live", "symbols": ["BTC-USDT"], "connected_at": now, "last_message_at": now, "holder": "test", "token": 1}
        stream, _ = VenueStream.objects.update_or_create(
            venue=venue, environment=environment, defaults={**made, "held_until": now + timedelta(minutes=5), **given}
        )
        return stream

    def order(self, bot: Bot, **given: Any) -> Order:
        number, now = self.number(), timezone.now()
        made: dict[str, Any] = {
            "order_id": f"{number:016x}",
            "client_order_id": f"qd-{number}",
            "run": given.get("run") or bot.run or self.run(bot),
            "wallet": bot.wallet,
            "number": number,
            "mode": bot.mode,
            "venue": bot.venue,
            "symbol": bot.symbol_list[0],
            "side": "buy",
            "type": "market",
            "quantity": Decimal("0.5"),
            "reason": "entry_signal",
            "status": "filled",
            "correlation_id": f"c{number}",
            "decided_at": now,
            "submitted_at": now,
        }
        return Order.objects.create(bot=bot, **made | given)

    def fill(self, order: Order, **given: Any) -> Fill:
        price, quantity = given.pop("price", Decimal(100)), given.pop("quantity", order.quantity)
        made: dict[str, Any] = {
            "account": "test",
            "venue": order.venue,
            "symbol": order.symbol,
            "trade_id": str(self.number()),
            "side": order.side,
            "cost": price * quantity,
            "fee": Decimal("0.05"),
            "fee_paid": Decimal("0.05"),
            "fee_asset": "USDT",
            "maker": False,
            "correlation_id": order.correlation_id,
            "ts": timezone.now(),
        }
        return Fill.objects.create(order=order, bot=order.bot, price=price, quantity=quantity, **made | given)

    def position(self, bot: Bot, symbol: str = "BTC-USDT", *, quantity: str = "0.5", cost: str = "50", **given: Any) -> Position:
        made = {"wallet": bot.wallet, "venue": bot.venue, "quantity": Decimal(quantity), "cost": Decimal(cost)}
        return Position.objects.create(bot=bot, symbol=symbol, **{**made, "opened_at": timezone.now(), **given})

    def block(self, bot: Bot, **given: Any) -> BlockEvent:
        made = {
            "run_id": bot.run.run_id if bot.run else "",
            "correlation_id": f"c{self.number()}",
            "symbol": bot.symbol_list[0],
            "side": "buy",
            "qty": Decimal(1),
            "reason": "bot_budget",
            "detail": "There is no room.",
        }
        return BlockEvent.objects.create(bot=bot, **made | given)

    def claim(self, order: Order, **given: Any) -> RiskAllocation:
        made = {"currency": "USD", "amount": Decimal(50), "open": Decimal(0), "used": Decimal(50), "status": "used"}
        whose = {"order": order, "bot": order.bot, "run": order.run, "symbol": order.symbol}
        return RiskAllocation.objects.create(**whose | made | given)

    def budget(self, scope: str = "desk", **given: Any) -> RiskBudget:
        made = {"scope": scope, "mode": "paper", "currency": "USD", "limit": Decimal(1000)}
        return RiskBudget.objects.create(**made | given)

    def event(self, type: str = "fill", *, bot: Bot | None = None, **given: Any) -> Event:
        return Event.objects.create(
            **{"type": type, "source": "test", "bot": bot.bot_id if bot else "", "payload": {"symbol": "BTC-USDT"}, **given}
        )

    def equity(self, bot: Bot, ts: datetime, equity: str) -> EquityPoint:
        return EquityPoint.objects.create(bot=bot, run_id="", ts=ts, equity=Decimal(equity), cash=Decimal(equity))

    def foreign(self, wallet: Wallet, **given: Any) -> ForeignOrder:
        made = {"venue": "binance", "symbol": "BTC-USDT", "venue_order_id": str(self.number()), "side": "buy", "type": "limit"}
        return ForeignOrder.objects.create(wallet=wallet, **{**made, "quantity": Decimal(1), "filled": Decimal(0), **given})


def price(symbol: str, price: str, *, venue: str = "binance", environment: str = "live") -> None:
    """The newest price of a symbol, as a stream worker writes it."""
    prices_put(venue=venue, environment=environment, ticks=[Tick(venue, symbol, Decimal(price), timezone.now())])


@pytest.fixture
def rows(db: None) -> Rows:
    """A factory, and a price store without prices."""
    clear_prices()
    return Rows()


def clear_prices() -> None:
    Pause.until = 0.0
    forget_keys("prices:*")


__all__ = ["CONFIG", "Rows", "broker_address", "clear_prices", "price", "rows"]
