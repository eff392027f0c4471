"""A desk at work, as rows: for tests of pages, in this process or in that of a running desk (`manage.py shell`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone

from core.events import News, events_record
from engine.types import Candles
from market import candles as store
from market.depths import depth_json, depths_put
from market.exchanges.base import Depth, Tick
from market.models import FeedIncident, VenueStream
from market.prices import prices_put
from market.services import instrument_ensure
from trading.models import (
    BlockEvent,
    Bot,
    BotRun,
    Fill,
    ForeignOrder,
    Order,
    Position,
    RiskAllocation,
    RiskBudget,
)
from trading.services.bots import bot_create
from trading.setup.config import parse_config
from wallets.models import Drift, Wallet
from wallets.services import account_create, wallet_create
from wallets.services.drifts import FoundDrift, drifts_note
from wallets.services.reconciliations import reconciliation_begin, reconciliation_end

VENUE, ENVIRONMENT = "binance-sandbox", "sandbox"
PRICES = {"BTC-USDT": Decimal("62140.5"), "ETH-USDT": Decimal("3105.22"), "SOL-USDT": Decimal("142.084")}
CONFIG = {
    "strategy": "sma_cross",
    "params": {"fast": 5, "slow": 20},
    "venue": VENUE,
    "symbols": ["BTC-USDT"],
    "interval": "1m",
    "cash": "10000",
}


def wallet(name: str = "Practice") -> Wallet:
    for symbol in PRICES:
        instrument_ensure(venue=VENUE, symbol=symbol)
    found = Wallet.objects.filter(name=name).first()
    return found or wallet_create(
        name=name, kind="paper", account=None, venue=VENUE, quote="USDT", opening={"USDT": Decimal(100_000)}, user=None
    )


def bot(name: str = "Trend", *, symbol: str = "BTC-USDT", wanted: str = "running", of: Wallet | None = None, **run: Any) -> Bot:
    """A bot that was evaluated a moment ago, with its run."""
    given = parse_config({**CONFIG, "symbols": [symbol]}).to_json()
    made = bot_create(config=given, name=name, mode="paper", wallet_id=(of or wallet()).wallet_id, limits={}, user=None)
    now = timezone.now()
    times = {"started_at": now - timedelta(hours=3), "evaluated_at": now, "history_from": now, "decides_from": now}
    own = {"evaluation_ms": 0.41, "evaluations": 180, "equity": Decimal(10_000)}
    made.run = BotRun.objects.create(run_id=f"run{made.pk}", bot=made, mode="paper", config=made.config, **{**times, **own, **run})
    made.wanted = wanted
    Bot.objects.filter(pk=made.pk).update(run=made.run, wanted=wanted)
    return made


def order(of: Bot, number: int, side: str = "buy", *, status: str = "accepted", quantity: str = "0.01", **more: Any) -> Order:
    assert of.run is not None
    symbol = of.symbol_list[0]
    price = PRICES[symbol]
    now = timezone.now()
    times = {"decided_at": now - timedelta(milliseconds=40), "created_at": now}
    row = {
        "client_order_id": f"q{of.pk:x}-{number}",
        "type": "limit",
        "limit": price,
        "reason": "entry_signal",
        "reference_price": price,
    }
    return Order.objects.create(
        order_id=f"o{of.pk}x{number}",
        bot=of,
        run=of.run,
        wallet=of.wallet,
        number=number,
        mode=of.mode,
        venue=of.venue,
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        status=status,
        correlation_id=f"c{of.pk}x{number}",
        trigger_id=f"{symbol}:1m:{number}",
        **{**times, **row, **more},
    )


def fill(of: Order, trade: int, *, profit: Decimal | None = None) -> Fill:
    price = PRICES[of.symbol]
    made = Fill.objects.create(
        order=of,
        bot=of.bot,
        account=of.run.run_id,
        venue=of.venue,
        symbol=of.symbol,
        trade_id=f"{of.order_id}-{trade}",
        side=of.side,
        price=price,
        quantity=of.quantity,
        cost=price * of.quantity,
        fee=price * of.quantity / 1000,
        fee_paid=price * of.quantity / 1000,
        fee_asset="USDT",
        maker=False,
        profit=profit,
        correlation_id=of.correlation_id,
        ts=timezone.now(),
    )
    told = {"side": of.side, "symbol": of.symbol, "qty": str(of.quantity), "fill_price": str(price), "order_id": of.order_id}
    events_record([News("fill", of.mode, told, of.correlation_id)], bot=of.bot.bot_id, run_id=of.run.run_id)
    return made


def filled(of: Bot, number: int, side: str = "buy", *, profit: Decimal | None = None) -> Fill:
    """An order with its intent, claim and fill."""
    symbol, now = of.symbol_list[0], timezone.now()
    intent = {"side": side, "symbol": symbol, "signal_reason": "entry_signal", "candle": "12:00 UTC, close 62,101.0"}
    events_record([News("intent", "paper", intent, f"c{of.pk}x{number}")], bot=of.bot_id, run_id=of.run.run_id if of.run else "")
    done: dict[str, Any] = {
        "filled_quantity": Decimal("0.01"),
        "average_price": PRICES[symbol],
        "fees": PRICES[symbol] / 100_000,
        "attempts": 1,
    }
    made = order(of, number, side, status="filled", submitted_at=timezone.now() + timedelta(milliseconds=9), closed_at=now, **done)
    if side == "buy":
        whose = {"order": made, "bot": of, "run": made.run, "symbol": symbol}
        claimed = PRICES[symbol] / 100
        RiskAllocation.objects.create(**whose, currency="USD", amount=claimed, open=0, used=claimed, status="used")
    return fill(made, 1, profit=profit)


def block(of: Bot, reason: str, number: int) -> BlockEvent:
    made = BlockEvent.objects.create(
        bot=of,
        run_id=of.run.run_id if of.run else "",
        correlation_id=f"b{of.pk}x{number}",
        symbol=of.symbol_list[0],
        side="buy",
        qty=Decimal("0.01"),
        price=PRICES[of.symbol_list[0]],
        reason=reason,
        detail="640.00 USD is wanted and 12.50 of 10,000.00 is free.",
    )
    told = {"reason": reason, "symbol": made.symbol, "side": "buy", "qty": "0.01", "detail": made.detail}
    events_record([News("trade_blocked", "paper", told, made.correlation_id)], bot=of.bot_id, run_id=made.run_id)
    return made


def position(of: Bot, cost: str = "600") -> Position:
    symbol = of.symbol_list[0]
    return Position.objects.create(
        bot=of,
        wallet=of.wallet,
        venue=of.venue,
        symbol=symbol,
        quantity=Decimal("0.01"),
        cost=Decimal(cost),
        realised=Decimal("41.2"),
        fees=Decimal("1.2"),
        opened_at=timezone.now() - timedelta(minutes=42),
    )


def prices(when: datetime | None = None) -> None:
    at = when or datetime.now(UTC)
    prices_put(
        venue="binance", environment=ENVIRONMENT, ticks=[Tick("binance", symbol, price, at) for symbol, price in PRICES.items()]
    )


def book(bid: str, *, symbol: str = "BTC-USDT") -> dict[str, Any]:
    """Three levels a side, a unit apart, the best ask two units above the best bid; as it is stored and pushed."""
    best, sizes = Decimal(bid), [Decimal("0.5") + number for number in range(3)]
    bids = tuple((best - number, size) for number, size in enumerate(sizes))
    asks = tuple((best + 2 + number, size) for number, size in enumerate(sizes))
    made = depth_json(Depth("binance", symbol, datetime.now(UTC), bids, asks))
    depths_put(venue="binance", environment=ENVIRONMENT, books=[made])
    return {"venue": "binance", "environment": ENVIRONMENT, **made}


def stream(state: str = "live", *, heard: timedelta = timedelta(hours=1)) -> VenueStream:
    """Heard an hour from now: tests may take their time."""
    now = timezone.now()
    own = {
        "state": state,
        "symbols": list(PRICES),
        "last_message_at": now + heard,
        "held_until": now + timedelta(hours=1),
        "connected_at": now,
    }
    return VenueStream.objects.update_or_create(
        venue="binance", environment=ENVIRONMENT, defaults={**own, "messages_per_second": 12.4, "reconnects": 2, "gaps": 1}
    )[0]


def budgets(of: Bot) -> None:
    rows = (
        ("desk", None, None, 100_000, 700, 900),
        ("wallet", of.wallet, None, 50_000, 700, 900),
        ("bot", None, of, 10_000, 700, 8_600),
    )
    for scope, whose, its, limit, claimed, used in rows:
        key: dict[str, Any] = {"scope": scope, "wallet": whose, "bot": its, "mode": "paper", "currency": "USD"}
        RiskBudget.objects.update_or_create(**key, defaults={"limit": limit, "claimed": claimed, "used": used})


def busy() -> Bot:
    """Three bots of which one trades, with everything that a page can show. Answers the one that trades."""
    live = stream()
    FeedIncident.objects.create(
        stream=live,
        kind="reconnect",
        began_at=timezone.now() - timedelta(minutes=9),
        ended_at=timezone.now(),
        detail="The socket was silent for 20 s.",
    )
    prices()
    trend = bot("Trend by the hour")
    dips = bot("Dips", symbol="ETH-USDT", wanted="paused")
    bot("Grid", symbol="SOL-USDT", wanted="stopped", ended_at=timezone.now(), end_reason="stopped")
    budgets(trend)
    for number in range(1, 13):
        filled(trend, number, "buy" if number % 2 else "sell", profit=None if number % 2 else Decimal(number) - 5)
    order(dips, 1, status="partially_filled", filled_quantity=Decimal("0.004"))
    position(trend)
    stop = PRICES["BTC-USDT"] * Decimal("0.98")
    more: dict[str, Any] = {"type": "stop_limit", "limit": stop * Decimal("0.99"), "stop": stop, "reason": "stop_loss"}
    order(trend, 13, "sell", quantity=str(Position.objects.get(bot=trend).quantity), **more)
    position(dips, "33")
    for number, reason in enumerate(("wallet_budget", "stale_price", "wallet_budget", "below_min_notional")):
        block(trend, reason, number)
    return trend


def unresolved(of: Bot) -> None:
    """An order that the venue has not answered, and one at the venue that nobody knows."""
    sent = timezone.now() - timedelta(minutes=2)
    order(of, 99, status="submitted", submitted_at=sent, attempts=1)
    ForeignOrder.objects.create(
        wallet=of.wallet,
        venue="binance",
        symbol="BTC-USDT",
        venue_order_id="778812",
        side="sell",
        type="limit",
        quantity=Decimal("0.02"),
        filled=Decimal(0),
        limit=Decimal(70_000),
    )


def drifts(name: str = "At a venue", *, assets: Sequence[str] = ("BTC", "USDT", "DOGE")) -> list[Drift]:
    """A wallet of an exchange that was reconciled, and what was found."""
    wallet = exchange_wallet(name)
    row = {"key": "fill:account:1:binance-sandbox:BTC-USDT:77:buy", "amount": "0.5", "books": True, "how": "trade"}
    parts: list[dict[str, Any]] = [
        {"cause": "fill_missed", "amount": "0.5", "rows": [row]},
        {"cause": "unknown", "amount": "4.5", "rows": []},
    ]
    run = reconciliation_begin(wallet=wallet, trigger="schedule")
    with transaction.atomic():
        found = [
            FoundDrift(
                "balance", asset, Decimal(0), Decimal(5), "fill_missed", value=Decimal(5_000), evidence=parts, holds=not place
            )
            for place, asset in enumerate(assets)
        ]
        order = FoundDrift("order", "USDT", Decimal(0), Decimal(50), "order_unknown", name="4711", evidence=parts[1:])
        noted = drifts_note(run, [*found, order] if assets else [])
        reconciliation_end(run, "partial", drifts=len(noted.standing), not_asked=["fills of DOGE-USDT: no answer within 20 s"])
    return noted.standing


def exchange_wallet(name: str) -> Wallet:
    if found := Wallet.objects.filter(name=name).first():
        return found
    made = account_create(name=name, venue="binance", environment="sandbox", api_key="k" * 24, secret="s" * 24)
    return wallet_create(name=name, kind="exchange", quote="USDT", account=made)


def candles(symbol: str = "BTC-USDT", count: int = 120) -> int:
    """Stored minutes up to now; answers the open time of the one that is not closed yet, in seconds."""
    now = int(timezone.now().timestamp()) // 60 * 60
    time = np.arange(now - 60 * count, now, 60, dtype=np.int64) * 1000
    close = float(PRICES[symbol]) + np.sin(np.arange(count) / 7) * 40
    store.write_candles(
        instrument_ensure(venue=VENUE, symbol=symbol), Candles(symbol, "1m", time, close, close + 5, close - 5, close, close / 1e4)
    )
    return now
