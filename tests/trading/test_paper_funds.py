"""Money that is made up is conserved: what a wallet does not have cannot be spent, by whatever path."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from core.errors import Conflict, Invalid
from engine.live import OHLCV, SignalRow
from market.services import instrument_ensure
from tests.trading.making import VENUE, paper_wallet
from tests.wallets.making import fill
from trading.models import BlockEvent, Fill, Order, RiskBudget
from trading.services.bot_loading import bot_load
from trading.services.bots import bot_create, bot_start, bot_update
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.steps import candle_close, candle_open
from wallets.models import Wallet
from wallets.selectors import balance_check, wallet_balances
from wallets.services import wallet_create, wallet_deposit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage_folder")]
START, STEP = 1_640_995_200_000, 300_000
SYMBOLS = ("ETH-BTC", "LTC-BTC")
RULES: dict[str, Any] = {"tick_size": Decimal("0.01"), "lot_size": Decimal("0.001"), "min_notional": Decimal("0.1")}
FLAT = OHLCV(10.0, 10.0, 10.0, 10.0, 1_000.0)
BOTS = 10
names = count(1)


@pytest.fixture
def wallet() -> Wallet:
    for symbol in SYMBOLS:
        instrument_ensure(venue=VENUE, symbol=symbol, **RULES)
    return paper_wallet(BTC="1000")


def paper_bot(wallet: Wallet, **changes: Any) -> LoadedBot:
    raw = {"strategy": "buy_and_hold", "venue": VENUE, "symbols": list(SYMBOLS), "interval": "5m", "cash": "800", "fee_bps": 10}
    bot = bot_create(name=f"bot {next(names)}", mode="paper", wallet_id=wallet.wallet_id, config=raw | changes)
    return bot_load(bot_start(bot_id=bot.bot_id).pk)


def market(time_ms: int, price: str = "10") -> MarketNow:
    prices = {symbol: (Decimal(price), 0.0) for symbol in SYMBOLS}
    return MarketNow(datetime.fromtimestamp(time_ms / 1000, UTC), prices, "test")


def want(loaded: LoadedBot, rows: dict[str, SignalRow], number: int = 0, candle: OHLCV = FLAT) -> None:
    """Candle `number` closes, and the strategy wants this."""
    time_ms = START + number * STEP
    candle_close(loaded, time_ms, dict.fromkeys(SYMBOLS, candle), rows, market(time_ms, str(candle.close)))


def begin(loaded: LoadedBot, number: int, price: float = 10.0) -> None:
    time_ms = START + number * STEP
    candle_open(loaded, time_ms, dict.fromkeys(SYMBOLS, price), market(time_ms, str(price)))


def reasons() -> list[str]:
    return list(BlockEvent.objects.order_by("id").values_list("reason", flat=True))


def sound(wallet: Wallet) -> None:
    """Nothing below zero, sums that are sums, nothing set aside that no order needs."""
    assert all(amount >= 0 for amount in wallet_balances(wallet=Wallet.objects.get(pk=wallet.pk)).values())
    assert not balance_check()
    open_claims = Order.objects.filter(closed_at=None).aggregate(total=Sum("allocation__open"))["total"] or 0
    assert all(claimed == open_claims for claimed in RiskBudget.objects.filter(scope="wallet").values_list("claimed", flat=True))


def test_a_second_bot_cannot_spend_what_the_first_has_spent(wallet: Wallet) -> None:
    first, second = paper_bot(wallet), paper_bot(wallet)
    for loaded in (first, second):
        want(loaded, {"ETH-BTC": SignalRow(entry=True)})
        begin(loaded, 1)
    assert reasons() == ["insufficient_balance"]
    assert "free in the wallet Paper" in BlockEvent.objects.get().detail
    assert Order.objects.get().bot_id == first.bot.pk
    assert second.trader.cash == 800.0
    sound(wallet)


def test_what_is_set_aside_for_orders_that_rest_is_not_there_either(wallet: Wallet) -> None:
    first, second = paper_bot(wallet), paper_bot(wallet)
    want(first, {"ETH-BTC": SignalRow(entry=True, entry_limit=9.0)})
    want(second, {"ETH-BTC": SignalRow(entry=True, entry_limit=9.5)})
    assert reasons() == ["insufficient_balance"]
    want(first, {"ETH-BTC": SignalRow(exit=True)}, 1)  # it cancels what rests
    want(second, {"ETH-BTC": SignalRow(entry=True, entry_limit=9.5)}, 1)
    assert Order.objects.filter(bot=second.bot, status="accepted").count() == 1
    want(second, {}, 2, OHLCV(10.0, 10.0, 9.0, 9.0, 1_000.0))
    assert Fill.objects.get().price == Decimal("9.5")
    sound(wallet)


def test_a_stop_that_fills_above_what_was_set_aside_ends_where_the_wallet_cannot_pay(wallet: Wallet) -> None:
    """It was placed at 11, and the market opens at 40."""
    first, second = paper_bot(wallet, sizing={"kind": "fixed", "value": "100"}), paper_bot(wallet)
    want(first, {"ETH-BTC": SignalRow(entry=True, entry_stop=11.0)})
    want(second, {"LTC-BTC": SignalRow(entry=True)})
    begin(second, 1)
    assert Fill.objects.count() == 1
    begin(first, 1, 40.0)
    want(first, {}, 1, OHLCV(40.0, 40.0, 40.0, 40.0, 1_000.0))
    assert reasons() == ["insufficient_balance"]
    ended = Order.objects.get(bot=first.bot)
    assert (ended.status, ended.status_reason) == ("cancelled", "insufficient_balance")
    assert not first.trader.working()
    assert first.trader.cash == 800.0
    sound(wallet)


@pytest.mark.django_db(transaction=True)
def test_bots_that_buy_at_the_same_moment_do_not_spend_the_same_money(wallet: Wallet) -> None:
    """The wallet pays for three of them."""
    bots = [paper_bot(wallet, sizing={"kind": "fixed", "value": "300"}) for _ in range(BOTS)]
    for loaded in bots:
        want(loaded, {"ETH-BTC": SignalRow(entry=True)})
    together = threading.Barrier(BOTS, timeout=30)

    def buy(loaded: LoadedBot) -> None:
        try:
            together.wait()
            begin(loaded, 1)
        finally:
            connection.close()

    with ThreadPoolExecutor(BOTS) as pool:
        list(pool.map(buy, bots))
    assert Fill.objects.count() == 3
    assert reasons() == ["insufficient_balance"] * (BOTS - 3)
    sound(wallet)


def test_an_entry_that_takes_the_place_of_a_refused_one_is_looked_at_too(wallet: Wallet) -> None:
    """Both symbols want all of the cash; the second gets what the first may not spend."""
    loaded = paper_bot(wallet, cash="5000")
    want(loaded, dict.fromkeys(SYMBOLS, SignalRow(entry=True)))
    begin(loaded, 1)
    assert reasons() == ["insufficient_balance"] * 2
    assert not Order.objects.exists()
    assert loaded.trader.cash == 5_000.0
    sound(wallet)


def test_what_is_sold_at_an_open_pays_for_what_is_bought_at_it() -> None:
    for symbol in SYMBOLS:
        instrument_ensure(venue=VENUE, symbol=symbol, **RULES)
    tight = paper_wallet(BTC="800")
    loaded = paper_bot(tight)
    want(loaded, {"ETH-BTC": SignalRow(entry=True)})
    begin(loaded, 1)
    want(loaded, {"ETH-BTC": SignalRow(exit=True), "LTC-BTC": SignalRow(entry=True)}, 1)
    begin(loaded, 2)
    assert reasons() == []
    assert list(Fill.objects.order_by("id").values_list("symbol", "side")) == [
        ("ETH-BTC", "buy"),
        ("ETH-BTC", "sell"),
        ("LTC-BTC", "buy"),
    ]
    assert wallet_balances(wallet=Wallet.objects.get(pk=tight.pk))["BTC"] == Decimal(repr(loaded.trader.cash))
    sound(tight)


def test_where_instruments_have_no_rules_all_can_be_spent_and_not_more() -> None:
    """Floats miss the cash by their noise, which nobody has."""
    for symbol in SYMBOLS:
        instrument_ensure(venue=VENUE, symbol=symbol)
    tight = paper_wallet(BTC="799.99")
    loaded = paper_bot(tight, cash="799.99", fee_bps="7.3")
    for number in range(0, 40, 2):
        price = 9.97 + number * 0.0131
        candle = OHLCV(price, price, price, price, 1_000.0)
        want(loaded, {"ETH-BTC": SignalRow(entry=True)}, number, candle)
        begin(loaded, number + 1, price * 1.0007)
        want(loaded, {"ETH-BTC": SignalRow(exit=True)}, number + 1, candle)
    assert reasons() == []
    assert Fill.objects.filter(side="buy").count() == 20
    sound(tight)


def test_purchases_that_wait_for_the_volume_are_looked_at_before_they_are_executed(wallet: Wallet) -> None:
    slippage = {"kind": "volume_share", "max_share": 0.05, "impact": 0.1}
    first, second = (paper_bot(wallet, slippage=slippage) for _ in range(2))
    for loaded in (first, second):
        want(loaded, {"ETH-BTC": SignalRow(entry=True)})
        for number in (1, 2):
            begin(loaded, number)
            want(loaded, {}, number)
    assert reasons() == ["insufficient_balance"]
    assert second.trader.cash == 800.0
    assert first.trader.positions()["ETH-BTC"] > 50
    sound(wallet)


def test_the_database_refuses_what_would_leave_made_up_money_below_zero() -> None:
    poor = paper_wallet("poor", quote="USDT")
    with pytest.raises(IntegrityError, match="too little USDT"), transaction.atomic():
        fill(poor, 1, quantity=Decimal(1_000), price=Decimal(30_000))
    with pytest.raises(IntegrityError, match="too little BTC"), transaction.atomic():
        fill(poor, 2, side="sell")
    assert fill(poor, 3)
    assert fill(poor, 4, side="sell")
    assert wallet_balances(wallet=Wallet.objects.get(pk=poor.pk))["BTC"] == 0


def refused(wallet: Wallet, **changes: Any) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as caught:
        paper_bot(wallet, **changes)
    return {name: list(texts) for name, texts in caught.value.fields.items()}


def test_a_bot_whose_currency_its_wallet_does_not_have_is_refused_with_a_remedy(wallet: Wallet) -> None:
    instrument_ensure(venue=VENUE, symbol="ETH-USDT")
    (text,) = refused(wallet, symbols=["ETH-USDT"])["wallet_id"]
    assert text.startswith("Paper has no USDT, in which ETH-USDT is paid: it has BTC.")
    assert "Put some in" in text
    wallet_deposit(wallet=wallet, asset="USDT", amount="10")
    assert paper_bot(wallet, symbols=["ETH-USDT"]).bot.symbols == "ETH-USDT"


def test_a_bot_that_has_spent_all_of_its_wallet_can_still_be_changed(wallet: Wallet) -> None:
    loaded = paper_bot(wallet)
    Wallet.objects.get(pk=wallet.pk).balances.update(amount=0)
    loaded.bot.refresh_from_db()
    loaded.bot.wanted = "stopped"
    loaded.bot.save()
    assert bot_update(bot_id=loaded.bot.bot_id, changes={"name": "another"}).name == "another"


def test_a_symbol_that_the_venue_does_not_trade_is_refused_with_what_is_near(wallet: Wallet) -> None:
    for symbol in ("BTC-USDT", "BTC-EUR", "SOL-USDT", "ETH-BTC"):
        instrument_ensure(venue="listed", symbol=symbol, venue_symbol=symbol.replace("-", ""))
    (text,) = refused(wallet, venue="listed", symbols=["SOLE-BTC"])["config.symbols"]
    assert text == "listed does not trade SOLE-BTC. Near are ETH-BTC, SOL-USDT."
    texts = refused(wallet, venue="listed", symbols=["BTC-USD"])["config.symbols"]
    assert texts == ["listed does not trade BTC-USD. Near are BTC-EUR, BTC-USDT."]
    assert paper_bot(wallet, venue="not asked yet".replace(" ", "-"), symbols=["ANY-BTC"]).bot.pk


def test_the_books_of_a_replay_are_no_wallet_of_peoples(wallet: Wallet) -> None:
    books = Wallet.objects.create(
        wallet_id="0" * 16, name="Replay x", kind="replay", venue=VENUE, quote="BTC", maker=Decimal(0), taker=Decimal(0)
    )
    with pytest.raises(Invalid, match="fields"):
        paper_bot(books)
    with pytest.raises(Conflict, match="began with its cash"):
        wallet_deposit(wallet=books, asset="BTC", amount="1")
    with pytest.raises(Invalid) as caught:
        wallet_create(name="mine", kind="replay", quote="BTC", venue=VENUE)
    assert "kind" in caught.value.fields


@pytest.fixture
def storage_folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"
