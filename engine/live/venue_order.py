"""An order that a venue has, or may get."""

from __future__ import annotations

from dataclasses import dataclass

from engine.live.types import Intent

NEAR = 1e-9
"""Share of a quantity within which two are the same."""


@dataclass(slots=True)
class VenueOrder:
    """An order that the venue has, or may get."""

    order: Intent
    unit: float
    """Cash held for one base unit of a purchase."""
    rung: int = -1
    take: float = 0.0
    lot: int = -1
    """The lot that a take-profit or a protective stop sells."""
    got: float = 0.0
    given_up: bool = False
    unwanted: bool = False
    """Given up because the strategy wanted out: what it still buys is sold."""
    stands: bool = False
    """The venue has said that it has it."""
    rest: float = 0.0
    """What a sale leaves for the next order, because one may not ask for all of it."""
    counted: bool = False
    """Counted among the tries that may be refused for good when it went out."""

    @property
    def remaining(self) -> float:
        return max(0.0, self.order.quantity - self.got)

    @property
    def answered(self) -> bool:
        """Whether the venue has taken it."""
        return self.stands or self.got > 0.0

    @property
    def buys(self) -> bool:
        return self.order.side == "buy"

    @property
    def is_stop(self) -> bool:
        """Whether it is a protective stop. The strategy's own stop orders are watched here and never go out."""
        return self.order.stop is not None
