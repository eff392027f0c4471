"""What a run needs of the market: do the symbols exist, what are the venue's rules, is there data, and the candles themselves."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from core.errors import Invalid
from core.fields import did_you_mean
from core.text import utc_text
from core.times import to_ms
from engine.grid import can_make, count_opens, find_close, number_candles
from engine.strategies import registry
from engine.types import INTERVALS, Candles
from market import candles as store
from market.models import CandleGap, CandleSeries, Instrument
from market.size_rules import instrument_rules
from trading.setup.config import RunConfig
from trading.setup.volume import refuse_unknown_volume

FEWEST_BEYOND_WARMUP = 2
"""One candle to decide at, and one to trade on."""


MarketData = tuple[RunConfig, list[CandleSeries], dict[str, Instrument]]
"""The config with its venue, the series of its symbols, and its instruments by symbol."""


def resolve_config(config: RunConfig) -> RunConfig:
    """`config` with its venue and rules filled in; `Invalid` naming the field where the market cannot serve it."""
    config, series, here = find_market(config)
    sources = [source_series(config, symbol, series) for symbol in config.symbols]
    for source in sources:
        check_span(config, source)
    refuse_unknown_volume(config, [one.instrument.symbol for one in sources if one.without_volume == one.count])
    return replace(config, rules={symbol: config.rules.get(symbol) or instrument_rules(here[symbol]) for symbol in config.symbols})


def find_market(config: RunConfig) -> MarketData:
    """Raises `Invalid` at `venue` or `symbols` where the store has no candles of them."""
    series = series_of(config.symbols)
    config = replace(config, venue=config.venue or only_venue(config, series))
    here = {one.instrument.symbol: one.instrument for one in series if one.instrument.venue == config.venue}
    check_symbols(config, here)
    return config, series, here


def series_of(symbols: Sequence[str]) -> list[CandleSeries]:
    return list(CandleSeries.objects.filter(instrument__symbol__in=symbols).select_related("instrument"))


def only_venue(config: RunConfig, series: Sequence[CandleSeries]) -> str:
    """The one venue that has candles of every symbol."""
    symbols_at: dict[str, set[str]] = defaultdict(set)
    for one in series:
        symbols_at[one.instrument.venue].add(one.instrument.symbol)
    able = sorted(venue for venue, symbols in symbols_at.items() if symbols >= set(config.symbols))
    if len(able) == 1:
        return able[0]
    if able:
        raise Invalid.at("venue", f"is required: {', '.join(able)} all have these symbols.")
    missing = [symbol for symbol in config.symbols if not any(symbol in symbols for symbols in symbols_at.values())]
    if missing:
        raise unknown_symbols(missing)
    raise Invalid.at("venue", "No single venue has candles of all these symbols. A run trades at one venue.")


def unknown_symbols(missing: Sequence[str], venue: str = "") -> Invalid:
    known = Instrument.objects.filter(series__isnull=False, **({"venue": venue} if venue else {}))
    names = sorted(set(known.values_list("symbol", flat=True)))
    at = f" at {venue}" if venue else ""
    hints = [f"No candles of {symbol}{at}.{did_you_mean(symbol, names) or ' Import some first.'}" for symbol in missing]
    return Invalid("There are no candles to run on.", fields={"symbols": hints})


def check_symbols(config: RunConfig, here: dict[str, Instrument]) -> None:
    missing = [symbol for symbol in config.symbols if symbol not in here]
    if not missing:
        return
    venues = sorted(set(Instrument.objects.filter(series__isnull=False).values_list("venue", flat=True)))
    if config.venue not in venues:
        hint = (
            did_you_mean(config.venue, venues) or f" There are candles of {', '.join(venues) or 'no venue yet: import some first'}."
        )
        raise Invalid.at("venue", f"No candles of a venue {config.venue!r}.{hint}")
    raise unknown_symbols(missing, config.venue)


def source_series(config: RunConfig, symbol: str, series: Sequence[CandleSeries]) -> CandleSeries:
    """The series that the run's candles come from: the same interval, or the longest that it can be made of."""
    mine = [one for one in series if one.instrument.symbol == symbol and one.instrument.venue == config.venue]
    able = [one for one in mine if can_make(config.interval, one.interval)]
    if able:
        return max(able, key=lambda one: INTERVALS[one.interval])
    has = ", ".join(sorted((one.interval for one in mine), key=INTERVALS.__getitem__))
    raise Invalid.at("interval", f"{config.interval} candles of {symbol} cannot be made of what is there: {has}.")


def check_span(config: RunConfig, series: CandleSeries) -> None:
    first, last = to_ms(series.first), find_close(series.interval, to_ms(series.last))
    start = max(to_ms(config.start), first) if config.start else first
    end = min(to_ms(config.end), last) if config.end else last
    if end <= start:
        field = "start" if config.start and to_ms(config.start) >= last else "end"
        symbol = series.instrument.symbol
        raise Invalid.at(
            field, f"There are no candles of {symbol} in this span. It has {utc_text(series.first)} to {utc_text(series.last)}."
        )
    least = least_candles(config)
    missing = missing_between(series, start, end) * INTERVALS[series.interval] // INTERVALS[config.interval]
    if count_between(config.interval, start, end) - missing < least:
        raise too_few(series.instrument.symbol, least)


def missing_between(series: CandleSeries, start: int, end: int) -> int:
    """Candles missing in gaps that touch the span; exact where no gap crosses its edge."""
    if not series.missing:
        return 0
    touching = CandleGap.objects.filter(series=series)
    inside = [gap for gap in touching.only("first", "last", "missing") if to_ms(gap.last) >= start and to_ms(gap.first) < end]
    return sum(count_opens(series.interval, max(to_ms(gap.first), start), min(to_ms(gap.last) + 1, end)) for gap in inside)


def count_between(interval: str, start: int, end: int) -> int:
    """The whole candles of a span that begins and ends anywhere."""
    return max(0, number_candles(interval, end) - number_candles(interval, start - 1) - 1)


def least_candles(config: RunConfig) -> int:
    return registry.get_strategy(config.strategy)(config.params).warmup_at(config.interval) + FEWEST_BEYOND_WARMUP


def too_few(symbol: str, least: int) -> Invalid:
    message = f"The span holds too few candles of {symbol}: this strategy needs at least {least} (its warm-up and two more)."
    return Invalid("There is too little data.", fields={"start": [f"{message} Widen the span, or shorten the parameters."]})


def load_candles(config: RunConfig) -> list[Candles]:
    """The candles of every symbol, in the config's order; `Invalid` if the store no longer holds enough."""
    least = least_candles(config)
    candles = [
        store.load_candles(venue=config.venue, symbol=symbol, interval=config.interval, start=config.start, end=config.end)
        for symbol in config.symbols
    ]
    for one in candles:
        if len(one) < least:
            raise too_few(one.symbol, least)
    refuse_unknown_volume(config, [one.symbol for one in candles if not one.volume_known])
    return candles


def fingerprint_candles(candles: Sequence[Candles]) -> str:
    """Of one symbol's candles, or of several in order."""
    each = [store.fingerprint_candles(one) for one in candles]
    return each[0] if len(each) == 1 else hashlib.sha256(" ".join(each).encode()).hexdigest()
