"""Within `remembering()`, an indicator is computed once for the same columns, and never for others."""

from __future__ import annotations

import numpy as np
import pytest

from engine import indicators as ta
from engine.memo import remembering
from engine.types import Floats


def column(seed: int = 1, length: int = 1_000) -> Floats:
    return 100 + np.random.default_rng(seed).normal(0, 1, length).cumsum()


def test_the_same_indicator_of_the_same_column_is_the_same_array() -> None:
    close = column()
    with remembering():
        assert ta.ema(close, 10) is ta.ema(close, 10)
        assert ta.sma(close, 10) is ta.sma_many(close, [5, 10])[1]
        assert ta.bollinger(close, 20, 2.0)[0] is ta.bollinger(close, 20, 2.0)[0]
    assert ta.ema(close, 10) is not ta.ema(close, 10)


def test_other_periods_columns_and_prefixes_are_computed_afresh() -> None:
    close, other = column(1), column(2)
    plain = [ta.ema(close, 10), ta.ema(close, 11), ta.ema(other, 10), ta.ema(close[:500], 10)]
    with remembering():
        for _ in range(2):
            found = [ta.ema(close, 10), ta.ema(close, 11), ta.ema(other, 10), ta.ema(close[:500], 10)]
            for ours, expected in zip(found, plain, strict=True):
                np.testing.assert_array_equal(ours, expected)


def test_columns_that_are_gone_are_not_mistaken_for_new_ones_at_their_address() -> None:
    with remembering():
        for seed in range(50):
            close = column(seed)
            expected = close[-10:].mean()
            assert ta.sma(close, 10)[-1] == pytest.approx(expected)


def test_what_is_remembered_cannot_be_written_to() -> None:
    with remembering():
        average = ta.sma(column(), 10)
        with pytest.raises(ValueError, match="read-only"):
            average[0] = 1.0


def test_memory_is_bounded_and_the_oldest_go_first() -> None:
    close = column()
    with remembering(most=3 * close.nbytes) as memory:
        first = ta.ema(close, 2)
        for n in range(3, 9):
            ta.ema(close, n)
        assert memory.held <= 3 * close.nbytes
        assert len(memory.entries) == 3
        assert ta.ema(close, 2) is not first
