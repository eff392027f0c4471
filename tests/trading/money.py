"""Days of money: strategies that want this and that by dice, candles, instruments, wallets and bots."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
from hypothesis import strategies as some

from engine.strategies import registry
from engine.strategy import Columns, Strategy, integer
from engine.types import Bools, Candles, Floats, Signals

START, STEP = 1_640_995_200_000, 300_000
VENUE = "binance-sandbox"
INSTRUMENTS: dict[str, dict[str, str]] = {
    "binance": {"tick_size": "0.01", "lot_size": "0.00001", "min_notional": "5"},
    "coinbase": {"tick_size": "0.01", "lot_size": "0.00000001", "min_notional": "1"},
    "coarse": {"tick_size": "0.25", "lot_size": "0.5", "min_notional": "20"},
    "none": {},
}
SYMBOLS = ("AAA-USDT", "BBB-USDT")


class Dice(Strategy):
    """What a candle asks for hangs on its time and the seed alone, so that it never sees the future."""

    description = "For tests."
    position: ClassVar[str] = "single"
    seed: int = integer(1, low=0, high=10**9)

    def warmup(self) -> int:
        return 1

    def indicators(self, candles: Candles) -> Columns:
        return {}

    def roll(self, candles: Candles, number: int) -> Floats:
        """Numbers from 0 to 1."""
        mixed = (candles.time // candles.step).astype(np.uint64) * np.uint64(2_654_435_761) + np.uint64(
            self.seed * 97 + number * 7_919
        )
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(11_400_714_819_323_198_485)
        return np.asarray((mixed >> np.uint64(40)).astype(np.float64) / 2**24)

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        rolls = [self.roll(candles, number) for number in range(8)]

        def priced(often: Floats, roll: Floats) -> Floats:
            return np.where(often < 0.4, candles.close * (0.985 + 0.03 * roll), np.nan)

        enter: Bools = rolls[0] < 0.5
        leave: Bools = rolls[1] < 0.25
        limit_in, stop_in, limit_out, stop_out = (priced(rolls[number], rolls[number + 1]) for number in (2, 3, 4, 5))
        return Signals(enter, leave, limit_in, stop_in, limit_out, stop_out, 0.4 + 0.6 * rolls[6])


class DiceSingle(Dice):
    name, title = "dice_single", "Dice"


class DiceMerge(Dice):
    name, title = "dice_merge", "Dice that add"
    position = "merge"


class DiceLots(Dice):
    name, title = "dice_lots", "Dice with lots"
    position = "lots"


class DiceTargets(Dice):
    name, title = "dice_targets", "Dice with targets"
    position = "merge"

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        first, second = self.roll(candles, 0), self.roll(candles, 1)
        return Signals(target=np.where(first < 0.4, np.round(second, 2), np.nan))


DICE = (DiceSingle, DiceMerge, DiceLots, DiceTargets)


def register() -> None:
    for strategy in DICE:
        registry.find_strategies().add(strategy)


def unregister() -> None:
    for strategy in DICE:
        del registry.find_strategies().strategies[strategy.name]


@dataclass(frozen=True)
class Day:
    """`money`: what the wallet begins with, in quote. `bots`: configurations."""

    seed: int
    money: Decimal
    rules: dict[str, Decimal]
    bots: tuple[dict[str, Any], ...]
    candles: tuple[Candles, ...]
    limits: dict[str, str | int]
    """Other rules of the instruments, as `Instrument.limits` has them."""
    refusing: float
    """Share of the orders that a venue refuses."""


def walk(symbol: str, tick: Decimal, count: int, seed: int) -> Candles:
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, count)))
    opened = np.concatenate([[100.0], close[:-1]]) * (1 + random.normal(0, 0.004, count))
    high, low = np.maximum(opened, close) * 1.004, np.minimum(opened, close) * 0.996
    opened, high, low, close = (put_on_ticks(column, tick) for column in (opened, high, low, close))
    return Candles(symbol, "5m", START + STEP * np.arange(count), opened, high, low, close, random.uniform(5, 60, count).round(2))


def without_rules() -> Day:
    """Amounts here have more places than a ledger: a replay's sum lay on the other side of a rounding than its fills'."""
    bot: dict[str, Any] = {
        "strategy": "dice_single",
        "params": {"seed": 13},
        "venue": VENUE,
        "symbols": ["AAA-USDT"],
        "interval": "5m",
    }
    bot |= {"cash": "500", "fees": {"maker_bps": 0, "taker_bps": 10}, "slippage": {"kind": "volume_share", "max_share": 0.05}}
    bot |= {"sizing": {"kind": "all_in"}, "exits": {"trailing_stop": 0.01}, "order_ttl": 0}
    candles = tuple(walk(symbol, Decimal("0.01"), 13, 39922 + number) for number, symbol in enumerate(SYMBOLS))
    return Day(39922, Decimal(700), {}, (bot,), candles, {}, 0)


def side_by_side() -> Day:
    """What waits for volume is bought out of what a stop-limit of the other bot, in the same wallet, has set aside."""
    bot: dict[str, Any] = {"strategy": "dice_single", "venue": VENUE, "symbols": ["AAA-USDT"], "interval": "5m"}
    bot |= {"fees": {"maker_bps": 0, "taker_bps": 0}, "sizing": {"kind": "all_in"}}
    slippage = {"kind": "volume_share", "max_share": 0.05}
    bots = ({**bot, "cash": "500", "params": {"seed": 8}}, {**bot, "cash": "999.99", "params": {"seed": 1}, "slippage": slippage})
    rules = {name: Decimal(value) for name, value in INSTRUMENTS["binance"].items()}
    candles = tuple(walk(symbol, Decimal("0.01"), 7, number) for number, symbol in enumerate(SYMBOLS))
    return Day(0, Decimal(700), rules, bots, candles, {}, 0)


def without_lots() -> Day:
    """What floats leave of a position is sold by a noise more than there is."""
    bot: dict[str, Any] = {"strategy": "dice_targets", "params": {"seed": 20000}, "venue": VENUE, "symbols": list(SYMBOLS)}
    bot |= {"interval": "5m", "cash": "1234.5678", "fees": {"maker_bps": 0, "taker_bps": 0}, "exits": {"take_profit": 0.01}}
    candles = tuple(walk(symbol, Decimal("0.01"), 6, 2 + number) for number, symbol in enumerate(SYMBOLS))
    return Day(2, Decimal(700), {}, (bot,), candles, {}, 0)


def grown() -> Day:
    """Of two targets one is refused, and the other grows into its place, beyond what the wallet has."""
    bot: dict[str, Any] = {"venue": VENUE, "symbols": ["AAA-USDT"], "interval": "5m", "cash": "999.99"}
    bot |= {"fees": {"maker_bps": 0, "taker_bps": 0}, "sizing": {"kind": "all_in"}}
    targets = {**bot, "strategy": "dice_targets", "params": {"seed": 40}}
    targets |= {"slippage": {"kind": "volume_share", "max_share": 0.05}, "exits": {"take_profit": 0.02, "trailing_stop": 0.02}}
    both = {**targets, "symbols": list(SYMBOLS), "exits": {"take_profit": 0.01}}
    candles = tuple(walk(symbol, Decimal("0.01"), 22, 28232 + number) for number, symbol in enumerate(SYMBOLS))
    bots = ({**bot, "strategy": "dice_single", "params": {"seed": 1622}}, targets, both)
    return Day(28232, Decimal(700), {}, bots, candles, {}, 0)


def put_on_ticks(prices: Floats, tick: Decimal) -> Floats:
    return np.array([float(round(one / float(tick)) * tick) for one in prices])


ratios = some.sampled_from([0, 0, 0.01, 0.02])
costs = some.sampled_from([0, 7.5, 10, 13, 60])
sizings = some.sampled_from(
    [{"kind": "all_in"}, {"kind": "fixed", "value": "123.45"}, {"kind": "fraction", "value": 0.37}, {"kind": "kelly", "value": 0.5}]
)
slippages = some.sampled_from(
    [{}, {"kind": "bps", "value": 3}, {"kind": "half_spread", "value": "0.02"}, {"kind": "volume_share", "max_share": 0.05}]
)
amounts = some.sampled_from(["", "", "1", "2.5", "7"])
limits_of_venues: some.SearchStrategy[dict[str, Any]] = some.fixed_dictionaries(
    {
        "max_quantity": amounts,
        "market_max_quantity": amounts,
        "max_notional": some.sampled_from(["", "", "150", "600"]),
        "max_position": some.sampled_from(["", "", "4", "9"]),
        "max_orders": some.sampled_from([0, 0, 1, 3]),
    }
)
cash = some.sampled_from(["500", "999.99", "1234.5678", "3000"])


@some.composite
def configs(draw: some.DrawFn) -> dict[str, Any]:
    exits = {name: draw(ratios) for name in ("stop_loss", "take_profit", "trailing_stop")}
    fees = {"maker_bps": draw(costs), "taker_bps": draw(costs)}
    return {
        "strategy": draw(some.sampled_from([one.name for one in DICE])),
        "params": {"seed": draw(some.integers(0, 10**6))},
        "venue": VENUE,
        "symbols": list(SYMBOLS[: draw(some.sampled_from([1, 2]))]),
        "interval": "5m",
        "cash": draw(cash),
        "fees": fees,
        "slippage": draw(slippages),
        "sizing": draw(sizings),
        "exits": exits,
        "order_ttl": draw(some.sampled_from([0, 3])),
    }


@some.composite
def days(draw: some.DrawFn) -> Day:
    rules = {name: Decimal(value) for name, value in INSTRUMENTS[draw(some.sampled_from(sorted(INSTRUMENTS)))].items()}
    seed, count = draw(some.integers(0, 10**6)), draw(some.integers(6, 24))
    tick = rules.get("tick_size", Decimal("0.01"))
    candles = tuple(walk(symbol, tick, count, seed + number) for number, symbol in enumerate(SYMBOLS))
    money = Decimal(draw(some.sampled_from(["700", "1234.5678", "5000"])))
    bots = draw(some.lists(configs(), min_size=1, max_size=3))
    limits = {name: value for name, value in draw(limits_of_venues).items() if value} if rules else {}
    return Day(seed, money, rules, tuple(bots), candles, limits, draw(some.sampled_from([0, 0.2, 0.6])))
