"""Booking: the one way into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from django.utils import timezone

from core.errors import Invalid, NotFound
from core.fields import DIGITS, EXACT
from core.prepared import execute_prepared
from wallets.models import LedgerEntry, LedgerTransaction

Account = LedgerEntry.Account
STEP = Decimal(1).scaleb(-DIGITS)
MOST = Decimal(10) ** 20
"""Too large for a column."""
Part: TypeAlias = tuple[str, str, Sequence[Any]]
"""A part of a statement `WITH name AS (sql), ...`: name, SQL, values."""
# One statement: it costs the order path one round trip, and the ledger and the balances cannot come apart. The wallet's row is
# locked first; otherwise two transactions that book several assets in different orders would wait for each other.
WALLET = "SELECT id, kind FROM wallets_wallet WHERE id = %s::bigint AND {condition} FOR NO KEY UPDATE"
BOOKED = """
INSERT INTO wallets_ledgertransaction (wallet_id, kind, reference, ts, note, created_at)
SELECT wallet.id, new.kind, new.reference, new.ts, new.note, %s::timestamptz
FROM wallet, unnest(%s::text[], %s::text[], %s::timestamptz[], %s::text[]) AS new (kind, reference, ts, note)
ON CONFLICT (wallet_id, kind, reference) DO NOTHING
RETURNING id, wallet_id, kind, reference, ts
"""
LEGS = """
SELECT booked.id, booked.wallet_id, leg.account, leg.asset, leg.amount, leg.place FROM booked
JOIN unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::numeric[])
WITH ORDINALITY AS leg (kind, reference, account, asset, amount, place)
ON (leg.kind, leg.reference) = (booked.kind, booked.reference)
"""
ENTRIES = """
INSERT INTO wallets_ledgerentry (transaction_id, account, asset, amount)
SELECT id, account, asset, amount FROM legs ORDER BY place
RETURNING 1
"""
HELD = "SELECT asset, amount, unbooked FROM wallets_walletbalance WHERE wallet_id = (SELECT id FROM wallet) FOR UPDATE"
# An account cannot hold less than nothing: where its books would, something came in that nobody has booked. That is written down as
# a correction, and taken back as soon as the books can do without it. Made-up money has no such excuse.
UNBOOKED = """
SELECT asset, greatest(0, -(coalesce(held.amount - held.unbooked, 0) + changed.amount)) - coalesce(held.unbooked, 0) AS amount
FROM (SELECT asset, sum(amount) AS amount FROM legs WHERE account = %s::text GROUP BY asset) AS changed LEFT JOIN held USING (asset)
WHERE (SELECT kind FROM wallet) = 'exchange'
"""
CORRECTED = """
INSERT INTO wallets_ledgertransaction (wallet_id, kind, reference, ts, note, created_at)
SELECT first.wallet_id, 'correction', 'unbooked:' || first.id, first.ts, %s::text, %s::timestamptz
FROM (SELECT * FROM booked ORDER BY id LIMIT 1) AS first WHERE EXISTS (SELECT FROM unbooked WHERE amount <> 0)
RETURNING id
"""
CORRECTIONS = """
INSERT INTO wallets_ledgerentry (transaction_id, account, asset, amount)
SELECT corrected.id, leg.account, unbooked.asset, leg.sign * unbooked.amount
FROM corrected, unbooked, (VALUES (%s::text, 1), (%s::text, -1)) AS leg (account, sign) WHERE unbooked.amount <> 0
RETURNING 1
"""
BALANCES = """
INSERT INTO wallets_walletbalance AS held (wallet_id, asset, amount, unbooked)
SELECT wallet_id, asset, sum(legs.amount) + coalesce(max(unbooked.amount), 0), coalesce(max(unbooked.amount), 0)
FROM legs LEFT JOIN unbooked USING (asset) WHERE account = %s::text GROUP BY wallet_id, asset
ON CONFLICT (wallet_id, asset) DO UPDATE
SET amount = held.amount + excluded.amount, unbooked = held.unbooked + excluded.unbooked
RETURNING 1
"""
UNBOOKED_NOTE = "What must have come in without being booked, or (below zero) has been booked since."


@dataclass(frozen=True, slots=True)
class Leg:
    """`amount` signed; positive on assets: the wallet has more."""

    account: LedgerEntry.Account
    asset: str
    amount: Decimal


def transfer_legs(asset: str, amount: Decimal, other: LedgerEntry.Account) -> list[Leg]:
    """The two legs by which the wallet has `amount` more of an asset (less, if negative), and the `other` account the opposite,
    rounded to the places that are kept. No legs where that is zero."""
    rounded = EXACT.quantize(amount, STEP)
    return [Leg(Account.ASSETS, asset, rounded), Leg(other, asset, -rounded)] if rounded else []


@dataclass(frozen=True, slots=True)
class Booking:
    """Legs that sum to zero in each asset, booked once for a `reference` of their `kind`. `Invalid` where they do not balance."""

    kind: LedgerTransaction.Kind
    reference: str
    ts: datetime
    legs: Sequence[Leg]
    note: str = ""

    def __post_init__(self) -> None:
        check_balance(self.legs)


def booking_parts(wallet_id: int, bookings: Sequence[Booking], *, condition: str = "true") -> list[Part]:
    """Bookings of one wallet, and the change of its balances, as parts of a statement; `condition` is SQL that must be true for any
    of it to be written. What was booked before changes nothing. `wallet_id` is the row's key, not the public one."""
    legs = [(str(one.kind), one.reference, str(leg.account), leg.asset, leg.amount) for one in bookings for leg in one.legs]
    heads = [(str(one.kind), one.reference, one.ts, one.note) for one in bookings]
    return [
        ("wallet", WALLET.format(condition=condition), [wallet_id]),
        ("booked", BOOKED, [timezone.now(), *transpose_rows(heads, 4)]),
        ("legs", LEGS, transpose_rows(legs, 5)),
        ("entries", ENTRIES, []),
        ("held", HELD, []),
        ("unbooked", UNBOOKED, [str(Account.ASSETS)]),
        ("corrected", CORRECTED, [UNBOOKED_NOTE, timezone.now()]),
        ("corrections", CORRECTIONS, [str(Account.ASSETS), str(Account.CAPITAL)]),
        ("balances", BALANCES, [str(Account.ASSETS)]),
    ]


def transpose_rows(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [[row[place] for row in rows] for place in range(width)]


def booking_write(wallet_id: int, booking: Booking) -> bool:
    """Books by a statement of its own; False where that was booked before. `NotFound` where there is no such wallet."""
    parts = booking_parts(wallet_id, [booking])
    written = ", ".join(f"{name} AS ({sql})" for name, sql, _ in parts)
    values = [value for _, _, values in parts for value in values]
    counts = "SELECT (SELECT count(*) FROM wallet), (SELECT count(*) FROM booked)"
    with execute_prepared(f"WITH {written} {counts}", values) as cursor:
        wallets, booked = cursor.fetchone()
    if not wallets:
        raise NotFound(f"There is no wallet with the key {wallet_id}.")
    return bool(booked)


def check_balance(legs: Sequence[Leg]) -> None:
    """Checks at once, and with a message, what the database checks when it commits: each asset sums to zero."""
    sums: dict[str, Decimal] = {}
    for leg in legs:
        if abs(leg.amount) >= MOST:
            raise Invalid.at("amount", f"{leg.amount:.6e} {leg.asset} is more than the ledger holds.")
        sums[leg.asset] = EXACT.add(sums.get(leg.asset, Decimal(0)), leg.amount)
    for asset, left in sums.items():
        if left:
            raise Invalid(f"The entries of {asset} do not balance: {left:+f} is left.", code="unbalanced")
