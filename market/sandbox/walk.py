"""A seeded market: one random walk for each asset. The symbols of both venues follow from them, so that their prices agree.

Prices are geometric Brownian motion: ln S moves by sigma x sqrt(dt) x N(0, 1). They are made up and say nothing about a real
market.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import exp, log, sqrt
from random import Random

from market.sandbox.history import MINUTE, SandboxCandle
from market.sandbox.instruments import ListedInstrument
from market.sandbox.tape import TapeTrade

YEAR = 365 * 86_400_000
SIGMA = 0.9
"""The volatility of every asset, for a year."""
DOLLARS = ("USD", "USDT", "USDC")
SIZE = 300
"""The average size of a trade, in multiples of the smallest notional."""
STEPS = 4
"""Steps of the walk within a candle of the past."""

Listed = Mapping[str, Sequence[ListedInstrument]]


class PriceWalk:
    """The assets' prices in dollars at a moment that moves on, as logarithms relative to where they started."""

    def __init__(self, listed: Listed, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 # repeatable by design
        self.listed = [(venue, item) for venue, items in listed.items() for item in items]
        names = {name for _, item in self.listed for name in (item.base, item.quote)} - set(DOLLARS)
        self._paths = dict.fromkeys(sorted(names), 0.0)
        self._at = dict.fromkeys(self._paths, 0)

    def ticks(self, start: int, rate: float) -> Iterator[TapeTrade]:
        """Trades from `start` (ms) on, without end, at random moments: `rate` a second over all symbols."""
        self._at = dict.fromkeys(self._paths, start)
        last: dict[tuple[str, str], Decimal] = {}
        random, moment = self._random, float(start)
        while True:
            moment += random.expovariate(rate) * 1000
            venue, item = random.choice(self.listed)
            price = self._price(item, int(moment))
            before = last.get((venue, item.symbol), item.price)
            seller = price < before if price != before else random.random() < 0.5
            last[venue, item.symbol] = price
            yield TapeTrade(venue, item.symbol, price, self._qty(item, price, SIZE), seller, int(moment))

    def past(self, until: int, count: int) -> dict[tuple[str, str], list[SandboxCandle]]:
        """The `count` one-minute candles before `until` (ms), by venue and symbol. They end where the trades begin."""
        sigma = SIGMA * sqrt(MINUTE / STEPS / YEAR)
        paths: dict[str, list[float]] = {}
        for name in self._paths:
            path, steps = 0.0, [0.0]
            for _ in range(count * STEPS):
                path += sigma * self._random.gauss(0, 1)
                steps.append(path)
            paths[name] = [step - path for step in steps]
        first = until - until % MINUTE - count * MINUTE
        return {(venue, item.symbol): self._candles(item, paths, first, count) for venue, item in self.listed}

    def _candles(self, item: ListedInstrument, paths: Mapping[str, list[float]], first: int, count: int) -> list[SandboxCandle]:
        flat = [0.0] * (count * STEPS + 1)
        base, quote = paths.get(item.base, flat), paths.get(item.quote, flat)
        prices = [_on_tick(item, one - other) for one, other in zip(base, quote, strict=True)]
        candles = []
        for index in range(count):
            part = prices[index * STEPS : index * STEPS + STEPS + 1]
            volume = self._qty(item, part[0], 10 * SIZE)
            taken = item.floor(volume / 2)
            candles.append(
                SandboxCandle(
                    time=first + index * MINUTE,
                    open=part[0],
                    high=max(part),
                    low=min(part),
                    close=part[-1],
                    volume=volume,
                    value=volume * part[0],
                    trades=10,
                    taker_volume=taken,
                    taker_value=taken * part[0],
                )
            )
        return candles

    def _price(self, item: ListedInstrument, moment: int) -> Decimal:
        return _on_tick(item, self._log(item.base, moment) - self._log(item.quote, moment))

    def _log(self, asset: str, moment: int) -> float:
        if asset not in self._paths:
            return 0.0
        if moment > self._at[asset]:
            self._paths[asset] += SIGMA * sqrt((moment - self._at[asset]) / YEAR) * self._random.gauss(0, 1)
            self._at[asset] = moment
        return self._paths[asset]

    def _qty(self, item: ListedInstrument, price: Decimal, size: int) -> Decimal:
        value = float(item.min_notional) * size * self._random.expovariate(1)
        return max(1, int(value / float(price * item.lot))) * item.lot


def _on_tick(item: ListedInstrument, path: float) -> Decimal:
    return max(1, round(exp(log(float(item.price)) + path) / float(item.tick))) * item.tick
