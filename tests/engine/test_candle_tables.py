"""Every rule of docs/reference/fill-rules.md as a few candles and the trades that must come of them, worked out by hand.

Both simulators are held to them. Cash is 1000, without fees or slippage where nothing is said; candles are O H L C (V).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.types import Account, Protections, Rules
from tests.engine.rules import Table, flat
from tests.engine.rules_of_accounts import COSTS, PORTFOLIO, TARGETS, VOLUME
from tests.engine.rules_of_orders import ENTRIES, EXITS, PROTECTION, SIGNALS
from tests.engine.rules_of_protections import COOL_DOWNS, GUARDS
from tests.engine.tables import Outcome, Wish, by_kernel, by_reference, candles

TABLES = [*SIGNALS, *PROTECTION, *ENTRIES, *EXITS, *COSTS, *VOLUME, *PORTFOLIO, *TARGETS, *COOL_DOWNS, *GUARDS]


@pytest.mark.parametrize("simulator", [by_kernel, by_reference])
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.rule)
def test_what_comes_of_these_candles(table: Table, simulator: Callable[..., Outcome]) -> None:
    series, wants = [candles(table.candles)], [table.wish]
    if table.second:
        series.append(candles(table.second[0], "B"))
        wants.append(table.second[1])
    signals = [wish.signals(len(one)) for one, wish in zip(series, wants, strict=True)]
    outcome = simulator(table.account, series, signals, table.warmup, table.position)
    assert outcome.trades == list(table.trades)
    assert outcome.unfilled == sorted(table.unfilled)
    assert outcome.equity[-1] == outcome.cash
    if table.cash is not None:
        assert outcome.cash == pytest.approx(table.cash, rel=1e-12)


@pytest.mark.parametrize("simulator", [by_kernel, by_reference])
def test_equity_marks_a_symbol_without_a_candle_at_its_last_close(simulator: Callable[..., Outcome]) -> None:
    other = candles("100 100 100 100 \n 100 120 100 120 \n - \n 90 90 90 90", "B")
    wishes = [Wish().signals(4), Wish(entry=(0,)).signals(3)]
    outcome = simulator(Account(1000.0, rules=(Rules(), Rules())), [candles(flat(4)), other], wishes, 0, "single")
    assert outcome.equity == [1000, 1200, 1200, 900]


@pytest.mark.parametrize("simulator", [by_kernel, by_reference])
def test_the_newest_twenty_trades_are_remembered(simulator: Callable[..., Outcome]) -> None:
    """The first trade halves its money and the others earn nothing: each is followed by a pause until the first is forgotten."""
    lock = Protections(profit_least=-0.25, profit_window=10_000, profit_pause=1)
    series = candles(flat(2) + "50 50 50 50\n" * 120)
    wish = Wish(entry=tuple(range(0, 120, 2)), exit=tuple(range(1, 120, 2))).signals(122)
    outcome = simulator(Account(1000.0, protections=lock), [series], [wish], 0, "single")
    assert len([order for order in outcome.unfilled if order.endswith("refused 2 protection")]) == 1
    assert len([order for order in outcome.unfilled if order.endswith("protection")]) == 20
