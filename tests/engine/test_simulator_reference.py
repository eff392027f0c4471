"""The compiled kernel against the `Decimal` reference, on generated cases.

A case is left out only where the reference itself took a decision on a knife edge that binary floats may rightly see otherwise
(`ReferenceResult.edges`). Ties between prices as given are kept everywhere, ties of computed levels on the binary grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given

from engine.simulator import simulate
from engine.types import ORDER_STATUSES, ORDER_TYPES, REASONS, REFUSALS, SIDES, Simulation, Table
from tests.engine.cases import BINARY_GRID, DECIMAL_GRIDS, Case, cases, examples
from tests.engine.reference import simulate_reference
from tests.engine.reference_values import Order, ReferenceResult

CLOSE = 1e-9


@examples(300)
@given(cases())
def test_the_kernel_does_what_the_page_says(case: Case) -> None:
    compare(case)


@examples(300)
@given(cases(BINARY_GRID))
def test_levels_that_tie_exactly_are_decided_alike(case: Case) -> None:
    compare(case)


@pytest.mark.parametrize("grid", DECIMAL_GRIDS, ids=lambda grid: str(grid.step))
def test_few_cases_are_left_out(grid: Any) -> None:
    """Of many: which ones Hypothesis draws depends on what else has been imported, and of a hundred the share swings by a fifth."""
    kept: list[bool] = []

    @examples(600)
    @given(cases(grid))
    def count(case: Case) -> None:
        kept.append(simulate_reference(*case.arguments(), **case.keywords()).edges == 0)

    count()
    assert np.mean(kept) > 0.75


def compare(case: Case) -> None:
    expected = simulate_reference(*case.arguments(), **case.keywords())
    assume(not expected.edges)
    got = simulate(*case.arguments(), **case.keywords())
    scale = case.account.cash
    assert got.time.tolist() == expected.time
    same_orders(kernel_orders(got), [order_words(order) for order in expected.orders])
    same_fills(got, expected, scale)
    same_trades(got.trades, expected, scale)
    assert_close(got.equity, expected.equity, scale)
    assert_close([got.final_cash], [expected.final_cash], scale)


Words = tuple[tuple[Any, ...], tuple[float, float]]
"""An order's words and its limit and stop; 0 stands for none."""


def order_words(order: Order) -> Words:
    words = (order.created, order.symbol, order.closed, order.side, order.type, order.reason, order.status, order.refusal)
    return words, (float(order.limit or 0), float(order.stop or 0))


def kernel_orders(got: Simulation) -> list[Words]:
    orders = got.orders
    names = (("side", SIDES), ("type", ORDER_TYPES), ("reason", REASONS), ("status", ORDER_STATUSES), ("refusal", REFUSALS))
    return [
        (
            tuple(int(orders[name][k]) for name in ("created_index", "symbol", "closed_index"))
            + tuple(words[orders[name][k]] for name, words in names),
            (float(np.nan_to_num(orders["limit"][k])), float(np.nan_to_num(orders["stop"][k]))),
        )
        for k in range(len(orders))
    ]


def same_orders(got: list[Words], expected: list[Words]) -> None:
    """In any order: the page does not say in which the rows stand."""
    got, expected = sorted(got), sorted(expected)
    assert [words for words, _ in got] == [words for words, _ in expected]
    assert_close([prices for _, prices in got], [prices for _, prices in expected], 0, "limit and stop")


def same_fills(got: Simulation, expected: ReferenceResult, scale: float) -> None:
    fills, words = got.fills, kernel_orders(got)
    assert [words[order][0] for order in fills["order"]] == [order_words(fill.order)[0] for fill in expected.fills]
    assert fills["index"].tolist() == [fill.index for fill in expected.fills]
    assert fills["maker"].tolist() == [fill.maker for fill in expected.fills]
    assert_close(fills["price"], [fill.price for fill in expected.fills], 0, "price")
    for name in ("quantity", "position"):  # as money, since what cash is left over to be spent is a small difference
        assert_close(fills[name] * fills["price"], [getattr(fill, name) * fill.price for fill in expected.fills], scale, name)
    for name in ("fee", "slippage", "cash"):
        assert_close(fills[name], [getattr(fill, name) for fill in expected.fills], scale, name)


def same_trades(trades: Table, expected: ReferenceResult, scale: float) -> None:
    for name in ("symbol", "entry_index", "exit_index"):
        assert trades[name].tolist() == [getattr(trade, name) for trade in expected.trades]
    for name in ("entry_reason", "exit_reason"):
        assert [REASONS[code] for code in trades[name]] == [getattr(trade, name) for trade in expected.trades]
    for name in ("entry_price", "exit_price"):
        assert_close(trades[name], [getattr(trade, name) for trade in expected.trades], 0, name)
    paid = [trade.quantity * trade.entry_price for trade in expected.trades]
    assert_close(trades["quantity"] * trades["entry_price"], paid, scale, "quantity")
    for name in ("fees", "slippage", "profit"):
        assert_close(trades[name], [getattr(trade, name) for trade in expected.trades], scale, name)
    # As money too: of a trade worth pennies, the last place of a fee is a share that counts.
    assert_close(
        trades["return"] * np.array(paid, dtype=np.float64),
        [trade.ratio * trade.quantity * trade.entry_price for trade in expected.trades],
        scale,
        "return",
    )


def assert_close(got: Any, expected: Sequence[Any], scale: float, name: str = "") -> None:
    """Within 1e-9, relative, or of `scale`."""
    np.testing.assert_allclose(
        np.asarray(got, dtype=np.float64), np.array(expected, dtype=np.float64), rtol=CLOSE, atol=CLOSE * scale, err_msg=name
    )
