"""The form of the candle tables: a rule, its candles, what the strategy wants, and the trades that must result."""

from __future__ import annotations

from dataclasses import dataclass

from engine.types import Account, Exits, Sizing, Slippage
from tests.engine.tables import Wish

PLAIN = Account(1000.0)
FLAT = "100 100 100 100"


def flat(count: int) -> str:
    return f"{FLAT}\n" * count


@dataclass(frozen=True)
class Table:
    rule: str
    candles: str
    wish: Wish
    trades: tuple[str, ...] = ()
    unfilled: tuple[str, ...] = ()
    account: Account = PLAIN
    position: str = "single"
    warmup: int = 0
    cash: float | None = None
    second: tuple[str, Wish] | None = None
    """Candles and wishes of a second symbol."""


def exits(**levels: float) -> Account:
    return Account(1000.0, exits=Exits(**levels))  # type: ignore[arg-type]


def fixed(value: float, **more: object) -> Account:
    return Account(1000.0, sizing=Sizing("fixed", value), **more)  # type: ignore[arg-type]


def volume(max_share: float, impact: float = 0.0) -> Slippage:
    return Slippage("volume_share", 0.0, max_share, impact)
