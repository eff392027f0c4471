"""The life of an order at a venue, as one table. What is not in it is not believed."""

from __future__ import annotations

LEGAL: dict[str, frozenset[str]] = {
    # Not sent yet. Cancelled: never sent. Rejected: the venue can never be asked (its symbol is gone). Where the venue knows it all
    # the same, that counts: it must not be sent again.
    "pending": frozenset({"submitted", "accepted", "partially_filled", "filled", "cancelled", "expired", "rejected"}),
    # Sent or about to be: unknown until the venue answers. Back to pending only where it surely was not sent.
    "submitted": frozenset({"pending", "accepted", "partially_filled", "filled", "cancelled", "expired", "rejected"}),
    "accepted": frozenset({"partially_filled", "filled", "cancelled", "expired", "rejected"}),
    "partially_filled": frozenset({"filled", "cancelled", "expired"}),
    # Final words. A fill that arrives late still counts (its status does not change), except that what we took for over may turn
    # out to have been filled: the venue's word, heard out of order.
    "cancelled": frozenset({"filled"}),
    "expired": frozenset({"filled"}),
    "rejected": frozenset({"accepted", "partially_filled", "filled", "cancelled", "expired"}),
    "filled": frozenset(),
}
OVER = frozenset({"filled", "cancelled", "expired", "rejected"})


def may(status: str, to: str) -> bool:
    return to in LEGAL[status]


def advance(status: str, told: str, *, complete: bool) -> str:
    """The status after the venue said `told`; `complete`: all of the quantity is filled. Reports come twice and out of order:
    one that would lead back changes nothing."""
    wanted = "filled" if complete else told
    if wanted == "filled" and not complete:
        wanted = "partially_filled"  # the executions that it speaks of are still to come
    return wanted if may(status, wanted) else status
