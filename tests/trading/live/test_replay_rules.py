"""One law in every driver: on instruments with rules a replay is its backtest to the last digit, and so are its own books."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from backtests.against_live import compare_with_backtest
from backtests.data import find_market
from backtests.execution import compute_run
from backtests.selectors.differences import difference_json, find_difference
from engine.strategies import registry
from engine.strategy import Columns
from engine.types import Candles, Signals
from market.demo import DEMO
from market.models import Instrument
from market.services import demo_data_load
from market.size_rules import instrument_rules
from tests.chaos.strategies import Simple
from tests.trading.making import keep, paper_wallet
from tests.trading.money import put_on_ticks
from trading.live.replay import load_candles, replay_drive
from trading.models import BlockEvent, Bot, BotRun, Fill, Order, Position, RiskBudget
from trading.services.bots import bot_create, bot_start, bot_update
from trading.setup.config import parse_config
from wallets.models import Wallet
from wallets.selectors import balance_check, wallet_balances

pytestmark = pytest.mark.django_db(transaction=True)
STRATEGIES = [kind.name for kind in registry.list_strategies()]
COUNT = 260
RULES: dict[str, dict[str, Any]] = {
    "BTC-USDT": {"price": 65_000, "tick_size": "0.01", "lot_size": "0.00001", "min_notional": "5", "fee_bps": 10},
    "XRP-USDT": {"price": 0.6, "tick_size": "0.0001", "lot_size": "0.1", "min_notional": "5", "fee_bps": "7.5"},
    "BTC-USD": {"price": 65_010, "tick_size": "0.01", "lot_size": "0.00000001", "min_notional": "1", "fee_bps": 60},
    "ODD-EUR": {"price": 7, "tick_size": "0.015", "lot_size": "0.25", "min_notional": "2.5", "fee_bps": 13},
}
"""As Binance and Coinbase have them, and one with steps that are no power of ten."""


def walk(symbol: str, price: float, tick: Decimal, seed: int = 5) -> Candles:
    """Candles on the ticks of an instrument."""
    random = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(random.normal(0, 0.006, COUNT)))
    opened = np.concatenate([[price], close[:-1]])
    high, low = np.maximum(opened, close) * 1.002, np.minimum(opened, close) * 0.998
    opened, high, low, close = (put_on_ticks(column, tick) for column in (opened, high, low, close))
    time = 1_640_995_200_000 + 300_000 * np.arange(COUNT)
    return Candles(symbol, "5m", time, opened, high, low, close, random.uniform(5, 50, COUNT).round(2))


def given(symbol: str, **more: Any) -> dict[str, Any]:
    """A configuration on made-up candles of an instrument with its rules."""
    rules: dict[str, Any] = {name: Decimal(RULES[symbol][name]) for name in ("tick_size", "lot_size", "min_notional")}
    keep(walk(symbol, RULES[symbol]["price"], rules["tick_size"]), **rules)
    costs = {"fee_bps": RULES[symbol]["fee_bps"], "slippage_bps": 3, "exits": {"stop_loss": 0.013, "take_profit": 0.017}}
    return {"venue": "test", "symbols": [symbol], "interval": "5m", "cash": "10000", **costs, **more}


def replayed(raw: dict[str, Any], wallet: Wallet, name: str = "Replayed") -> Bot:
    bot = bot_create(name=name, mode="replay", wallet_id=wallet.wallet_id, config=raw)
    bot_start(bot_id=bot.bot_id)
    replay_drive(bot.pk)
    return Bot.objects.select_related("run__books").get(pk=bot.pk)


def same_to_the_last_digit(raw: dict[str, Any], wallet: Wallet) -> int:
    """The replay of `raw` beside its backtest. Returns how many fills they have."""
    before = wallet_balances(wallet=wallet)
    config, _, instruments = find_market(parse_config(raw))
    config = replace(config, rules={symbol: instrument_rules(instruments[symbol]) for symbol in config.symbols})
    outcome = compute_run(config, load_candles(config), fingerprint="", on_progress=lambda done: True, check=lambda: None)
    bot = replayed(raw, wallet, name=f"{raw['strategy']} {raw['symbols']} {raw['interval']}")
    run, table, orders = bot.run, outcome.tables["fills"], outcome.tables["orders"]
    assert run is not None
    assert run.books is not None
    assert run.end_reason == "finished", run.error
    assert run.config["rules"] == config.to_json()["rules"]
    fills = Fill.objects.filter(order__run=run).order_by("id").values_list("symbol", "price", "quantity", "fee")
    theirs = [
        (config.symbols[orders["symbol"][table["order"][i]]], *(written(table[name][i]) for name in ("price", "quantity", "fee")))
        for i in range(len(table))
    ]
    assert list(fills) == theirs
    final = written(outcome.tables["equity"]["equity"][-1])
    assert run.equity == written(outcome.results["final_equity"]) == final.quantize(Decimal("1e-8"))
    assert wallet_balances(wallet=run.books) == {
        config.symbols[0].split("-")[1]: final,
        **{symbol.split("-")[0]: Decimal(0) for symbol in {one[0] for one in theirs}},
    }
    assert wallet_balances(wallet=wallet) == before
    assert not balance_check()
    assert not Position.objects.filter(bot=bot).exclude(quantity=0).exists()
    if run.decides_from:
        compared = compare_with_backtest(run)
        assert compared.zero
        assert difference_json(find_difference(run))["difference"] == "0"
    return len(theirs)


def written(value: Any) -> Decimal:
    """The decimal that a float is written as."""
    return Decimal(repr(float(value)))


@pytest.mark.parametrize("symbol", RULES)
def test_every_strategy_replays_to_the_last_digit_where_there_are_rules(symbol: str) -> None:
    wallet, raw = paper_wallet(quote=symbol.split("-")[1]), given(symbol)
    counts = [same_to_the_last_digit({**raw, "strategy": name, "params": {}}, wallet) for name in STRATEGIES]
    assert sum(count > 2 for count in counts) > 6


def test_an_instruments_maxima_replay_to_the_last_digit() -> None:
    wallet, raw = paper_wallet(quote="USDT"), given("BTC-USDT")
    Instrument.objects.update(limits={"market_max_quantity": "0.05", "max_notional": "2000", "max_position": "0.12"})
    for name in ("dca", "grid", "sma_cross", "volatility_target"):
        assert same_to_the_last_digit({**raw, "strategy": name, "params": {}}, wallet) > 2
        assert max(Fill.objects.filter(bot__strategy=name, side="buy").values_list("quantity", flat=True)) <= Decimal("0.05")
    assert BlockEvent.objects.filter(reason="above_maximum").exists()


def test_the_demonstrations_own_instruments_replay_to_the_last_digit(settings: Any) -> None:
    demo_data_load()
    wallet = paper_wallet(quote="USDT")
    raw = {"venue": "sandbox", "interval": "15m", "cash": "10000", "fee_bps": 10, "slippage_bps": 2, "params": {}}
    span = {"start": "2026-01-01", "end": "2026-01-15"}
    symbols = [demo.symbol for demo in DEMO]
    for chosen in (*([one] for one in symbols), symbols):
        assert same_to_the_last_digit({**raw, **span, "strategy": "ema_cross", "symbols": chosen}, wallet) > 10


def test_replays_have_books_of_their_own_that_begin_with_their_cash() -> None:
    """Four in a row once left their wallet with less than nothing."""
    wallet, raw = paper_wallet(quote="USDT"), given("BTC-USDT", strategy="sma_cross", params={"fast": 3, "slow": 8})
    bots = [replayed(raw, wallet, name=f"replay {number}") for number in range(3)]
    bot_start(bot_id=bots[0].bot_id)
    replay_drive(bots[0].pk)
    assert wallet_balances(wallet=wallet) == {"USDT": Decimal(1_000_000)}
    runs = [run for bot in bots for run in bot.runs.select_related("books")]
    assert len({run.books_id for run in runs}) == 4
    assert len({str(wallet_balances(wallet=run.books)) for run in runs}) == 1  # type: ignore[arg-type]
    opening = runs[0].books.transactions.get(kind="opening")  # type: ignore[union-attr]
    assert opening.entries.get(account="assets").amount == Decimal(10_000)


class Gives(Simple):
    """Rests an order above what it holds, and one day makes a mistake."""

    name, title, position = "gives_up", "Gives up", "merge"

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        if len(candles) > 20:
            raise ZeroDivisionError("a mistake of its author")
        always = np.ones(len(candles), dtype=np.bool_)
        limit = np.where(np.arange(len(candles)) % 2 == 1, candles.close * 0.5, np.nan)
        return Signals(entry=always, entry_limit=limit, weight=np.full(len(candles), 0.1))


def test_a_replay_that_fails_leaves_nothing_behind_for_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.find_strategies().strategies, Gives.name, Gives)
    wallet, raw = paper_wallet(quote="USDT"), given("BTC-USDT", strategy="gives_up", params={})
    failed = replayed(raw, wallet)
    assert failed.run is not None
    assert "a mistake of its author" in failed.run.error
    assert Position.objects.get(bot=failed).quantity > 0
    assert not Order.objects.filter(bot=failed, closed_at=None).exists()
    assert not any(RiskBudget.objects.values_list("claimed", flat=True))
    bot_update(bot_id=failed.bot_id, changes={"config": {**raw, "strategy": "buy_and_hold", "params": {}}})
    bot_start(bot_id=failed.bot_id)
    assert not any(RiskBudget.objects.values_list("used", flat=True))
    replay_drive(failed.pk)
    again = Bot.objects.select_related("run__books").get(pk=failed.pk).run
    assert again is not None
    assert again.end_reason == "finished", again.error
    assert wallet_balances(wallet=again.books)["BTC"] == 0  # type: ignore[arg-type]


def test_a_replay_that_began_before_it_had_books_ends_and_says_why() -> None:
    raw = given("BTC-USDT", strategy="buy_and_hold", params={})
    bot = bot_create(name="old", mode="replay", wallet_id=paper_wallet(quote="USDT").wallet_id, config=raw)
    bot_start(bot_id=bot.bot_id)
    BotRun.objects.filter(bot=bot).update(books=None)
    replay_drive(bot.pk)
    run = BotRun.objects.get(bot=bot)
    assert run.end_reason == "failed"
    assert run.error.endswith("Start it again.")


def test_levels_and_prices_of_a_replay_stand_on_the_ticks() -> None:
    raw = given("ODD-EUR", strategy="rsi_reversion", params={})
    bot = replayed(raw, paper_wallet(quote="EUR"))
    prices = Fill.objects.filter(bot=bot).values_list("price", flat=True)
    limits = Order.objects.filter(bot=bot).exclude(stop=None, limit=None).values_list("limit", "stop")
    shown = [*prices, *(one for row in limits for one in row if one is not None)]
    assert len(shown) > 4
    assert all(price % Decimal("0.015") == 0 for price in shown)
