"""What must hold for any run of the kernel, whatever the rules say in detail."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.layout import money_scale
from engine.simulator import simulate
from engine.types import (
    REASONS,
    REFUSALS,
    SIDES,
    Account,
    Candles,
    Ladder,
    Protections,
    Rules,
    Signals,
    Simulation,
    Sizing,
    Slippage,
    Table,
)
from tests.engine.cases import Case, cases, examples

BUY, SELL = SIDES.index("buy"), SIDES.index("sell")
PRICES = ("entry_limit", "entry_stop", "exit_limit", "exit_stop")


def run(case: Case) -> Simulation:
    return simulate(*case.arguments(), **case.keywords())


def sides(run: Simulation) -> np.ndarray[Any, Any]:
    side: np.ndarray[Any, Any] = run.orders["side"][run.fills["order"]]
    return side


def symbols(run: Simulation) -> np.ndarray[Any, Any]:
    symbol: np.ndarray[Any, Any] = run.orders["symbol"][run.fills["order"]]
    return symbol


@examples(150)
@given(cases())
def test_the_books_balance(case: Case) -> None:
    got, cash = run(case), case.account.cash
    fills, trades, buys = got.fills, got.trades, sides(got) == BUY
    signed = np.where(buys, fills["quantity"], -fills["quantity"])
    assert (fills["cash"] >= -1e-9 * cash).all()
    flows = -signed * fills["price"] - fills["fee"]
    np.testing.assert_allclose(fills["cash"], cash + np.cumsum(flows), rtol=1e-9, atol=1e-8 * cash)
    for symbol in range(len(case.candles)):
        mine = symbols(got) == symbol
        positions = np.cumsum(signed[mine])
        np.testing.assert_allclose(fills["position"][mine], positions, atol=1e-9 * (1 + np.abs(positions).max(initial=0)))
        sold = trades["quantity"][trades["symbol"] == symbol].sum()
        np.testing.assert_allclose(sold, fills["quantity"][mine & buys].sum(), rtol=1e-9)
        assert not mine.any() or fills["position"][mine][-1] == 0
    np.testing.assert_allclose(trades["profit"].sum(), got.final_cash - cash, rtol=1e-9, atol=1e-8 * cash)
    assert got.equity[-1] == got.final_cash


@examples(150)
@given(cases())
def test_equity_is_cash_and_positions_at_their_last_closes(case: Case) -> None:
    got = run(case)
    closing = np.array([REASONS[reason] == "end_of_data" for reason in got.orders["reason"][got.fills["order"]]], dtype=bool)
    cash, positions, marks = case.account.cash, np.zeros(len(case.candles)), np.zeros(len(case.candles))
    for t in range(len(got.time)):
        for k in np.flatnonzero((got.fills["index"] == t) & ~closing):
            cash, positions[symbols(got)[k]] = got.fills["cash"][k], got.fills["position"][k]
        for symbol, one in enumerate(case.candles):
            marks[symbol] = dict(zip(one.time, one.close, strict=True)).get(got.time[t], marks[symbol])
        expected = got.final_cash if t == len(got.time) - 1 else cash + positions @ marks
        np.testing.assert_allclose(got.equity[t], expected, rtol=1e-9, atol=1e-9 * case.account.cash)


@examples(150)
@given(cases())
def test_no_fill_is_better_than_its_candle(case: Case) -> None:
    got = run(case)
    fills, touch = got.fills, 1e-9
    assert (fills["fee"] >= 0).all()
    assert (fills["slippage"] >= 0).all()
    assert (fills["quantity"] > 0).all()
    assert (fills["slippage"][fills["maker"]] == 0).all()
    for k in range(len(fills)):
        candle = case.candles[symbols(got)[k]]
        i = np.searchsorted(candle.time, got.time[fills["index"][k]], side="right") - 1
        price, low, high = fills["price"][k], candle.low[i] * (1 - touch), candle.high[i] * (1 + touch)
        slipped = fills["slippage"][k] / fills["quantity"][k]
        buys = sides(got)[k] == BUY
        assert price >= low if buys else price <= high
        if not fills["maker"][k]:
            assert low <= (price - slipped if buys else price + slipped) <= high


@examples(150)
@given(cases())
def test_the_volume_cap_holds(case: Case) -> None:
    got = run(case)
    if case.account.slippage.kind != "volume_share":
        return
    taken: Counter[tuple[int, int]] = Counter()
    for k, order in enumerate(got.fills["order"]):
        if REASONS[got.orders["reason"][order]] != "end_of_data":
            taken[int(symbols(got)[k]), int(got.fills["index"][k])] += got.fills["quantity"][k]
    for (symbol, t), quantity in taken.items():
        volume = dict(zip(case.candles[symbol].time, case.candles[symbol].volume, strict=True))[got.time[t]]
        assert quantity <= case.account.slippage.max_share * volume * (1 + 1e-9)


@examples(150)
@given(cases(), st.data())
def test_what_comes_later_changes_nothing_before(case: Case, data: st.DataObject) -> None:
    full = run(case)
    least = int(np.searchsorted(full.time, max(one.time[0] for one in case.candles))) + 1
    n = data.draw(st.integers(least, len(full.time)))
    lengths = [int(np.searchsorted(one.time, full.time[n - 1], side="right")) for one in case.candles]
    series = tuple(one[:length] for one, length in zip(case.candles, lengths, strict=True))
    wants = tuple(cut(one, length) for one, length in zip(case.signals, lengths, strict=True))
    part = run(replace(case, candles=series, signals=wants))
    assert story(part, n) == story(full, n)
    assert part.equity[:-1].tobytes() == full.equity[: n - 1].tobytes()


def cut(signals: Signals, length: int) -> Signals:
    arrays = {name: getattr(signals, name) for name in Signals.__dataclass_fields__ if name != "ladder"}
    return replace(signals, **{name: array[:length] for name, array in arrays.items() if array is not None})


def story(run: Simulation, n: int) -> list[tuple[Any, ...]]:
    """All fills of the first `n` candles apart from those of the end."""
    fills, orders = run.fills, run.orders
    return [
        tuple(orders[name][fills["order"][k]] for name in ("symbol", "side", "type", "reason", "created_index"))
        + tuple(fills[name][k] for name in fills.columns if name != "order")
        for k in np.flatnonzero(fills["index"] < n)
        if REASONS[orders["reason"][fills["order"][k]]] != "end_of_data"
    ]


@examples(150)
@given(cases(), st.sampled_from([0.125, 8.0, 1024.0]))
def test_the_unit_of_money_does_not_matter(case: Case, factor: float) -> None:
    """The factors are powers of two, so that prices scale exactly and no decision may differ. Only the last place of fees, where
    they have one, is the same in every unit."""
    got, scaled = run(case), run(scale(case, factor))
    last = 1e-8 * max(1.0, factor) * len(got.fills) if money_scale(case.account.cash, case.account.rules) else 0.0
    for name in ("side", "type", "status", "refusal", "created_index", "closed_index"):
        assert scaled.orders[name].tolist() == got.orders[name].tolist()
    for name in got.fills.columns:
        unit = factor if name in ("price", "fee", "slippage", "cash") else 1.0
        np.testing.assert_allclose(scaled.fills[name], got.fills[name] * unit, rtol=1e-9, atol=1e-9 * unit + last, err_msg=name)
    np.testing.assert_allclose(scaled.equity, got.equity * factor, rtol=1e-12, atol=last)


def scale(case: Case, factor: float) -> Case:
    return replace(
        case,
        account=scale_account(case.account, factor),
        candles=tuple(scale_candles(one, factor) for one in case.candles),
        signals=tuple(scale_signals(one, factor) for one in case.signals),
    )


def scale_account(account: Account, factor: float) -> Account:
    sizing, slippage = account.sizing, account.slippage
    if sizing.kind == "fixed":
        sizing = replace(sizing, value=sizing.value * factor)
    if slippage.kind == "half_spread":
        slippage = Slippage(slippage.kind, slippage.value * factor)
    rules = tuple(
        replace(one, **{name: getattr(one, name) * factor for name in ("tick", "min_notional", "max_notional")})
        for one in account.rules
    )
    return replace(account, cash=account.cash * factor, sizing=sizing, slippage=slippage, rules=rules)


def scale_candles(one: Candles, factor: float) -> Candles:
    return replace(one, **{name: getattr(one, name) * factor for name in ("open", "high", "low", "close")})


def scale_signals(one: Signals, factor: float) -> Signals:
    ladder = one.ladder and Ladder(one.ladder.start, one.ladder.buy * factor, one.ladder.sell * factor)
    prices = {name: getattr(one, name) for name in PRICES}
    return replace(one, ladder=ladder, **{name: None if price is None else price * factor for name, price in prices.items()})


@examples(150)
@given(cases())
def test_a_run_repeats_byte_for_byte(case: Case) -> None:
    assert frozen(run(case)) == frozen(run(case))


NEVER = Protections(0, 21, 100, 100, "all", 1.0, 100, 1, 100, -21.0, 100, 1, 100)
"""On, but nothing is ever that bad."""


@examples(150)
@given(cases())
def test_protections_that_never_act_change_nothing(case: Case) -> None:
    off, on = (replace(case, account=replace(case.account, protections=each)) for each in (Protections(), NEVER))
    assert frozen(run(on)) == frozen(run(off))


@examples(150)
@given(cases(), st.integers(1, 5))
def test_no_entry_is_decided_while_its_symbol_cools_down(case: Case, cooldown: int) -> None:
    got = run(replace(case, account=replace(case.account, protections=replace(case.account.protections, cooldown=cooldown))))
    trades, orders = got.trades, got.orders
    if case.account.slippage.kind == "volume_share" or case.signals[0].target is not None:
        return  # a trade may then be a part of a lot
    whole = orders["refusal"] != REFUSALS.index("above_maximum")  # else what an entry of before could not ask for
    for k in np.flatnonzero((orders["side"] == BUY) & whole):
        age = orders["created_index"][k] - trades["exit_index"][trades["symbol"] == orders["symbol"][k]]
        if ((age >= 0) & (age < cooldown)).any():
            assert REFUSALS[orders["refusal"][k]] == "protection"


def frozen(run: Simulation) -> tuple[Any, ...]:
    tables: tuple[Table, ...] = (run.orders, run.fills, run.trades)
    columns = (table[name].tobytes() for table in tables for name in sorted(table.columns))
    return run.time.tobytes(), run.equity.tobytes(), run.final_cash, *columns


def test_what_a_volume_cap_leaves_of_an_order_is_whole_lots() -> None:
    """2.0239 less 0.733 is 1.2908999999999997 in floats."""
    price, volume = np.full(5, 100.0), np.array([14.66, 14.66, 1e3, 14.66, 1e3])
    candles = Candles("AAA-USDT", "5m", 300_000 * np.arange(5), price, price, price, price, volume)
    rules = (Rules(0.01, 0.0001),)
    account = Account(10_000.0, slippage=Slippage("volume_share", 0.0, 0.05, 0.0), sizing=Sizing("fixed", 202.39), rules=rules)
    first = Signals(entry=np.arange(5) == 0)
    entry = simulate(account, [candles], [first], warmup=1)
    assert [*entry.fills["quantity"]] == [0.733, 1.2909, 2.0239]
    target = Signals(target=np.array([0.020239, np.nan, 0.0, np.nan, np.nan]))
    assert [*simulate(account, [candles], [target], warmup=1, position="merge").fills["quantity"]] == [0.733, 1.2909] * 2
    fine = replace(account, rules=(Rules(0.01, 1e-8),), sizing=Sizing("fixed", 73.300001))  # leaves little of much
    assert [*simulate(fine, [candles], [first], warmup=1).fills["quantity"]] == [0.733, 1e-8, 0.73300001]
