"""Which bookings are the two ends of one transfer: lots move along with it, and keep their cost and date."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from wallets.lots.moments import to_microseconds
from wallets.models import LedgerTransaction, Movement

Kind = LedgerTransaction.Kind


@dataclass(frozen=True, slots=True)
class Link:
    """One end. `ts` is when it counts: what was sent went before it came, whatever the clocks of two venues say."""

    transaction: int
    ts: int
    link: str


def read_links(wallets: Collection[int]) -> list[Link]:
    return [*link_transfers(wallets), *link_reversals(wallets)]


def link_transfers(wallets: Collection[int]) -> Iterator[Link]:
    """Withdrawals of one wallet and deposits of another one that are the same transaction of a chain or a venue."""
    rows = list(shared_movements(wallets).values_list("booked", "booked__ts", "txid", "kind"))
    first = {
        txid: to_microseconds(ts)
        for _, ts, txid, kind in sorted(rows, key=lambda row: row[1], reverse=True)
        if kind == Kind.DEPOSIT
    }
    for number, moment, txid, kind in rows:
        ts = to_microseconds(moment)
        yield Link(number, ts if kind == Kind.DEPOSIT else min(ts, first.get(txid, ts) - 1), f"transfer {txid}")


def shared_movements(wallets: Collection[int]) -> QuerySet[Movement]:
    """Booked ones whose transaction more than one of the wallets knows."""
    booked = Movement.objects.filter(wallet__in=wallets, booked__isnull=False, kind__in=(Kind.DEPOSIT, Kind.WITHDRAWAL))
    named = booked.exclude(txid="").order_by()
    shared = named.values("txid").annotate(wallets=Count("wallet", distinct=True)).filter(wallets__gt=1)
    return named.filter(txid__in=shared.values("txid"))


def link_reversals(wallets: Collection[int]) -> Iterator[Link]:
    """Withdrawals that the venue took back, and their reversals."""
    reversals = LedgerTransaction.objects.filter(wallet__in=wallets, kind=Kind.REVERSAL).values_list(
        "id", "wallet", "reference", "ts"
    )
    sent = {name_reversed(reference): (number, wallet, ts) for number, wallet, reference, ts in reversals}
    taken_back = LedgerTransaction.objects.filter(wallet__in=wallets, kind=Kind.WITHDRAWAL, reference__in=sent)
    for number, reference, ts in taken_back.values_list("id", "reference", "ts"):
        back, wallet, later = sent[reference]
        yield Link(number, to_microseconds(ts), f"reversal {wallet} {reference}")
        yield Link(back, to_microseconds(later), f"reversal {wallet} {reference}")


def name_reversed(reference: str) -> str:
    """The reference of what `reference:n` took back: the first booking has none, later ones their number."""
    name, _, number = reference.rpartition(":")
    return name if number == "1" else f"{name}:{int(number) - 1}"
