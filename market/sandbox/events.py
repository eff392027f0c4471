"""What listeners of an exchange hear, inside the call that caused it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from market.sandbox.orders import SandboxFill, SandboxOrder

Execution = Literal["new", "triggered", "trade", "cancelled", "expired"]


@dataclass(frozen=True, slots=True)
class PublicTrade:
    """A public trade. `buyer_is_maker`: the seller came to the book."""

    id: int
    symbol: str
    price: Decimal
    qty: Decimal
    buyer_is_maker: bool
    time: int


@dataclass(frozen=True, slots=True)
class BookChange:
    """The best prices or the depth of a symbol changed; ask the book (`exchange.book(symbol)`) for them."""

    symbol: str
    time: int


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """An account's order changed; `fill` with `trade` only. `sequence` counts the venue's order events."""

    account: str
    order: SandboxOrder
    execution: Execution
    fill: SandboxFill | None
    time: int
    sequence: int


@dataclass(frozen=True, slots=True)
class BalanceUpdate:
    """Some assets of an account changed. `deposit` is the sum that came in or went out by other ways than trading."""

    account: str
    assets: tuple[str, ...]
    time: int
    deposit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ListingChange:
    """An instrument's filters or its state changed."""

    symbol: str
    time: int


Event: TypeAlias = PublicTrade | BookChange | OrderUpdate | BalanceUpdate | ListingChange
Listener: TypeAlias = Callable[[Event], None]
