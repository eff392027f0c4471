"""What goes in and out of a trader. Times are milliseconds UTC, prices in quote, quantities in base, as in `engine.types`."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.types import Floats


@dataclass(frozen=True, slots=True)
class OHLCV:
    """One closed candle of one symbol."""

    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class SignalRow:
    """One candle's row of a strategy's `Signals`: what it wants at that close. NaN is none, as there.

    `size` is the share of equity that volatility sizing allows at that close (`layout.volatility_share`), NaN where it is not
    known. `ladder`: the buy and the sell price of each rung; a trader takes the first one that it is given and keeps it.
    """

    entry: bool = False
    exit: bool = False
    entry_limit: float = np.nan
    entry_stop: float = np.nan
    exit_limit: float = np.nan
    exit_stop: float = np.nan
    weight: float = 1.0
    target: float = np.nan
    size: float = np.nan
    ladder: tuple[Floats, Floats] | None = None


@dataclass(frozen=True, slots=True)
class Intent:
    """An order that the trader wants. `number` is never used again within a run.

    `type` is one of `types.ORDER_TYPES`, `reason` one of `types.REASONS`. `created_at`: open time of the candle at whose close
    (an exit that a price set off: in which) it was decided.
    """

    number: int
    symbol: str
    side: str
    type: str
    reason: str
    quantity: float
    limit: float | None
    stop: float | None
    created_at: int


@dataclass(frozen=True, slots=True)
class Executed:
    """A fill by the kernel's own matching (replay, paper). `time`: open time of its candle; `cash` and `position` after it."""

    number: int
    symbol: str
    side: str
    price: float
    quantity: float
    fee: float
    slippage: float
    maker: bool
    time: int
    cash: float
    position: float


@dataclass(frozen=True, slots=True)
class Ended:
    """An order that ended by the trader's own doing: `filled` (by the kernel's own matching), `cancelled`, `expired`, or `refused`
    with one of `types.REFUSALS`. Where a venue has the order, `cancelled` and `expired` ask for it to be cancelled there.

    `order` is the order as it ended. One that ended before it went out was in no `Step.wanted` and never will be.
    """

    order: Intent
    status: str
    refusal: str
    time: int

    @property
    def number(self) -> int:
        return self.order.number

    @property
    def symbol(self) -> str:
        return self.order.symbol

    @property
    def side(self) -> str:
        return self.order.side


@dataclass(frozen=True, slots=True)
class Closed:
    """A lot, or a part of one, that was sold: a trade. `profit` in quote, after costs; `gain` is it over what was paid."""

    symbol: str
    opened_at: int
    closed_at: int
    entry_price: float
    exit_price: float
    quantity: float
    fees: float
    slippage: float
    profit: float
    gain: float
    entry_reason: str
    exit_reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one call did; each list in the order in which it happened."""

    wanted: list[Intent] = field(default_factory=list)
    executed: list[Executed] = field(default_factory=list)
    done: list[Ended] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    equity: float | None = None
    """At the close that the call was about; None where it was about none."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an order did not go out, or the venue did not take it. `kind`: `desk`, `passing` (it may work soon) or `outside`, else it
    lasts; see `held_orders.DELAYS`. `code`: a reason of `engine.risk`, or the venue's own; `cause`: in a person's words. `time`:
    when."""

    kind: str = "passing"
    code: str = ""
    cause: str = ""
    time: int = 0


@dataclass(frozen=True, slots=True)
class BlockedOrder:
    """An exit that is wanted, or an entry, that was refused again and again. `cancelled`: how often others cancelled it at the
    venue, if that is what was done. `next_try`: when it is tried again; 0: that is not known."""

    symbol: str
    code: str
    cause: str
    cancelled: int = 0
    next_try: int = 0


@dataclass(frozen=True, slots=True)
class PriceLevel:
    """Prices at which something has to be done: at or below `stop`, at or above `take` (NaN: never), call `Trader.apply_price`.

    `lot` is the lot's id, -1 for an order of the strategy's that is watched here.
    """

    symbol: str
    lot: int
    stop: float
    stop_reason: str
    take: float


@dataclass(frozen=True, slots=True)
class HeldQuantity:
    """A lot: what one entry bought and has not been sold yet. `price`: the average, without fees."""

    lot: int
    symbol: str
    quantity: float
    price: float
    fees: float
    highest: float
    reason: str
    stop: float
    """The stop level now in force, 0 for none."""
    take: float
    """The take-profit level, infinite for none."""
