"""The life of an order at a venue, as one table. A report of any other change is ignored."""

from __future__ import annotations

from decimal import Decimal

LEGAL: dict[str, frozenset[str]] = {
    # Not sent yet. Cancelled: never sent. Rejected: the venue can never be asked (its symbol is gone). Where the venue knows it all
    # the same, that counts: it must not be sent again.
    "pending": frozenset({"submitted", "accepted", "partially_filled", "filled", "cancelled", "expired", "rejected"}),
    # Sent or about to be: unknown until the venue answers. Back to pending only where it surely was not sent.
    "submitted": frozenset({"pending", "accepted", "partially_filled", "filled", "cancelled", "expired", "rejected"}),
    "accepted": frozenset({"partially_filled", "filled", "cancelled", "expired", "rejected"}),
    "partially_filled": frozenset({"filled", "cancelled", "expired"}),
    # Final. A fill that arrives late still counts, and the status does not change; but an order that we took for over may turn out
    # to have been filled, where the venue's reports arrive out of order.
    "cancelled": frozenset({"filled"}),
    "expired": frozenset({"filled"}),
    "rejected": frozenset({"accepted", "partially_filled", "filled", "cancelled", "expired"}),
    "filled": frozenset(),
}
OVER = frozenset({"filled", "cancelled", "expired", "rejected"})


def may_advance(status: str, to: str) -> bool:
    return to in LEGAL[status]


def advance_status(status: str, reported: str, *, complete: bool) -> str:
    """The status after the venue reported `reported`. `complete`: all of the quantity is filled. Reports come twice and out of
    order: one that would lead back changes nothing."""
    wanted = "filled" if complete else reported
    if wanted == "filled" and not complete:
        wanted = "partially_filled"  # the executions that it speaks of are still to come
    return wanted if may_advance(status, wanted) else status


def follow_report(status: str, reported: str, *, quantity: Decimal, filled: Decimal, told: Decimal) -> str:
    """The status after a report: `filled` of `quantity` is in the books, and the venue counts `told` as filled."""
    if filled < told:
        reported = "partially_filled"  # its execution has not come yet: the order stays open until that has been asked for
    elif reported == "filled" and 0 < told == filled < quantity:
        reported = "expired"  # nothing more comes: the rest was prevented from trading with an order of the same account
    return advance_status(status, reported, complete=filled >= quantity)
