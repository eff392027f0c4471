"""In a process of its own: traders whose arrays of candles lie between pages that nobody may touch.

`python -m tests.engine.guarded begin|end drive|inside|before|after`: the arrays stand at the beginning or at the end of their page.
`drive` runs strategies and random cases through the kernels; `inside` reads the candle before, `before` and `after` one further.
A read or write outside of an array ends the process by a signal.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from engine.live import Trader, kernel
from engine.live.candles_at_hand import COLUMNS, CandlesAtHand
from engine.strategies import registry
from engine.types import Account
from tests.engine import test_live_replay, test_live_venue
from tests.engine.cases import Case, cases
from tests.engine.driving import generated

PAGE = mmap.PAGESIZE
NO_ACCESS = 0
FEW = settings(max_examples=30, deadline=None, database=None, derandomize=True)


def guard_array(values: Any, at_end: bool) -> Any:
    """A copy of the array on a page of its own, at its end or at its beginning, between two pages that nobody may touch."""
    pages = mmap.mmap(-1, 3 * PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    for guard in (address, address + 2 * PAGE):
        assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(guard), PAGE, NO_ACCESS) == 0
    start = 2 * PAGE - values.nbytes if at_end else PAGE
    array = np.frombuffer(pages, values.dtype, values.size, start).reshape(values.shape)
    array[:] = values
    return array


def guard_candles(at_end: bool) -> None:
    """Every trader made from now on has such arrays."""
    make = CandlesAtHand.__init__

    def make_guarded(self: CandlesAtHand, symbols: int) -> None:
        make(self, symbols)
        self.columns = {name: guard_array(self.columns[name], at_end) for name in COLUMNS}
        self.counts = guard_array(self.counts, at_end)

    setattr(CandlesAtHand, "__init__", make_guarded)  # noqa: B010  (mypy forbids the plain form)


@njit(error_model="numpy")
def read_open(managed: Any, t: int, at: int) -> float:
    return float(kernel.present_book(managed, t).open[0, at])


def read_at(t: int, at: int) -> None:
    trader = Trader(Account(1_000.0), ["BTC-USD"], 60_000, "single", external=False)
    print(read_open(trader.trader_state.book, t, at))


@FEW
@given(cases(), st.sets(st.integers(0, 60), max_size=3), st.sets(st.integers(0, 60), max_size=6))
def drive_replay(case: Case, reloads: set[int], unopened: set[int]) -> None:
    test_live_replay.test_any_account_and_any_signals.hypothesis.inner_test(case, reloads, unopened)  # type: ignore[attr-defined]


@FEW
@given(cases(), st.integers(0, 2**32 - 1), st.booleans(), st.booleans(), st.booleans())
def drive_venue(case: Case, seed: int, base_fees: bool, stops: bool, parts: bool) -> None:
    test = test_live_venue.test_whatever_the_venue_reports_the_books_agree
    test.hypothesis.inner_test(case, seed, base_fees, stops, parts)  # type: ignore[attr-defined]


def drive_all() -> None:
    for kind in registry.list_strategies():
        strategy = kind(test_live_replay.QUICK.get(kind.name))
        for account in test_live_replay.ACCOUNTS.values():
            tape = test_live_replay.tape_of(strategy, account, generated(250, 1))
            test_live_replay.same_as_simulated(tape, strategy.position)
    drive_replay()
    drive_venue()


WORK: dict[str, Callable[[], None]] = {
    "drive": drive_all,
    "before": lambda: read_at(5, 3),
    "inside": lambda: read_at(5, 4),
    "after": lambda: read_at(5, 6),
}

if __name__ == "__main__":
    guard_candles(at_end=sys.argv[1] == "end")
    WORK[sys.argv[2]]()
    print("done")
