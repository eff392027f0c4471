"""The events of an exchange. Listeners receive each inside the call that caused it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from market.sandbox.movements import SandboxMovement
from market.sandbox.orders import SandboxFill, SandboxOrder

Execution = Literal["new", "triggered", "trade", "cancelled", "expired"]


@dataclass(frozen=True, slots=True)
class PublicTrade:
    """A trade that everybody can see. `buyer_is_maker`: the seller took from the book. `time` in ms."""

    id: int
    symbol: str
    price: Decimal
    qty: Decimal
    buyer_is_maker: bool
    time: int


@dataclass(frozen=True, slots=True)
class BookChange:
    """The best prices or the depth of a symbol changed. The book (`exchange.book(symbol)`) has the new ones."""

    symbol: str
    time: int


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """An account's order changed. Only a `trade` has a `fill`. `sequence` counts the venue's order events."""

    account: str
    order: SandboxOrder
    execution: Execution
    fill: SandboxFill | None
    time: int
    sequence: int


@dataclass(frozen=True, slots=True)
class BalanceUpdate:
    """Some balances of an account changed. `deposit` is what came in, or (below zero) went out, by other ways than trading."""

    account: str
    assets: tuple[str, ...]
    time: int
    deposit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MovementUpdate:
    """A movement of an account is new, or has come to its end. `time` is the server's."""

    account: str
    movement: SandboxMovement
    time: int


@dataclass(frozen=True, slots=True)
class ListingChange:
    """The filters of an instrument changed, or whether it trades."""

    symbol: str
    time: int


Event: TypeAlias = PublicTrade | BookChange | OrderUpdate | BalanceUpdate | MovementUpdate | ListingChange
Listener: TypeAlias = Callable[[Event], None]
