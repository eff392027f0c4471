"""A bot's run against the backtest of its span: the same configuration on the recorded candles, fill by fill, and why they differ.

On replay and paper the difference is zero. At a venue it is made of: `price` (the venue filled at another price), `fee`, `timing`
(in another candle), `quantity`, `missed` (only the backtest traded) and `extra` (only the bot did)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from core.errors import Conflict
from core.times import to_ms
from engine.grid import close_moment, find_open, number_candles
from engine.simulator import simulate
from engine.strategies import registry
from engine.strategy import evaluate
from engine.types import REASONS, SIDES, Candles, Ladder, Signals, Simulation
from market import candles as store
from trading.models import BotRun, Fill
from trading.setup.config import RunConfig, parse_config

END_OF_DATA = REASONS.index("end_of_data")
SAME = 1e-9
"""Relative difference of figures that counts as none."""


@dataclass(frozen=True, slots=True)
class Deal:
    """One execution. `time`: open time of its candle, ms; `moment`: when it was. Prices and fees in quote, quantity in base."""

    symbol: str
    side: str
    price: float
    quantity: float
    fee: float
    reason: str
    time: int
    moment: int

    @property
    def money(self) -> float:
        """What it did to the cash."""
        value = self.price * self.quantity
        return (value if self.side == "sell" else -value) - self.fee


@dataclass(frozen=True, slots=True)
class Pair:
    """What the backtest and the bot did of the same decision; None: the other one alone. `cost`: by how much the bot was worse off
    in cash, by cause."""

    expected: Deal | None
    actual: Deal | None
    causes: dict[str, float]

    @property
    def time(self) -> int:
        deal = self.expected or self.actual
        assert deal is not None
        return deal.time

    @property
    def same(self) -> bool:
        return not self.causes


@dataclass(frozen=True, slots=True)
class Comparison:
    pairs: list[Pair]
    expected_equity: float
    actual_equity: float | None
    causes: dict[str, float]
    """By cause, the sum of `Pair.causes`."""
    candles: int
    until: int
    """Open time of the last candle that both have seen, ms."""

    @property
    def zero(self) -> bool:
        return all(pair.same for pair in self.pairs)


def compare_with_backtest(run: BotRun) -> Comparison:
    """`Conflict` where the run has not decided yet, or its candles are not recorded."""
    if run.decides_from is None or run.history_from is None or run.decided_at is None:
        raise Conflict("The run has not decided anything yet: there is nothing to compare.")
    config = parse_config(run.config)
    parts = load_recorded(run, config)
    until = min(int(part.time[-1]) for part in parts)
    found = simulate_run(run, config, parts)
    expected = deals_expected(found, config, until)
    actual = deals_actual(run, config, until)
    pairs = match_deals(expected, actual, config.interval)
    causes: dict[str, float] = {}
    for pair in pairs:
        for cause, cost in pair.causes.items():
            causes[cause] = causes.get(cause, 0.0) + cost
    sold = Fill.objects.filter(order__run=run, order__reason="end_of_data").exists()
    equity = float(found.equity[-1]) if sold and len(found.equity) else value_at_last_close(expected, parts, float(config.cash))
    actual_equity = None if run.equity is None else float(run.equity)
    return Comparison(pairs, equity, actual_equity, causes, sum(map(len, parts)), until)


def load_recorded(run: BotRun, config: RunConfig) -> list[Candles]:
    assert run.decided_at
    start, end = run.history_from, close_moment(config.interval, run.decided_at)
    parts = [
        store.load_candles(venue=config.venue, symbol=symbol, interval=config.interval, start=start, end=end)
        for symbol in config.symbols
    ]
    if not all(len(part) for part in parts):
        raise Conflict("The candles of this run are not in the store yet. They are written every few seconds.")
    return parts


def simulate_run(run: BotRun, config: RunConfig, parts: Sequence[Candles]) -> Simulation:
    strategy = registry.get_strategy(config.strategy)(config.params)
    assert run.decides_from
    begin = to_ms(run.decides_from)
    signals = [mask_before(evaluate(strategy, part)[1], int(np.searchsorted(part.time, begin))) for part in parts]
    return simulate(config.account(), parts, signals, warmup=1, position=strategy.position)


def mask_before(signals: Signals, first: int) -> Signals:
    """Nothing is wanted before candle `first`, when the run began to decide."""

    def later(column: np.ndarray | None, none: float | bool) -> np.ndarray | None:
        if column is None:
            return None
        masked = column.copy()
        masked[:first] = none
        return masked

    ladder = signals.ladder
    return replace(
        signals,
        entry=later(signals.entry, False),
        exit=later(signals.exit, False),
        target=later(signals.target, np.nan),
        ladder=Ladder(max(first, ladder.start), ladder.buy, ladder.sell) if ladder else None,
    )


def deals_expected(found: Simulation, config: RunConfig, until: int) -> list[Deal]:
    """The backtest's own sale at the end apart."""
    deals = []
    for i, order in enumerate(found.fills["order"]):
        time = int(found.time[found.fills["index"][i]])
        if found.orders["reason"][order] == END_OF_DATA or time > until:
            continue
        deals.append(
            Deal(
                symbol=config.symbols[found.orders["symbol"][order]],
                side=SIDES[found.orders["side"][order]],
                price=float(found.fills["price"][i]),
                quantity=float(found.fills["quantity"][i]),
                fee=float(found.fills["fee"][i]),
                reason=REASONS[found.orders["reason"][order]],
                time=time,
                moment=time,
            )
        )
    return deals


def value_at_last_close(deals: Sequence[Deal], parts: Sequence[Candles], cash: float) -> float:
    """Equity at the last closes of a run that goes on: a backtest sells what it holds at its end, and pays for that."""
    held = dict.fromkeys((part.symbol for part in parts), 0.0)
    for deal in deals:
        cash += deal.money
        held[deal.symbol] += deal.quantity if deal.side == "buy" else -deal.quantity
    return cash + sum(held[part.symbol] * float(part.close[-1]) for part in parts)


def deals_actual(run: BotRun, config: RunConfig, until: int) -> list[Deal]:
    """The fills of each order together: a venue fills in parts."""
    fills = Fill.objects.filter(order__run=run).exclude(order__reason__in=("by_hand", "end_of_data")).select_related("order")
    by_order: dict[tuple[int, int], list[Fill]] = {}
    for fill in fills.order_by("id"):
        time = find_open(config.interval, to_ms(fill.ts))
        if time <= until:
            by_order.setdefault((fill.order_id, time), []).append(fill)
    return [deal_of(parts, time) for (_, time), parts in by_order.items()]


def deal_of(parts: Sequence[Fill], time: int) -> Deal:
    quantity = sum((one.quantity for one in parts), Decimal(0))
    cost = sum((one.cost for one in parts), Decimal(0))
    return Deal(
        symbol=parts[0].symbol,
        side=parts[0].side,
        price=float(cost / quantity),
        quantity=float(quantity),
        fee=float(sum((one.fee or 0 for one in parts), Decimal(0))),
        reason=parts[0].order.reason,
        time=time,
        moment=to_ms(parts[0].ts),
    )


def match_deals(expected: Sequence[Deal], actual: Sequence[Deal], interval: str) -> list[Pair]:
    """Each expected deal with the nearest actual one of the same symbol, side and reason, at most two candles apart; in order of
    time."""
    left = list(actual)
    pairs = []
    for deal in expected:
        near = [one for one in left if (one.symbol, one.side, one.reason) == (deal.symbol, deal.side, deal.reason)]
        near = [one for one in near if abs(number_candles(interval, one.time) - number_candles(interval, deal.time)) <= 2]
        other = min(near, key=lambda one: abs(one.time - deal.time), default=None)
        if other is not None:
            left.remove(other)
        pairs.append(Pair(deal, other, causes_of(deal, other)))
    pairs += [Pair(None, one, {"extra": -one.money}) for one in left]
    return sorted(pairs, key=lambda pair: pair.time)


def causes_of(expected: Deal, actual: Deal | None) -> dict[str, float]:
    """What the difference in cash is made of."""
    if actual is None:
        return {"missed": expected.money}
    sign = 1 if expected.side == "buy" else -1
    causes = {
        "price": sign * (actual.price - expected.price) * actual.quantity,
        "quantity": sign * (actual.quantity - expected.quantity) * expected.price,
        "fee": actual.fee - expected.fee,
    }
    scale = max(abs(expected.price * expected.quantity), 1e-12)
    found = {cause: cost for cause, cost in causes.items() if abs(cost) > SAME * scale}
    if actual.time != expected.time:
        found["timing"] = 0.0
    return found
