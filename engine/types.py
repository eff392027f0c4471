"""The engine's values: columns of candles in, tables of orders, fills and trades out.

Units everywhere: times are int64 milliseconds since 1970 UTC; a candle is stamped with its open time;
prices are in quote currency for one base unit; quantities in base units; ratios are plain (0.05 is 5 %).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.errors import Invalid

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

INTERVALS: dict[str, int] = {
    "1m": 60_000,
    "3m": 180_000,
    "5m": 300_000,
    "15m": 900_000,
    "30m": 1_800_000,
    "1h": 3_600_000,
    "2h": 7_200_000,
    "4h": 14_400_000,
    "6h": 21_600_000,
    "8h": 28_800_000,
    "12h": 43_200_000,
    "1d": 86_400_000,
    "3d": 259_200_000,
    "1w": 604_800_000,
    "1M": 2_629_746_000,
}
"""Each interval's length in milliseconds, and of calendar months the mean one, for comparing, annualising and waiting. When a
candle opens and closes is `engine.grid`'s to say."""


def interval_ms(interval: str) -> int:
    """The interval's length in milliseconds, of months the mean; `Invalid` for an unknown one."""
    try:
        return INTERVALS[interval]
    except KeyError:
        raise Invalid.at("interval", f"Unknown interval {interval!r}. Use one of {', '.join(INTERVALS)}.") from None


@dataclass(frozen=True, slots=True)
class Candles:
    """Closed candles of one symbol in time order, without duplicates; there may be gaps. All columns have one length."""

    symbol: str
    interval: str
    time: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    """NaN where nobody knows it; `volume_known` is then false."""
    volume_known: bool = field(default=True, kw_only=True)

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, part: slice) -> Candles:
        """The candles of a slice, without copying."""
        columns = (read_column(self, name)[part] for name in ("time", "open", "high", "low", "close", "volume"))
        return type(self)(self.symbol, self.interval, *columns, volume_known=self.volume_known)

    @property
    def step(self) -> int:
        """The interval's length in milliseconds, of months the mean; `engine.grid` knows when each candle closes."""
        return INTERVALS[self.interval]


class HiddenVolume(Candles):
    """Candles of which some volume is unknown, as a strategy gets them: to read `volume` is refused, and all else goes on.

    Whoever works on candles for the engine reads the columns with `read_column`.
    """

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:
        if name == "volume":
            symbol = object.__getattribute__(self, "symbol")
            why = f"The strategy needs the volume, which is unknown for {symbol}. Import candles that have it."
            raise Invalid.at("symbols", why)
        return object.__getattribute__(self, name)


def read_column(candles: Candles, name: str) -> Any:
    """A column, of hidden volume, too."""
    return object.__getattribute__(candles, name)


@dataclass(frozen=True, slots=True)
class Signals:
    """What a strategy wants, decided at the close of each candle; every array has the candles' length.

    `entry` and `exit` ask to be in or out from the next open on; where both are set the exit wins. With a price in
    `entry_limit` and/or `entry_stop` (NaN is none) the entry is a limit, stop or stop-limit order instead of a market order,
    and likewise for exits. `weight` (0 to 1) scales the sizing of an entry. `target` replaces entry and exit: the share
    of equity to hold from the next open on, NaN for no change. `ladder` adds a grid of resting orders.
    """

    entry: Bools | None = None
    exit: Bools | None = None
    entry_limit: Floats | None = None
    entry_stop: Floats | None = None
    exit_limit: Floats | None = None
    exit_stop: Floats | None = None
    weight: Floats | None = None
    target: Floats | None = None
    ladder: Ladder | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """A grid: rung k buys at `buy[k]` with `1 / len(buy)` of the sizing and sells that lot at `sell[k]`, again and again.

    `start` is the index of the candle at whose close the ladder is set; nothing before that candle's close may have
    been used to choose the prices beyond it.
    """

    start: int
    buy: Floats
    sell: Floats


@dataclass(frozen=True, slots=True)
class Rules:
    """The venue's rules for an instrument. 0 stands for no rule. What the names with `market` say holds for market orders, on top
    of the others; `*_notional_market`: whether that limit holds for them at all. `engine.order_rules` applies them."""

    tick: float = 0.0
    lot: float = 0.0
    min_notional: float = 0.0
    min_quantity: float = 0.0
    max_quantity: float = 0.0
    market_lot: float = 0.0
    market_min_quantity: float = 0.0
    market_max_quantity: float = 0.0
    max_notional: float = 0.0
    min_notional_market: bool = True
    max_notional_market: bool = False
    max_position: float = 0.0
    """Base that the account may have, with what its open orders buy."""
    min_price: float = 0.0
    max_price: float = 0.0
    buy_up: float = 0.0
    """A limit's price may be at most, or at least (`down`), this multiple of the market's price."""
    buy_down: float = 0.0
    sell_up: float = 0.0
    sell_down: float = 0.0
    max_orders: int = 0
    """Of one account, open at once."""
    max_stops: int = 0
    takes_market: bool = True


@dataclass(frozen=True, slots=True)
class Fees:
    """Shares of the traded value: 0.001 is 10 basis points."""

    maker: float = 0.0
    taker: float = 0.0


@dataclass(frozen=True, slots=True)
class Slippage:
    """What a taker loses to the market beside the fee.

    kind `bps`: `value` basis points of the price. kind `half_spread`: `value` in quote currency, half the distance between
    bid and ask. kind `volume_share`: an order gets at most `max_share` of a candle's volume and moves the price by
    `impact` x (its share of the volume)^2; the rest of it waits for later candles (the model of zipline's
    VolumeShareSlippage).
    """

    kind: str = "bps"
    value: float = 0.0
    max_share: float = 0.025
    impact: float = 0.1


@dataclass(frozen=True, slots=True)
class Sizing:
    """How much one entry spends, fee included.

    kind `all_in`: all free cash. `fixed`: `value` quote units. `fraction`: `value` of equity. `volatility`: the share of equity
    that makes the position's yearly volatility `value`, from `lookback` candles' log returns, at most `cap`.
    `kelly`: W - (1 - W) / R of the closed trades so far (W share of winners, R average win over average loss, as returns),
    times `value`, at most `cap`; until `min_trades` trades are closed, `cap` x `value`. (Kelly 1956; half Kelly is value 0.5.)
    """

    kind: str = "all_in"
    value: float = 1.0
    lookback: int = 100
    cap: float = 1.0
    min_trades: int = 20


@dataclass(frozen=True, slots=True)
class Exits:
    """Protective exits of every lot, as ratios of its entry price (trailing: of the highest price since). 0 is none."""

    stop_loss: float = 0.0
    take_profit: float = 0.0
    trailing_stop: float = 0.0
    max_candles: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Portfolio limits. 0 is none. `symbol_cap` is the largest share of equity in one symbol."""

    max_open_positions: int = 0
    symbol_cap: float = 0.0


REMEMBERED = 20
"""Closed trades that protections look back on, of all symbols together. A bot's state is stored at each candle, and stays small."""


@dataclass(frozen=True, slots=True)
class Protections:
    """When entries are refused for a while; 0 is off. Windows and pauses in candles, from a trade's close on.

    `cooldown`: after any trade of the symbol. Stop guard: `stop_count` losing stops within `stop_window`, of the symbol or of `all`
    (`stop_scope`), bar that for `stop_pause`. Drawdown guard: where `drawdown_trades` trades or more closed within
    `drawdown_window`, a fall of closed equity by a share of more than `drawdown` from its high there bars all for `drawdown_pause`.
    Low-profit lock: `profit_trades` trades of the symbol or more within `profit_window`, whose returns sum to less than
    `profit_least`, bar it for `profit_pause`. (After freqtrade's CooldownPeriod, StoplossGuard, MaxDrawdown, LowProfitPairs.)
    """

    cooldown: int = 0
    stop_count: int = 0
    stop_window: int = 0
    stop_pause: int = 0
    stop_scope: str = "symbol"
    drawdown: float = 0.0
    drawdown_window: int = 0
    drawdown_trades: int = 1
    drawdown_pause: int = 0
    profit_least: float = 0.0
    profit_window: int = 0
    profit_trades: int = 1
    profit_pause: int = 0

    @property
    def on(self) -> bool:
        """Whether any of them can ever bar anything."""
        return bool(self.cooldown or self.stop_count or self.drawdown_window or self.profit_window)


@dataclass(frozen=True, slots=True)
class Account:
    """All that the simulator needs beside candles and signals."""

    cash: float
    fees: Fees = Fees()
    slippage: Slippage = Slippage()
    sizing: Sizing = Sizing()
    exits: Exits = Exits()
    limits: Limits = Limits()
    protections: Protections = Protections()
    rules: tuple[Rules, ...] = (Rules(),)
    """One for each symbol, in the order of the candles."""
    order_ttl: int = 0
    """Candles after which a resting entry order is cancelled; 0 is never."""


# Codes in the tables below are small integers; these tuples give their names.
SIDES = ("buy", "sell")
ORDER_TYPES = ("market", "limit", "stop", "stop_limit")
ORDER_STATUSES = ("open", "filled", "cancelled", "expired", "refused")
REASONS = (
    "entry_signal",
    "exit_signal",
    "rebalance",
    "ladder",
    "stop_loss",
    "take_profit",
    "trailing_stop",
    "time_limit",
    "end_of_data",
    "by_hand",
)
"""Why an order was made."""
REFUSALS = (
    "",
    "insufficient_cash",
    "below_lot_size",
    "below_min_notional",
    "max_open_positions",
    "symbol_cap",
    "bad_price",
    "protection",
    "above_maximum",
)
"""Why the engine did not make it, or not all of it."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of one length by name."""

    columns: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What happened. Indices `*_index` count candles on `time`; `symbol` counts the symbols in the order given.

    orders: symbol, side, type, reason, created_index, closed_index (-1: never), limit, stop (NaN: none), quantity (base; NaN
        until it is known), status, refusal.
    fills: order (row in orders), index, price, quantity, fee, slippage (both in quote), maker (bool), cash (after),
        position (of the symbol, after).
    trades: symbol, entry_index, exit_index, entry_price, exit_price (averages), quantity, fees, slippage, profit (quote, after
        costs), return (profit over what was paid), entry_reason, exit_reason.
    """

    time: Ints
    equity: Floats
    """Cash and positions at each close, in quote."""
    orders: Table
    fills: Table
    trades: Table
    final_cash: float
