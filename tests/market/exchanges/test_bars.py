"""Candles that are made of trades equal those that the venue makes of the same trades."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from market.exchanges.base import Candle, Tick
from market.exchanges.coinbase.bars import Bars

START = datetime(2026, 1, 1, tzinfo=UTC)
prices = st.decimals(min_value="0.01", max_value="99999", places=2)
sizes = st.decimals(min_value="0.00000001", max_value="9", places=8)
trades = st.lists(st.tuples(st.integers(0, 40_000), prices, sizes), min_size=1, max_size=60)


def ticks(rows: list[tuple[int, Decimal, Decimal]]) -> list[Tick]:
    """Ticks, each so many milliseconds after the one before."""
    time, result = START, []
    for wait, price, size in rows:
        time += timedelta(milliseconds=wait)
        result.append(Tick("coinbase", "BTC-USD", price, time, quantity=size))
    return result


def minute(tick: Tick) -> datetime:
    return tick.time.replace(second=0, microsecond=0)


@given(trades, st.integers(1, 9))
def test_closed_candles_are_exact_however_the_trades_come(rows: list[tuple[int, Decimal, Decimal]], batch: int) -> None:
    bars, made = Bars("BTC-USD", "1m"), []
    bars.since = START
    each = ticks(rows)
    for first in range(0, len(each), batch):
        made += [candle for candle in bars.trades(each[first : first + batch]) if candle.closed]
    made += list(bars.close_until(each[-1].time + timedelta(minutes=2)))
    groups = [(time, list(group)) for time, group in groupby(each, key=minute)]
    assert [candle.time for candle in made] == [time for time, _ in groups]
    for candle, (_, group) in zip(made, groups, strict=True):
        values = [tick.price for tick in group]
        assert (candle.open, candle.high, candle.low, candle.close) == (values[0], max(values), min(values), values[-1])
        assert candle.volume == sum(tick.quantity or 0 for tick in group)


def at(seconds: float, price: int = 1) -> Tick:
    return Tick("coinbase", "BTC-USD", Decimal(price), START + timedelta(seconds=seconds), quantity=Decimal(1))


def closed_times(bars: Bars, *seconds: float) -> list[datetime]:
    return [candle.time for tick in seconds for candle in bars.trades([at(tick)]) if candle.closed]


def test_a_candle_whose_beginning_was_not_seen_is_not_told() -> None:
    bars = Bars("BTC-USD", "1m")
    bars.since = START + timedelta(seconds=10)
    assert closed_times(bars, 20, 70, 130) == [START + timedelta(minutes=1)]


def test_a_candle_ends_by_the_venues_clock_and_a_late_trade_does_not_open_it_again() -> None:
    bars = Bars("BTC-USD", "1m")
    bars.since = START
    list(bars.trades([at(59)]))
    assert list(bars.close_until(START + timedelta(seconds=60.5))) == []
    (candle,) = bars.close_until(START + timedelta(seconds=61))
    assert isinstance(candle, Candle)
    assert list(bars.trades([at(59.9, 5)])) == []
    assert closed_times(bars, 61, 121) == [START + timedelta(minutes=1)]
