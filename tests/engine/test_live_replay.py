"""Backtest = replay (invariant 5): a trader fed candle by candle does what the simulator does over all of them, to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Conflict, Invalid
from engine.audit import SIGNAL_COLUMNS
from engine.layout import volatility_share
from engine.live import OHLCV, HeldPosition, SignalRow, Step, decide_row, last_row, last_size
from engine.live.previews import preview_open
from engine.simulator import simulate
from engine.strategies import registry
from engine.strategy import Strategy, evaluate
from engine.types import Account, Candles, Exits, Fees, Limits, Rules, Sizing, Slippage
from tests.engine.cases import Case, cases, examples
from tests.engine.driving import Tape, assert_same, drive, generated, new_trader, recorded, simulated

COSTS: dict[str, Any] = {"fees": Fees(0.001, 0.002), "slippage": Slippage("bps", 5.0)}


def same_as_simulated(tape: Tape, position: str, **more: Any) -> int:
    """Returns the number of fills."""
    result = simulate(tape.account, tape.candles, tape.signals, warmup=tape.warmup, position=position)
    symbols = [each.symbol for each in tape.candles]
    driven, trader = drive(tape, position, **more)
    assert_same(driven, simulated(result, symbols), int(result.time[-1]))
    assert trader.cash == result.final_cash
    return len(result.fills)


@examples(120)
@given(cases(), st.sets(st.integers(0, 60), max_size=6), st.sets(st.integers(0, 60), max_size=6))
def test_any_account_and_any_signals(case: Case, reloads: set[int], unopened: set[int]) -> None:
    tape = Tape(case.account, case.candles, case.signals, case.warmup)
    same_as_simulated(tape, case.position, reloads=reloads, unopened=unopened)


ACCOUNTS = {
    "plain": Account(10_000.0, **COSTS),
    "protected": Account(10_000.0, **COSTS, sizing=Sizing("fraction", 0.5), exits=Exits(0.02, 0.03, 0.015, 40), order_ttl=5),
    "volume": Account(
        10_000.0,
        fees=Fees(0.001, 0.002),
        slippage=Slippage("volume_share", 0.0, 0.1, 0.1),
        sizing=Sizing("volatility", 0.5, 50),
        exits=Exits(stop_loss=0.05),
        rules=(Rules(0.0, 0.0001, 1.0),),
    ),
}


QUICK: dict[str, dict[str, Any]] = {"momentum": {"higher": "15m", "trend": 5}}
"""Parameters that act within the few candles."""


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("kind", registry.list_strategies(), ids=lambda kind: kind.name)
def test_every_strategy_on_generated_candles(kind: type[Strategy], account: str) -> None:
    one = generated(1_200, 1)
    fills = same_as_simulated(
        tape_of(kind(QUICK.get(kind.name)), ACCOUNTS[account], one), kind.position, reloads=range(0, 1_200, 97)
    )
    assert fills > 0 or account == "volume"  # volatility is not known when a buyer-and-holder buys


def tape_of(strategy: Strategy, account: Account, one: Candles) -> Tape:
    """Signals computed once; on a sample of candles a prefix gives the same row."""
    _, signals = evaluate(strategy, one)
    warmup = strategy.warmup_at(one.interval)
    shares = volatility_share(account.sizing, one) if account.sizing.kind == "volatility" else np.full(len(one), np.nan)
    for i in np.linspace(warmup, len(one) - 1, 5).astype(int).tolist():
        row, prefix = last_row(signals, i, float(shares[i])), decide_row(strategy, one[: i + 1], account.sizing)
        assert prefix is not None
        assert same_row(prefix, row), (strategy.name, i)
    return Tape(account, [one], [signals], warmup)


def same_row(one: SignalRow, other: SignalRow) -> bool:
    """Equal, NaN equal to NaN; indicators may differ by rounding between a prefix and the whole (see the audit), flags not."""
    if (one.entry, one.exit) != (other.entry, other.exit) or (one.ladder is None) != (other.ladder is None):
        return False
    names = [name for name in SIGNAL_COLUMNS if name not in ("entry", "exit")]
    left, right = ([getattr(row, name) for name in names] for row in (one, other))
    return bool(np.allclose(left, right, rtol=1e-9, atol=0.0, equal_nan=True)) and repr(one.size) == repr(other.size)


@pytest.mark.parametrize(
    ("name", "symbol", "interval", "part"),
    [
        ("ETH_BTC-5m.feather", "ETH-BTC", "5m", slice(0, 3_000)),
        ("DASH_BTC-5m.feather", "DASH-BTC", "5m", slice(0, 3_000)),
        ("BTC-USD-1m-2022-01.csv.gz", "BTC-USD", "1m", slice(10_000, 13_000)),
    ],
)
def test_every_strategy_on_recorded_candles(shared_data: Path, name: str, symbol: str, interval: str, part: slice) -> None:
    one = recorded(shared_data / "candles" / name, symbol, interval)[part]
    for kind in registry.list_strategies():
        same_as_simulated(tape_of(kind(QUICK.get(kind.name)), ACCOUNTS["protected"], one), kind.position)


def test_two_symbols_with_gaps() -> None:
    """Capped, so that the symbols compete for places and cash."""
    account = Account(
        10_000.0,
        **COSTS,
        sizing=Sizing("fraction", 0.4),
        exits=Exits(0.02, 0.0, 0.0, 30),
        limits=Limits(1, 0.6),
        rules=(Rules(), Rules(0.01, 0.001, 10.0)),
    )
    random, series = np.random.default_rng(5), []
    for k, symbol in enumerate(("AAA-USD", "BBB-USD")):
        one = generated(1_500, 7 + k)
        kept = np.flatnonzero(random.random(len(one)) < 0.8)
        columns = [getattr(one, name)[kept] for name in ("time", "open", "high", "low", "close", "volume")]
        series.append(Candles(symbol, one.interval, *columns))
    for name in ("sma_cross", "dca", "grid", "volatility_target"):
        strategy = registry.get_strategy(name)()
        signals = [evaluate(strategy, each)[1] for each in series]
        assert same_as_simulated(
            Tape(account, series, signals, strategy.warmup()), strategy.position, reloads=range(50, 1_500, 111)
        )


def test_volatility_sizing_is_the_same_on_a_prefix() -> None:
    one, sizing = generated(400, 3), Sizing("volatility", 0.5, 50)
    whole = volatility_share(sizing, one)
    assert [last_size(sizing, one[: i + 1]) for i in range(50, 400)] == whole[50:].tolist()
    assert np.isnan(last_size(sizing, one[:50]))


def test_no_row_before_the_warm_up() -> None:
    one, strategy = generated(100, 1), registry.get_strategy("sma_cross")({"fast": 5, "slow": 20})
    assert decide_row(strategy, one[: strategy.warmup() - 1], Sizing()) is None
    assert decide_row(strategy, one[: strategy.warmup()], Sizing()) is not None


# What is not in a backtest.
FLAT = OHLCV(100.0, 100.0, 100.0, 100.0, 50.0)
MINUTE = 60_000


def paper(account: Account | None = None, position: str = "single") -> Any:
    one = generated(1, 1)
    return new_trader(Tape(account or Account(1_000.0), [one], [], 0), position)


def test_a_blocked_entry_is_as_if_it_had_never_been_wanted() -> None:
    trader = paper()
    assert not trader.close(0, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(entry=True)}).wanted
    (queued,) = preview_open(trader, {"BTC-USD": 125.0}).wanted
    assert (queued.side, queued.type, queued.quantity, queued.created_at) == ("buy", "market", 8.0, 0)
    before = trader.dump()
    assert [one.number for one in preview_open(trader, {"BTC-USD": 100.0}).wanted] == [queued.number]
    assert trader.dump() == before
    step = trader.block(queued.number)
    assert step == Step()
    assert not trader.is_wanted(queued.number)
    assert not trader.open(MINUTE, {"BTC-USD": 100.0}).executed
    assert trader.cash == trader.free == 1_000.0


def test_a_blocked_target_is_forgotten() -> None:
    trader = paper(position="merge")
    trader.close(0, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(target=0.5)})
    (queued,) = preview_open(trader, {"BTC-USD": 100.0}).wanted
    trader.block(queued.number)
    assert not trader.open(MINUTE, {"BTC-USD": 100.0}).executed
    assert not preview_open(trader, {"BTC-USD": 100.0}).wanted


def test_the_order_has_the_number_that_was_queued() -> None:
    trader = paper(position="merge")
    trader.close(0, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(target=0.5)})
    queued = preview_open(trader, {"BTC-USD": 100.0}).wanted
    assert [(one.number, one.side, one.reason) for one in trader.working()] == [(queued[0].number, "buy", "rebalance")]
    assert trader.open(MINUTE, {"BTC-USD": 100.0}).wanted == queued
    trader.close(MINUTE, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(target=0.5)})
    assert trader.open(2 * MINUTE, {"BTC-USD": 100.0}).wanted == trader.working() == []  # near enough: left alone


def test_paused_it_enters_no_more_but_exits() -> None:
    trader = paper()
    trader.close(0, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(entry=True)})
    trader.open(MINUTE, {"BTC-USD": 100.0})
    trader.pause()
    trader.close(MINUTE, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(exit=True)})
    (sold,) = trader.open(2 * MINUTE, {"BTC-USD": 100.0}).executed
    assert sold.side == "sell"
    trader.close(2 * MINUTE, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(entry=True)})
    assert not preview_open(trader, {"BTC-USD": 100.0}).wanted
    trader.resume()
    trader.close(3 * MINUTE, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(entry=True)})
    assert preview_open(trader, {"BTC-USD": 100.0}).wanted


def test_pausing_cancels_what_waits_to_buy() -> None:
    ladder = np.array([90.0, 80.0]), np.array([100.0, 90.0])
    trader = paper(position="lots")
    resting = trader.close(0, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(ladder=ladder)}).wanted
    assert [done.status for done in trader.pause().done] == ["cancelled"] * len(resting) == ["cancelled"] * 2
    assert not trader.close(MINUTE, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(ladder=ladder)}).wanted
    trader.resume()
    assert len(trader.close(2 * MINUTE, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(ladder=ladder)}).wanted) == 2


def test_a_candle_that_comes_too_late_opens_nothing_but_may_close() -> None:
    trader = paper()
    trader.close(0, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(entry=True)}, tradable=False)
    assert not preview_open(trader, {"BTC-USD": 100.0}).wanted
    trader.close(MINUTE, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(entry=True)})
    trader.close(2 * MINUTE, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(exit=True)}, tradable=False)
    assert [one.side for one in preview_open(trader, {"BTC-USD": 100.0}).wanted] == ["sell"]


def test_cancelled_orders_stay_cancelled() -> None:
    trader = paper()
    limited = SignalRow(entry=True, entry_limit=90.0)
    (resting,) = trader.close(0, {"BTC-USD": FLAT}, {"BTC-USD": limited}).wanted
    assert trader.free < trader.cash
    assert [(done.number, done.status) for done in trader.cancel_all().done] == [(resting.number, "cancelled")]
    assert trader.free == trader.cash == 1_000.0
    assert not trader.working()


def test_a_new_run_takes_over_cash_and_lots() -> None:
    account = Account(1_000.0, exits=Exits(stop_loss=0.1, max_candles=4))
    old, new = paper(account), paper(account)
    old.close(0, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(entry=True)})
    old.close(MINUTE, {"BTC-USD": FLAT}, {})
    new.carry(old)
    assert (new.cash, new.positions(), new.equity()) == (old.cash, old.positions(), 1_000.0)
    assert new.holdings() == old.holdings()
    # Its candles count on: bought in the old run's second, it is held for four with the new one's third.
    times = [k * MINUTE for k in range(2, 6)]
    queued = [(new.close(time, {"BTC-USD": FLAT}, {}), preview_open(new, {"BTC-USD": 100.0}).wanted)[1] for time in times[:3]]
    assert [[one.reason for one in each] for each in queued] == [[], [], ["time_limit"]]
    (trade,) = new.open(times[3], {"BTC-USD": 100.0}).closed
    assert trade.opened_at == MINUTE


def test_a_new_run_takes_over_what_the_books_say() -> None:
    account = Account(1_000.0, exits=Exits(stop_loss=0.1, max_candles=2))
    new = paper(account)
    new.take_over(400.0, {"BTC-USD": HeldPosition(6.0, 600.0, 0)})
    assert (new.cash, new.positions(), new.equity()) == (400.0, {"BTC-USD": 6.0}, 1_000.0)
    (lot,) = new.holdings()
    assert (lot.quantity, lot.price, lot.stop) == (6.0, 100.0, 90.0)
    new.load(new.dump())
    new.close(MINUTE, {"BTC-USD": FLAT}, {})
    assert not preview_open(new, {"BTC-USD": 100.0}).wanted
    new.close(2 * MINUTE, {"BTC-USD": FLAT}, {})
    assert [one.reason for one in preview_open(new, {"BTC-USD": 100.0}).wanted] == ["time_limit"]
    with pytest.raises(Invalid, match="still holds ETH-USD"):
        paper(account).take_over(400.0, {"ETH-USD": HeldPosition(6.0, 600.0, 0)})


def test_what_cannot_be_is_refused() -> None:
    trader = paper()
    trader.close(0, {"BTC-USD": FLAT}, {})
    with pytest.raises(Invalid, match="not after the last one"):
        trader.close(0, {"BTC-USD": FLAT}, {})
    with pytest.raises(Invalid, match="is not one of the bot's symbols"):
        trader.open(MINUTE, {"ETH-USD": 1.0})
    with pytest.raises(Invalid, match="no price"):
        trader.open(MINUTE, {"BTC-USD": float("nan")})
    with pytest.raises(Conflict, match="no venue"):
        trader.apply_fill(0, 1.0, 1.0, 0.0, True, 0)
    with pytest.raises(Invalid, match="cannot be read"):
        trader.load(b"nonsense")
    with pytest.raises(Invalid, match="another version"):
        trader.load(b'{"version":1,"symbols":["BTC-USD"]}\n')


def test_an_idle_bot_costs_little() -> None:
    """A thousand of them are held by one process."""
    trader = paper()
    for k in range(2_000):
        trader.close(k * MINUTE, {"BTC-USD": FLAT}, {"BTC-USD": SignalRow(entry=k % 2 == 0, exit=k % 2 == 1)})
    tables = [
        trader.trader_state.book.lots,
        trader.trader_state.book.working,
        trader.trader_state.book.orders,
        trader.trader_state.book.fills,
    ]
    assert sum(table.nbytes for table in (*tables, trader.trader_state.book.trades)) < 20_000
    assert len(trader.dump()) < 1_500
