"""The reference simulator's rows: orders, lots, fills, trades, and one symbol's candles in decimals."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from engine.types import Candles, Ladder, Signals

ZERO, ONE = Decimal(0), Decimal(1)
Row = tuple[Decimal, Decimal, Decimal, Decimal, Decimal]


def exact(value: Any) -> Decimal:
    """The decimal that was written, as Python's shortest repr gives it back."""
    return Decimal(repr(float(value)))


def binary(value: Decimal) -> bool:
    """Whether a few binary digits hold it, so that floats computing it from such values are exact too."""
    denominator = value.as_integer_ratio()[1]
    return denominator & (denominator - 1) == 0 and denominator <= 2**20


@dataclass(eq=False)
class Order:
    symbol: int
    side: str
    type: str
    reason: str
    created: int
    placed: int
    """The symbol's own candle at whose close it was decided."""
    limit: Decimal | None = None
    stop: Decimal | None = None
    closed: int = -1
    status: str = "open"
    refusal: str = ""
    rest: Decimal | None = None
    """What is still to be bought or sold; None: not yet known, or whatever the lots queued to this order hold."""
    got: Decimal = ZERO
    hold_price: Decimal = ZERO
    weight: Decimal = ONE
    volatility: Decimal = ZERO
    target: Decimal | None = None
    barred: bool = False
    """A target decided while the symbol was barred: it may sell."""
    rung: int | None = None
    gap: Decimal = ZERO
    """The money a target wants to spend."""
    triggered: bool = False
    as_given: bool = True
    """Its prices were not rounded to the tick, so comparing them with candles is exact in any arithmetic."""

    @property
    def held(self) -> Decimal:
        return (self.rest or ZERO) * self.hold_price


@dataclass(eq=False)
class Lot:
    symbol: int
    order: Order
    opened: int
    opened_own: int
    quantity: Decimal
    entry: Decimal
    fee: Decimal
    slippage: Decimal
    highest: Decimal
    inside: int
    """The last candle inside which a part of it was bought; -1: none."""
    at_open: bool
    """Its first part was bought at an open, or by a limit that rested: its stop may then sell at that candle's open."""
    selling: Order | None = None
    parts: list[Trade] = field(default_factory=list)
    """Those that were sold."""


@dataclass
class Fill:
    order: Order
    index: int
    price: Decimal
    quantity: Decimal
    fee: Decimal
    slippage: Decimal
    maker: bool
    cash: Decimal
    position: Decimal


@dataclass
class Trade:
    symbol: int
    entry_index: int
    exit_index: int
    entry_price: Decimal
    exit_price: Decimal
    quantity: Decimal
    fees: Decimal
    slippage: Decimal
    profit: Decimal
    paid: Decimal
    entry_reason: str
    exit_reason: str

    @property
    def ratio(self) -> Decimal:
        return self.profit / self.paid


@dataclass
class Market:
    """One symbol: its candles as decimals, its own index by the index on the common time line, its signals."""

    candles: Candles
    signals: Signals
    own: dict[int, int]
    rows: list[Row]
    last: int = -1
    """Its newest candle so far."""
    mark: Decimal = ZERO
    """The last close, this candle's only from step 5.3 on."""
    left: Decimal = ZERO
    """What the volume cap leaves in this candle."""
    refused_rungs: set[int] = field(default_factory=set)

    def signal(self, name: str, i: int) -> Decimal | None:
        """The value of a float signal at the symbol's candle `i`; None where it is absent or NaN."""
        array = getattr(self.signals, name)
        return None if array is None or array[i] != array[i] else exact(array[i])

    @property
    def ladder(self) -> Ladder:
        assert self.signals.ladder is not None
        return self.signals.ladder

    def flag(self, name: str, i: int) -> bool:
        array = getattr(self.signals, name)
        return self.signals.target is None and array is not None and bool(array[i])


@dataclass
class ReferenceResult:
    time: list[int]
    orders: list[Order]
    fills: list[Fill]
    trades: list[Trade]
    equity: list[Decimal]
    final_cash: Decimal
    edges: int
    """Decisions on a knife edge, which float64 may rightly take otherwise: see `Reference.near`."""
