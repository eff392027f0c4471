"""A scenario that plays recorded candles, on both venues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from heapq import merge
from typing import Any

from market.sandbox.history import SandboxCandle
from market.sandbox.instruments import ListedInstrument
from market.sandbox.scenario import LISTED, RATE, Scenario
from market.sandbox.tape import TapeTrade, of_candles
from market.sandbox.walk import PriceWalk

NOTIONALS = {"BTC": Decimal("0.0001"), "ETH": Decimal("0.001"), "BNB": Decimal("0.01")}
"""The smallest value of an order by quote asset; it is 1 for others."""
MOST_LOTS = Decimal(10) ** 10
WARM_UP = 1440
"""The most candles that are history when the play begins."""
QUOTES = {"binance": {"USD": "USDT"}, "coinbase": {"USDT": "USD"}}
"""The names of dollars on each venue."""


def make_scenario(symbol: str, candles: Sequence[SandboxCandle], step: int, *, now: int, **more: Any) -> Scenario:
    """A scenario in which `symbol` plays the candles (of `step` ms, in order), quoted in each venue's dollars. Other symbols walk.

    The recorded times are shifted so that the play begins `now` (ms), after a warm-up of candles that are history by then. At
    speed 0 everything plays at its own times, without a warm-up. `more` are fields of `Scenario`.
    """
    whole = more.get("speed") == 0
    warm_up = 0 if whole else min(WARM_UP, len(candles) // 2)
    shift = 0 if whole else (now - candles[warm_up].time) // step * step
    moved = [replace(candle, time=candle.time + shift) for candle in candles]
    listed, past, plays = {}, {}, []
    for venue, instruments in LISTED.items():
        item = _find_instrument(venue, symbol, candles)
        listed[venue] = (*(other for other in instruments if other.symbol != item.symbol), item)
        past[venue, item.symbol] = moved[:warm_up]
        plays.append(of_candles(venue, item.symbol, moved[warm_up:], lot=item.lot, step=step))
    start = moved[0].time if whole else now
    if not whole:
        others = {venue: items[:-1] for venue, items in listed.items()}
        walk = PriceWalk(others, more.get("seed", 1))
        past |= walk.past(start, WARM_UP)
        plays.append(walk.ticks(start, RATE))
    ticks = merge(*plays, key=_trade_time)
    return Scenario(start=start, ticks=(tick for tick in ticks if tick.time >= start), past=past, listed=listed, **more)


def _trade_time(tick: TapeTrade) -> int:
    return tick.time


def _find_instrument(venue: str, symbol: str, candles: Sequence[SandboxCandle]) -> ListedInstrument:
    """The instrument as the venue lists it, or one as fine as the numbers of the recording."""
    base, _, quote = symbol.partition("-")
    name = f"{base}-{QUOTES[venue].get(quote, quote)}"
    tick = _smallest_unit(price for candle in candles for price in (candle.open, candle.high, candle.low, candle.close))
    known = next((item for item in LISTED[venue] if item.symbol == name), None)
    if known:
        return replace(known, tick=min(tick, known.tick), price=candles[0].open)
    lot = _smallest_unit(candle.volume for candle in candles)
    least = NOTIONALS.get(quote, Decimal(1))
    return ListedInstrument(name, tick, lot, lot, lot * MOST_LOTS, least, candles[0].open)


def _smallest_unit(numbers: Any) -> Decimal:
    """One unit of the last decimal place that any of the numbers uses, eight places at most."""
    places = max((-int(number.normalize().as_tuple().exponent) for number in numbers), default=0)
    return Decimal(1).scaleb(-min(max(places, 0), 8))
