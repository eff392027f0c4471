"""Downloads candles from a venue into the store, a few thousand at a time. What is in the store is not asked for again, so a
download that was cut off goes on where it was."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal, TypeAlias, cast

import numpy as np
from asgiref.sync import sync_to_async
from django.utils import timezone

from core.errors import Conflict, Invalid
from core.symbols import symbol_normalise, venue_normalise
from core.text import ms_text
from core.times import from_ms, to_ms
from core.venues import LIVE, venue_split
from engine.grid import count_opens, find_close, find_open, list_opens, round_up
from engine.types import interval_ms
from market.candles.reading import read_span
from market.connections import open_exchange
from market.exchanges.base import Candle, Endpoint, Exchange, ExchangeError, Retryable
from market.exchanges.registry import VENUES, name_venues
from market.selectors import gaps_between
from trading.live.recorder import candles_keep, find_series
from wallets.models import ExchangeAccount

PAGE = 5_000
TRIES = 6
EnvironmentName: TypeAlias = Literal["sandbox", "testnet", "live"]
Progress = Callable[[int, int], None]
"""(intervals that are done, intervals in all)"""


@dataclass(slots=True)
class Download:
    """Times in milliseconds, `start` counted and `end` not."""

    venue: str
    symbol: str
    interval: str
    start: int
    end: int
    rows: int = 0
    kept: int = 0
    """Candles that were in the store already."""
    duplicates: int = 0
    out_of_order: int = 0
    off_grid: int = 0
    """Candles of the venue that do not open when those of the interval do. They are left out."""
    began: float = field(default_factory=time.monotonic)

    def count(self, begin: int, end: int) -> int:
        return count_opens(self.interval, begin, end)

    def spans(self) -> list[tuple[int, int]]:
        edges = [*list_opens(self.interval, self.start, self.end)[::PAGE].tolist(), self.end]
        return list(pairwise(edges))


def download_read(*, venue: str, symbol: str, interval: str, start: datetime, end: datetime | None) -> Download:
    """What to download, checked; whole candles only, closed by now. `Invalid` by field."""
    interval_ms(interval)
    begin = round_up(interval, to_ms(start))
    stop = find_open(interval, min(to_ms(end or timezone.now()), to_ms(timezone.now())))
    if begin >= stop:
        raise Invalid.at("end", "There is no closed candle between start and end.")
    return Download(venue_normalise(venue), symbol_normalise(symbol), interval, begin, stop)


def public_address(key: str) -> Endpoint:
    """The address of a venue's market data, without a key; that of a sandbox is taken from an account there. `Invalid` at
    `venue`."""
    venue, environment = venue_split(key)
    if venue not in VENUES:
        raise Invalid.at("venue", f"{key!r} is none that can be asked. Use {name_venues()}, or import a file.")
    account = ExchangeAccount.objects.filter(venue=venue, environment=environment).first()
    if account is None and environment != LIVE:
        raise Invalid.at("venue", f"There is no account of {key} on this desk that says where it is. Add one, or open the desk.")
    places = {name: getattr(account, name) if account else "" for name in ("rest", "ws", "ws_api", "ws_user")}
    return Endpoint(venue, cast(EnvironmentName, environment), **places, account="public")


async def download_candles(wanted: Download, progress: Progress) -> None:
    """Downloads page after page; each is stored before the next is asked for. `Conflict` with the venue's reason where it will not
    answer."""
    endpoint = await sync_to_async(public_address)(wanted.venue)
    try:
        async with open_exchange(endpoint) as exchange:
            for span in wanted.spans():
                await download_page(exchange, wanted, *span)
                progress(wanted.count(wanted.start, span[1]), wanted.count(wanted.start, wanted.end))
    except ExchangeError as error:
        raise Conflict(f"{error} What came before is stored; the same command goes on from there.") from None


async def download_page(exchange: Exchange, wanted: Download, begin: int, stop: int) -> None:
    """Stores the closed candles that the store lacks from `begin` to before `stop`, in milliseconds, and counts them."""
    missing = await sync_to_async(missing_in)(wanted, begin, stop)
    wanted.kept += wanted.count(begin, stop) - len(missing)
    if not len(missing):
        return
    first, last = from_ms(missing[0]), from_ms(find_close(wanted.interval, int(missing[-1])))
    came = [one for one in await fetch_patiently(exchange, wanted, first, last) if one.closed]
    times = [to_ms(one.time) for one in came]
    wanted.out_of_order += sum(later < earlier for earlier, later in pairwise(times))
    wanted.duplicates += len(times) - len(set(times))
    wanted.off_grid += sum(find_open(wanted.interval, moment) != moment for moment in set(times))
    fresh = [one for one in came if to_ms(one.time) in set(missing.tolist())]
    await sync_to_async(candles_keep)(wanted.venue, wanted.symbol, wanted.interval, fresh)
    wanted.rows += len({one.time for one in fresh})


def missing_in(wanted: Download, begin: int, stop: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Open times that the store lacks."""
    times = list_opens(wanted.interval, begin, stop)
    series = find_series(wanted.venue, wanted.symbol, wanted.interval)
    return times if series is None else np.setdiff1d(times, read_span(series, begin, stop).time)


async def fetch_patiently(exchange: Exchange, wanted: Download, first: datetime, last: datetime) -> list[Candle]:
    """Candles from `first` to before `last`; a venue that is busy is asked again after as long as it says, TRIES times in all."""
    attempt = 0
    while True:
        try:
            return await exchange.candles(wanted.symbol, wanted.interval, first, last)
        except Retryable as error:
            attempt += 1
            if attempt == TRIES:
                raise
            await asyncio.sleep(max(error.after, 0.25 * 2**attempt))


def download_report(wanted: Download) -> dict[str, Any]:
    """What the download brought, JSON-ready; `gaps` are those that the series has within the span now."""
    series = find_series(wanted.venue, wanted.symbol, wanted.interval)
    first = last = None
    if series is not None and len(found := read_span(series, wanted.start, wanted.end)):
        first, last = int(found.time[0]), int(found.time[-1])
    gaps = gaps_between(series, from_ms(first), from_ms(last)) if series and first is not None and last is not None else []
    return {
        "venue": wanted.venue,
        "symbol": wanted.symbol,
        "interval": wanted.interval,
        "rows": wanted.rows,
        "kept": wanted.kept,
        "first": ms_text(first) if first is not None else None,
        "last": ms_text(last) if last is not None else None,
        "gaps": gaps,
        "duplicates": wanted.duplicates,
        "out_of_order": wanted.out_of_order,
        "off_grid": wanted.off_grid,
        "fingerprint": series.fingerprint if series else "",
        "seconds": round(time.monotonic() - wanted.began, 3),
    }
