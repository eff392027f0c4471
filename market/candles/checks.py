"""What rows must be like to count as candles. Faults are named row by row, and nothing is repaired silently."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from core.text import ms_text
from core.times import to_ms
from engine.grid import find_close, find_open
from engine.types import Bools, Candles, Floats, Ints, interval_ms
from market.candles.codec import VALUES
from market.candles.headers import PRICES
from market.candles.merge import differ_in
from market.candles.problems import Problems
from market.candles.rows import UNKNOWN, Rows
from market.candles.spacing import wrong_spacing

FIRST_YEAR, LAST_YEAR = 2009, 2100
MAX_VALUE = 1e15
"""No price or volume of a candle is larger than this. A larger number belongs to another column."""


OPENINGS = {
    "3d": "a whole multiple of 3d since 1970, when a candle opens. Binance counts 3d from the day of a listing: import daily "
    "candles, of which these are made.",
    "1w": "a Monday at 00:00 UTC, when a candle opens.",
    "1M": "the first of a month at 00:00 UTC, when a candle opens.",
}
"""When candles open, in words, where it is not at whole multiples of their length."""


@dataclass(slots=True)
class Checked:
    """The candles of a file, and what was wrong with it. `refusal` says why nothing of it may be stored; it is empty if the candles
    may be."""

    candles: Candles
    problems: Problems
    rows: int
    duplicates: int = 0
    out_of_order: int = 0
    unclosed: int = 0
    refusal: str = ""
    notes: tuple[str, ...] = ()
    """What a person should know of the file, though it is no fault."""


@dataclass(slots=True)
class _Table:
    """The rows that are still good; it shrinks. Times are in microseconds at first, and in milliseconds once they are known to be
    whole ones."""

    rows: Rows
    row: Ints
    time: Ints
    values: dict[str, Floats]
    bad: Bools = field(init=False)

    def __post_init__(self) -> None:
        self.bad = np.zeros(len(self.row), dtype=bool)

    def note(self, wrong: Bools, name: str, message: Callable[[int], str]) -> None:
        """Report these rows and mark them as bad. `message` gets a position in the table."""
        if wrong.any():
            self.rows.problems.add_where(wrong, self.row, name, message)
            self.bad |= wrong

    def keep(self, which: Bools | Ints) -> None:
        self.row, self.time = self.row[which], self.time[which]
        self.values = {name: column[which] for name, column in self.values.items()}
        self.bad = np.zeros(len(self.row), dtype=bool)

    def text(self, at: int, name: str) -> str:
        text = self.rows.texts.get((int(self.row[at]), name))
        return repr(text) if text else "An empty cell"


def check_rows(rows: Rows, symbol: str, interval: str, now: datetime, *, skip_bad_rows: bool) -> Checked:
    """Candles in order, without duplicates, all closed by `now`; or the reason to refuse them."""
    interval_ms(interval)
    table = _Table(rows, rows.column("row"), rows.column("time"), {name: rows.column(name) for name in VALUES})
    _check_times(table)
    in_time = ~table.bad
    _check_values(table)
    refusal = wrong_spacing(table.time[in_time], interval)
    if not refusal:
        opening = OPENINGS.get(interval, f"a whole multiple of {interval}, when a candle opens.")
        whole = np.where(in_time, table.time, 0) // 1000
        off = in_time & (find_open(interval, whole) * 1000 != table.time)
        table.note(off, "time", lambda at: f"{_format_time(table.time[at])} is not {opening}")
    if table.bad.any():
        table.keep(~table.bad)
    table.time = table.time // 1000
    notes = [*rows.notes, *_turn_round(table)]
    out_of_order = _sort_rows(table)
    duplicates = 0 if refusal else _drop_duplicates(table)
    unclosed = _drop_unclosed(table, interval, to_ms(now))
    candles = Candles(symbol, interval, table.time, *(table.values[name] for name in VALUES), volume_known=rows.has_volume)
    checked = Checked(candles, rows.problems, rows.count, duplicates, out_of_order, unclosed, refusal, tuple(notes))
    checked.refusal = refusal or _explain_refusal(checked, skip_bad_rows)
    return checked


def _explain_refusal(checked: Checked, skip_bad_rows: bool) -> str:
    count = checked.problems.count
    if count and not skip_bad_rows:
        return f"{count:,} fault{'s' * (count > 1)} in {checked.rows:,} rows. Nothing was imported."
    if not len(checked.candles):
        return "No row of the file is a closed candle. Nothing was imported."
    return ""


def _check_times(table: _Table) -> None:
    times = table.time
    low, high = (to_ms(datetime(year, 1, 1)) * 1000 for year in (FIRST_YEAR, LAST_YEAR + 1))  # noqa: DTZ001 naive is UTC there
    unknown = times == UNKNOWN
    table.note(unknown, "time", lambda at: f"{table.text(at, 'time')} is not a time.")
    outside = ~unknown & ((times < low) | (times >= high))
    table.note(outside, "time", lambda at: f"{_format_time(times[at])} is outside the years {FIRST_YEAR} to {LAST_YEAR}.")


def _check_values(table: _Table) -> None:
    usable = np.ones(len(table.row), dtype=bool)
    for name in VALUES if table.rows.has_volume else PRICES:
        usable &= _check_column(table, name, table.values[name])
    _check_shape(table, usable)
    table.values["volume"] = table.values["volume"] + 0.0  # a volume of -0 is 0


def _check_column(table: _Table, name: str, values: Floats) -> Bools:
    """Which rows have a number in this column that can be compared with others."""
    finite = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        low = finite & ((values < 0) if name == "volume" else (values <= 0))
        large = finite & (values > MAX_VALUE)
    wanted = "not be negative" if name == "volume" else "be above zero"
    table.note(np.isnan(values), name, lambda at: f"{table.text(at, name)} is not a number.")
    table.note(np.isinf(values), name, lambda at: "The value is infinite.")
    table.note(low, name, lambda at: f"{values[at]} must {wanted}.")
    table.note(large, name, lambda at: f"{values[at]} is too large to be true.")
    return finite & ~low


def _check_shape(table: _Table, usable: Bools) -> None:
    open_, high, low, close = (table.values[name] for name in ("open", "high", "low", "close"))
    with np.errstate(invalid="ignore"):
        inverted = usable & (high < low)
        under = usable & ~inverted & (high < np.maximum(open_, close))
        over = usable & ~inverted & (low > np.minimum(open_, close))
    table.note(inverted, "high", lambda at: f"The high {high[at]} is below the low {low[at]}.")
    table.note(under, "high", lambda at: f"The high {high[at]} is below the open or close, {max(open_[at], close[at])}.")
    table.note(over, "low", lambda at: f"The low {low[at]} is above the open or close, {min(open_[at], close[at])}.")


def _turn_round(table: _Table) -> list[str]:
    """Many venues give their newest candle first. That is an order, not a disorder."""
    if len(table.time) < 2 or not (np.diff(table.time) < 0).all():
        return []
    table.keep(np.arange(len(table.time))[::-1])
    return ["The newest candle came first; the file was turned round."]


def _sort_rows(table: _Table) -> int:
    """Sort by time. Says how many rows stood later than they should."""
    times = table.time
    late = int(np.count_nonzero(times[1:] < np.maximum.accumulate(times)[:-1])) if len(times) else 0
    if late:
        table.keep(np.argsort(times, kind="stable"))
    return late


def _drop_duplicates(table: _Table) -> int:
    """Drop rows that repeat a candle to the digit. Rows that contradict one are faults. Says how many were dropped."""
    times = table.time
    if not (again := np.append(False, times[1:] == times[:-1])).any():
        return 0
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(times))))
    differ = np.zeros(len(times), dtype=bool)
    for name in VALUES:
        differ |= differ_in(table.values[name], table.values[name][first])
    other = table.row[first]
    table.note(differ, "time", lambda at: f"{_format_time(times[at] * 1000)} has another, different candle in row {other[at]}.")
    table.keep(~again)
    return int(np.count_nonzero(again & ~differ))


def _drop_unclosed(table: _Table, interval: str, now: int) -> int:
    """Drop candles that had not closed when they were read. Says how many there were."""
    closed = find_close(interval, table.time) <= now
    if not closed.all():
        table.keep(closed)
    return int(np.count_nonzero(~closed))


def _format_time(microseconds: int) -> str:
    try:
        return ms_text(int(microseconds) // 1000)
    except OverflowError:
        return f"{microseconds} µs after 1970"
