"""Movements: what the venue tells of them is kept, and booked once it is done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.errors import Conflict
from core.events import News, events_record
from core.fields import EXACT
from core.text import decimal_text
from market.exchanges.base import UnreadRow
from market.exchanges.movements import Movement as VenueMovement
from wallets.ledger import STEP, Account, Booking, Leg, booking_write, transfer_legs
from wallets.models import LedgerTransaction, Movement, MovementLeg, Wallet

Kind, State, Standing = Movement.Kind, Movement.State, Movement.Standing
OTHER_SIDE = {
    Kind.DEPOSIT: Account.CAPITAL,
    Kind.WITHDRAWAL: Account.CAPITAL,
    Kind.TRANSFER: Account.CAPITAL,
    Kind.CONVERSION: Account.TRADING,
    Kind.DUST: Account.TRADING,
    Kind.REWARD: Account.INCOME,
    Kind.REBATE: Account.FEES,
}
"""Where what the wallet gets comes from, and what it gives goes to."""


def movements_take(
    *, wallet: Wallet, rows: Iterable[VenueMovement | UnreadRow], listed: str = "", book: bool = True
) -> list[Movement]:
    """Keeps what the venue tells, and books what is done, or leaves that to a person (`book` false). Rows that were taken before
    change nothing. Those that are new or changed are answered, and told by an event. `Conflict` before the books are opened."""
    with transaction.atomic():
        opening = opening_lock(wallet)
        rows = sorted(rows, key=row_order)
        found = wallet.movements.filter(reference__in=[name_row(row) for row in rows]).prefetch_related("legs")
        known = {one.reference: one for one in found}
        changed = [one for row in rows if (one := movement_take(wallet, listed, known, row, opening, book=book))]
        if changed:
            events_record([News("movement", "account", movement_facts(one)) for one in changed])
    return changed


def opening_lock(wallet: Wallet) -> LedgerTransaction:
    """The opening of the wallet's books, which nobody else changes until the transaction ends. `Conflict` where there is none."""
    Wallet.objects.select_for_update(no_key=True).get(pk=wallet.pk)
    return opening_find(wallet)


def opening_find(wallet: Wallet) -> LedgerTransaction:
    """`Conflict` where the books are not opened yet."""
    opening = wallet.transactions.filter(kind=LedgerTransaction.Kind.OPENING).first()
    if opening is None:
        raise Conflict(f"The books of {wallet.name} are not opened yet: they begin when the wallet is first connected.")
    return opening


def movement_take(
    wallet: Wallet,
    listed: str,
    known: dict[str, Movement],
    row: VenueMovement | UnreadRow,
    opening: LedgerTransaction,
    *,
    book: bool,
) -> Movement | None:
    """One row; None where it says nothing new."""
    reference = name_row(row)
    kept = known.get(reference)
    fields, legs = (unread_fields(row), []) if isinstance(row, UnreadRow) else (read_fields(row, kept), read_legs(row))
    if kept is None:
        kept = known[reference] = Movement(wallet=wallet, reference=reference, listed=listed, standing=Standing.UNKNOWN)
    before = {name: getattr(kept, name) for name in fields} | {"legs": legs_of(kept), "standing": kept.standing}
    if kept.booked_id and (legs != before["legs"] or fields["fee"] != kept.fee):
        movement_unbook(kept)
    movement_write(kept, fields, legs if legs != before["legs"] else None)
    movement_settle(kept, opening, book=book)
    same = before == fields | {"legs": legs, "standing": kept.standing}
    return None if same else kept


def row_order(row: VenueMovement | UnreadRow) -> tuple[bool, float]:
    """The oldest first, and last what does not say when it began."""
    return (isinstance(row, UnreadRow), 0.0 if isinstance(row, UnreadRow) else row.time.timestamp())


def name_row(row: VenueMovement | UnreadRow) -> str:
    """The venue's id; of what cannot be read, what it says."""
    return row.reference if isinstance(row, VenueMovement) else f"unread:{hashlib.sha256(row.raw.encode()).hexdigest()[:32]}"


def unread_fields(row: UnreadRow) -> dict[str, Any]:
    return {"kind": Kind.OTHER, "state": State.OTHER, "words": row.reason[:256], "raw": row.raw, "fee": Decimal(0)}


def read_fields(row: VenueMovement, kept: Movement | None) -> dict[str, Any]:
    return {
        "kind": Kind(row.kind),
        "state": State(row.state),
        "ts": row.time,
        "moved_at": find_moment(row, kept),
        "fee": EXACT.quantize(row.fee, STEP),
        "fee_asset": row.fee_asset,
        "network": row.network,
        "address": row.address,
        "txid": row.txid,
        "words": row.words,
        "elsewhere": row.elsewhere,
    }


def find_moment(row: VenueMovement, kept: Movement | None) -> datetime | None:
    """When the balance changed. Where the venue does not say: now, if it was pending when it was last asked, or when it began."""
    if row.moved_at or row.state != "done":
        return row.moved_at
    if kept is None:
        return row.time
    return kept.moved_at or (timezone.now() if kept.state == State.PENDING else row.time)


def read_legs(row: VenueMovement) -> list[tuple[str, Decimal]]:
    return [(leg.asset, EXACT.quantize(leg.amount, STEP)) for leg in row.legs]


def legs_of(kept: Movement) -> list[tuple[str, Decimal]]:
    return [(leg.asset, leg.amount) for leg in kept.legs.all()] if kept.pk else []


def movement_write(kept: Movement, fields: Mapping[str, Any], legs: Sequence[tuple[str, Decimal]] | None) -> None:
    """`legs`: None where they stay."""
    if kept.pk and legs is None and all(getattr(kept, name) == value for name, value in fields.items()):
        return
    for name, value in {**fields, "changed_at": timezone.now()}.items():
        setattr(kept, name, value)
    kept.save()
    if legs is not None:
        kept.legs.all().delete()
        MovementLeg.objects.bulk_create(MovementLeg(movement=kept, asset=asset, amount=amount) for asset, amount in legs)
        kept._prefetched_objects_cache = {}  # type: ignore[attr-defined]


def movement_settle(kept: Movement, opening: LedgerTransaction, *, book: bool) -> None:
    """Books what is to be booked, and back what the venue has taken back."""
    standing, twin = decide_standing(kept, opening)
    if kept.booked_id and standing != Standing.FAILED:
        return
    if kept.booked_id:
        movement_unbook(kept)
    if standing == Standing.READY and book:
        standing, kept.booked = Standing.BOOKED, movement_booking(kept)
    if (kept.standing, kept.twin) != (standing, twin) or kept.booked:
        kept.standing, kept.twin = standing, twin
        kept.save(update_fields=["standing", "twin", "booked", "reversals"])


def decide_standing(kept: Movement, opening: LedgerTransaction) -> tuple[Movement.Standing, Movement | None]:
    """Whether it is to be booked, and if not, why not; and the movement that it is told by, too."""
    if kept.state == State.FAILED:
        return Standing.FAILED, None
    if kept.elsewhere:
        return Standing.ELSEWHERE, None
    if kept.kind == Kind.OTHER or kept.state == State.OTHER:
        return Standing.UNKNOWN, None
    if kept.state == State.PENDING or kept.moved_at is None:
        return Standing.WAITS, None
    if kept.moved_at < opening.ts.replace(microsecond=0):  # some venues tell times in whole seconds
        return Standing.BEFORE, None
    twin = find_twin(kept)
    return (Standing.TWIN, twin) if twin else (Standing.READY, None)


def find_twin(kept: Movement) -> Movement | None:
    """The deposit of the same transaction, asset, amount and address that is booked under another id. Venues send several
    withdrawals in one transaction, so of those each counts."""
    if kept.kind != Kind.DEPOSIT or not kept.txid:
        return None
    alike = kept.wallet.movements.filter(txid=kept.txid, address=kept.address, kind=Kind.DEPOSIT, standing=Standing.BOOKED)
    return next((one for one in alike.exclude(pk=kept.pk).prefetch_related("legs") if legs_of(one) == legs_of(kept)), None)


def movement_booking(kept: Movement) -> LedgerTransaction:
    """Writes it into the ledger."""
    assert kept.moved_at
    reference = f"{kept.reference}:{kept.reversals}" if kept.reversals else kept.reference
    kind = LedgerTransaction.Kind(kept.kind)
    note = " · ".join(filter(None, (kept.network, kept.txid)))[:300]
    booking_write(kept.wallet_id, Booking(kind, reference, kept.moved_at, movement_legs(kept), note))
    return LedgerTransaction.objects.get(wallet=kept.wallet_id, kind=kind, reference=reference)


def movement_legs(kept: Movement) -> list[Leg]:
    other = OTHER_SIDE[Kind(kept.kind)]
    legs = [one for asset, amount in legs_of(kept) for one in transfer_legs(asset, amount, other)]
    return legs + (transfer_legs(kept.fee_asset, -kept.fee, Account.FEES) if kept.fee else [])


def movement_unbook(kept: Movement) -> None:
    """The opposite of what was booked, now."""
    assert kept.booked
    kept.reversals += 1
    legs = [Leg(Account(entry.account), entry.asset, -entry.amount) for entry in kept.booked.entries.all()]
    booking = Booking(LedgerTransaction.Kind.REVERSAL, f"{kept.reference}:{kept.reversals}", timezone.now(), legs)
    booking_write(kept.wallet_id, booking)
    kept.booked, kept.standing = None, Standing.FAILED
    kept.save(update_fields=["booked", "standing", "reversals"])


def movement_book(*, movement: Movement) -> bool:
    """Books one that nobody has booked; False where it was booked before. `Conflict` where it is not to be booked, with why."""
    with transaction.atomic():
        opening = opening_lock(movement.wallet)
        row = Movement.objects.select_related("wallet").prefetch_related("legs").get(pk=movement.pk)
        if row.booked_id:
            return False
        movement_settle(row, opening, book=True)
        if not row.booked_id:
            raise Conflict(f"{row.reference} is not booked: {row.get_standing_display()}.")
        events_record([News("movement", "account", movement_facts(row))])
    return True


def movement_facts(kept: Movement) -> dict[str, Any]:
    """A movement in JSON's own types, as events carry it."""
    return {
        "wallet": kept.wallet.wallet_id,
        "reference": kept.reference,
        "kind": kept.kind,
        "state": kept.state,
        "booked": kept.standing,
        "legs": {asset: decimal_text(amount) for asset, amount in kept.effect().items()},
        "txid": kept.txid,
    }
