"""Claims of entry orders: set aside, used by what was bought, given back as that is sold, the oldest first.

What a bot holds is known in memory, so that a sale asks the database for nothing. All claims that a step changes are written by one
part of its statement, however many purchases a sale ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils import timezone

from core.batch import GO, WriteBatch
from trading.models import AllocationStatus, Order, RiskAllocation

NOTHING = Decimal(0)
CHANGED = f"""
UPDATE trading_riskallocation AS claim SET
    open = new.open, used = new.used, released = new.released, status = new.status, closed_at = new.closed_at,
    released_at = new.released_at
FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::numeric[], %s::text[], %s::timestamptz[], %s::timestamptz[])
AS new (id, open, used, released, status, closed_at, released_at)
WHERE claim.id = new.id AND {GO}
RETURNING 1
"""  # noqa: S608


@dataclass(slots=True)
class HeldClaims:
    """Of one bot, the claims of what it holds, by symbol and primary key, oldest first."""

    rows: dict[str, dict[int, RiskAllocation]] = field(default_factory=dict)

    @classmethod
    def of(cls, claims: Iterable[RiskAllocation]) -> HeldClaims:
        held = cls()
        for claim in claims:
            held.keep(claim)
        return held

    def keep(self, claim: RiskAllocation) -> None:
        """Remembers it while something is used, and no longer."""
        known = self.rows.setdefault(claim.symbol, {})
        if claim.used:
            known[claim.pk] = claim
        else:
            known.pop(claim.pk, None)

    def find(self, order: Order) -> RiskAllocation | None:
        """What was claimed for the order; a sale claims nothing. Queried at most once in an order's life in memory."""
        if order.side != "buy":
            return None
        try:
            return self.rows.get(order.symbol, {}).get(order.allocation.pk) or order.allocation
        except RiskAllocation.DoesNotExist:
            return None


@dataclass(slots=True)
class ClaimChanges:
    """What one step changes in the claims of a bot."""

    held: HeldClaims
    changed: dict[int, RiskAllocation] = field(default_factory=dict)

    def settle(self, order: Order, *, share: Decimal, use: Decimal) -> Decimal:
        """This share of the order was filled, and `use` of it, in quote, is in the position now. Returns what is not set aside any
        more."""
        claim = self.held.find(order)
        if claim is None:
            return NOTHING
        unclaim: Decimal = min(claim.open, (claim.amount * share).quantize(Decimal("1e-18")))
        claim.open -= unclaim
        claim.used += max(use, NOTHING)
        claim.released += max(unclaim - use, NOTHING)
        if not claim.open:
            claim.closed_at = timezone.now()
        self.note(claim, AllocationStatus.USED)
        return unclaim

    def give_back(self, symbol: str, cost: Decimal, *, everything: bool) -> None:
        """What had cost `cost` has been sold."""
        for claim in list(self.held.rows.get(symbol, {}).values()):
            part = claim.used if everything else min(claim.used, cost)
            if not part:
                return
            claim.used -= part
            claim.released += part
            cost -= part
            self.note(claim, AllocationStatus.RELEASED)

    def add_cost(self, symbol: str, cost: Decimal) -> None:
        """What is held has cost more than was known: the newest purchase."""
        if cost and (held := list(self.held.rows.get(symbol, {}).values())):
            held[-1].used += cost
            self.note(held[-1], AllocationStatus.USED)

    def release(self, order: Order, status: AllocationStatus) -> Decimal:
        """The order is over: what is still set aside goes back. Returns how much that is."""
        claim = self.held.find(order)
        if claim is None or claim.closed_at is not None:
            return NOTHING
        left: Decimal = claim.open
        claim.open = NOTHING
        claim.released += left
        claim.closed_at = timezone.now()
        self.note(claim, status)
        return left

    def note(self, claim: RiskAllocation, over: AllocationStatus) -> None:
        """`over`: its status once nothing of it is set aside or used."""
        if not claim.open:
            claim.status = AllocationStatus.USED if claim.used else over
            claim.released_at = None if claim.used else timezone.now()
        self.held.keep(claim)
        self.changed[claim.pk] = claim

    def add_to(self, batch: WriteBatch) -> None:
        if not self.changed:
            return
        names = ("pk", "open", "used", "released", "status", "closed_at", "released_at")
        columns = [[getattr(one, name) for one in self.changed.values()] for name in names]
        columns[4] = [str(status) for status in columns[4]]
        batch.also.append(("claims", CHANGED, columns))
