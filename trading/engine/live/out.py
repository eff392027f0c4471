"""An order that a venue has, or may get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trading.engine.live.values import Wanted

NEAR = 1e-9
"""Share of a quantity within which two are the same."""


@dataclass(slots=True)
class Out:
    """An order that the venue has, or may get."""

    order: Wanted
    unit: float
    """Cash held for one base unit of a purchase."""
    rung: int = -1
    take: float = 0.0
    lot: int = -1
    """The lot that a take-profit order sells."""
    got: float = 0.0
    given_up: bool = False
    unwanted: bool = False
    """Given up because the strategy wanted out: what it still buys is sold."""

    @property
    def left(self) -> float:
        return max(0.0, self.order.quantity - self.got)

    @property
    def buys(self) -> bool:
        return self.order.side == "buy"


def revived(state: Mapping[str, Any]) -> Out:
    return Out(**{**state, "order": Wanted(**state["order"])})
