"""What the account has at the venue: kept in memory from the cache and the venue's reports, and no order exceeds it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from prometheus_client import REGISTRY
from redis.asyncio import Redis

from core.broker import broker_address
from core.text import decimal_text
from engine.live import OHLCV, SignalRow
from engine.risk import Moment, Proposal, RiskLimits, check_proposal
from market.exchanges.account_cache import AccountCache
from market.exchanges.base import Balance, Balances, Endpoint, Execution, Report, Retryable
from market.models import Instrument
from tests.backtests.fixtures import make_candles
from tests.trading.making import config, keep
from tests.wallets.making import account
from trading.live.balances import OLD, AccountBalances
from trading.models import BlockEvent, BotRun, Order, RiskAllocation
from trading.services.bot_loading import bot_load
from trading.services.bots import bot_create, bot_start
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.runs import run_rules_take
from trading.services.steps import candle_close, candle_open, step_apply
from wallets.services import wallet_create

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BUY = Proposal("BTC-USDT", "buy", Decimal("0.5"), None)
SELL = replace(BUY, side="sell")
HAS = Moment(last_price=Decimal(100), price_age=1.0, at_venue=True, free_quote=Decimal(50), base_owned=Decimal("0.5"))


def reason(proposal: Proposal, moment: Moment) -> str:
    denial = check_proposal(proposal, moment, RiskLimits())
    return denial.reason if denial else ""


@pytest.mark.parametrize(
    ("proposal", "known", "wanted"),
    [
        (BUY, {}, ""),
        (BUY, {"free_quote": Decimal("49.99")}, "insufficient_balance"),
        (BUY, {"free_quote": None}, "insufficient_balance"),
        (replace(BUY, price=Decimal(99)), {"free_quote": Decimal("49.5")}, ""),
        (SELL, {}, ""),
        (SELL, {"base_owned": Decimal("0.499")}, "insufficient_balance"),
        (SELL, {"free_quote": None, "base_owned": None}, ""),
        (replace(SELL, protective=True), {"base_owned": Decimal(0)}, ""),
        (BUY, {"at_venue": False, "free_quote": None}, ""),
    ],
)
def test_an_order_needs_what_it_takes_in_the_account(proposal: Proposal, known: dict[str, Any], wanted: str) -> None:
    assert reason(proposal, replace(HAS, **known)) == wanted


# ---------------------------------------------------------------- in memory


class Venue:
    """Answers what it has, and counts how often it was asked."""

    def __init__(self) -> None:
        self.has, self.asked, self.fails = {"USDT": "1000", "BTC": "1"}, 0, False

    async def balances(self) -> list[Balance]:
        self.asked += 1
        if self.fails:
            raise Retryable("not now")
        return [balance(asset, free) for asset, free in self.has.items()]


def balance(asset: str, free: str, held: str = "0") -> Balance:
    return Balance(asset, Decimal(free), Decimal(held))


@pytest.fixture
async def redis() -> AsyncIterator[Redis]:
    async with Redis.from_url(broker_address()) as client:
        await client.delete(*(f"exchange:binance:sandbox:balances-test:balances{part}" for part in ("", ":age", ":lock")))
        yield client


@pytest.fixture
def venue() -> Venue:
    return Venue()


@pytest.fixture
def kept(redis: Redis, venue: Venue) -> AccountBalances:
    cache = AccountCache(redis, Endpoint("binance", "sandbox", account="balances-test"), venue.balances)
    return AccountBalances(cache, clock=Clock())


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def free(kept: AccountBalances, asset: str) -> str:
    known = kept.find_all()
    assert known is not None
    return decimal_text(known[asset].free)


def sold(quantity: str, price: str, fee: str = "0") -> Report:
    done = Execution("1", Decimal(price), Decimal(quantity), Decimal(fee), "USDT", False, NOW)
    told = {"status": "filled", "side": "sell", "type": "market", "quantity": Decimal(quantity), "filled": Decimal(quantity)}
    return Report("binance", "BTC-USDT", "a", "1", time=NOW, executions=(done,), **told)  # type: ignore[arg-type]


async def test_nothing_is_known_before_the_venue_has_said_it(kept: AccountBalances) -> None:
    assert kept.find_all() is None
    await kept.refresh()
    assert free(kept, "USDT") == "1000"


async def test_most_questions_are_answered_by_the_cache(kept: AccountBalances, venue: Venue) -> None:
    before = REGISTRY.get_sample_value("account_cache_hits_total") or 0.0
    for _ in range(20):
        await kept.refresh()
    assert venue.asked == 1
    assert (REGISTRY.get_sample_value("account_cache_hits_total") or 0.0) - before == 19


async def test_a_fill_counts_at_once_and_the_venue_is_asked_anew(kept: AccountBalances, venue: Venue) -> None:
    await kept.refresh()
    kept.add_fills(sold("0.5", "100", fee="1"))
    assert free(kept, "USDT") == "1049"
    venue.has["USDT"] = "1048.5"
    await kept.refresh()
    assert (venue.asked, free(kept, "USDT")) == (2, "1048.5")


async def test_an_order_on_its_way_sets_aside_what_it_may_cost(kept: AccountBalances) -> None:
    await kept.refresh()
    kept.set_aside(Order(symbol="BTC-USDT", side="buy", quantity=Decimal(2), reference_price=Decimal(100)))
    kept.set_aside(Order(symbol="BTC-USDT", side="sell", quantity=Decimal("0.25"), limit=Decimal(100)))
    assert (free(kept, "USDT"), free(kept, "BTC")) == ("800", "0.75")
    assert kept.assets["BTC"].held == Decimal("0.25")


async def test_the_venues_own_word_counts_without_asking(kept: AccountBalances, venue: Venue) -> None:
    await kept.refresh()
    kept.on_balances(Balances("binance", (balance("USDT", "7", "3"),), NOW))
    assert (free(kept, "USDT"), free(kept, "BTC"), venue.asked) == ("7", "1", 1)


async def test_what_was_not_said_for_minutes_is_not_known(kept: AccountBalances, venue: Venue, redis: Redis) -> None:
    await kept.refresh()
    assert isinstance(kept.clock, Clock)
    kept.clock.now += OLD + 1
    assert kept.find_all() is None
    venue.fails = kept.moved = True
    with pytest.raises(Retryable):
        await kept.refresh()
    assert kept.find_all() is None


# ---------------------------------------------------------------- the order path


def external_bot() -> LoadedBot:
    """It trades with a real account's wallet, and has a run."""
    keep(make_candles(count=30), venue="binance-sandbox")
    wallet = wallet_create(name="real", kind="exchange", quote="BTC", account=account())
    raw = config(venue="binance-sandbox", strategy="buy_and_hold", params={}, cash="100")
    bot = bot_start(bot_id=bot_create(name="b", mode="testnet", wallet_id=wallet.wallet_id, config=raw).bot_id)
    assert bot.run
    run_rules_take(bot.run)
    return bot_load(bot.pk)


def bought(holding: LoadedBot, balances: dict[str, Balance] | None) -> list[Order]:
    """What leaves for the venue when its strategy buys for all its cash, with this in the account."""
    market = MarketNow(timezone.now(), {"ETH-BTC": (Decimal(1), 0.0)}, "test", balances=balances)
    candle_close(holding, 0, {"ETH-BTC": OHLCV(1.0, 1.0, 1.0, 1.0, 1.0)}, {"ETH-BTC": SignalRow(entry=True)}, market)
    candle_open(holding, 300_000, {"ETH-BTC": 1.0}, market)
    return step_apply(holding, market, lambda: holding.trader.entries({"ETH-BTC": 1.0})).send


@pytest.mark.django_db
@pytest.mark.parametrize("has", [{"BTC": balance("BTC", "99")}, {}, None])
def test_an_order_that_the_account_cannot_pay_is_blocked(storage_folder: Path, has: dict[str, Balance] | None) -> None:
    holding = external_bot()
    assert bought(holding, has) == []
    block = BlockEvent.objects.get()
    assert (block.reason, block.symbol, block.side) == ("insufficient_balance", "ETH-BTC", "buy")
    assert not Order.objects.exists()
    assert not RiskAllocation.objects.exists()


@pytest.mark.django_db
def test_a_run_that_has_an_order_keeps_it_when_the_venue_tells_other_rules_before_its_row_says_that_it_decided(
    storage_folder: Path,
) -> None:
    (order,) = bought(external_bot(), {"BTC": balance("BTC", "100")})
    Instrument.objects.update(min_notional=Decimal(50))
    run_rules_take(BotRun.objects.get(decided_at=None))
    assert bot_load(order.bot_id).trader.count_orders("ETH-BTC") == 1


@pytest.mark.django_db
def test_one_that_it_can_pay_leaves(storage_folder: Path) -> None:
    orders = bought(external_bot(), {"BTC": balance("BTC", "100")})
    assert [order.status for order in orders] == ["pending"]
    assert not BlockEvent.objects.exists()
