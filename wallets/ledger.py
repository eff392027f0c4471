"""Booking: the one way into the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from trading.engine.errors import Invalid, NotFound
from trading.engine.fields import DIGITS, EXACT
from wallets.models import LedgerEntry, LedgerTransaction

Account = LedgerEntry.Account
STEP = Decimal(1).scaleb(-DIGITS)
MOST = Decimal(10) ** 20
"""What a column no longer holds."""
# One statement: it costs the order path one round trip, and the ledger and the balances cannot part. The wallet's row is locked
# first, or two transactions that book several assets in different orders would wait for each other.
BOOK = """
WITH wallet AS (
    SELECT id FROM wallets_wallet WHERE id = %(wallet)s FOR NO KEY UPDATE
), booked AS (
    INSERT INTO wallets_ledgertransaction (wallet_id, kind, reference, ts, note, created_at)
    SELECT id, %(kind)s, %(reference)s, %(ts)s, %(note)s, %(now)s FROM wallet
    ON CONFLICT (wallet_id, kind, reference) DO NOTHING
    RETURNING id, wallet_id
), entries AS (
    INSERT INTO wallets_ledgerentry (transaction_id, account, asset, amount)
    SELECT booked.id, leg.* FROM booked, unnest(%(accounts)s::text[], %(assets)s::text[], %(amounts)s::numeric[]) AS leg
), balances AS (
    INSERT INTO wallets_walletbalance AS held (wallet_id, asset, amount)
    SELECT booked.wallet_id, change.* FROM booked, unnest(%(changed)s::text[], %(changes)s::numeric[]) AS change
    ON CONFLICT (wallet_id, asset) DO UPDATE SET amount = held.amount + excluded.amount
)
SELECT (SELECT count(*) FROM wallet), (SELECT count(*) FROM booked)
"""


@dataclass(frozen=True, slots=True)
class Leg:
    """`amount` signed; positive on assets: the wallet has more."""

    account: LedgerEntry.Account
    asset: str
    amount: Decimal


def moved(asset: str, amount: Decimal, other: LedgerEntry.Account) -> list[Leg]:
    """The two legs by which the wallet has `amount` more of an asset (less, if negative), and the `other` account the opposite;
    rounded to the places that are kept. None for nothing."""
    rounded = EXACT.quantize(amount, STEP)
    return [Leg(Account.ASSETS, asset, rounded), Leg(other, asset, -rounded)] if rounded else []


def book(
    *, wallet_id: int, kind: LedgerTransaction.Kind, reference: str, ts: datetime, legs: Sequence[Leg], note: str = ""
) -> bool:
    """Book legs that sum to zero in each asset, and the wallet's balances with them; False: that was booked before.

    `wallet_id` is the row's key, not the name in addresses. `Invalid` for legs that do not balance, `NotFound` for no such wallet.
    """
    check_balance(legs)
    changes: dict[str, Decimal] = {}
    for leg in legs:
        if leg.account == Account.ASSETS:
            changes[leg.asset] = changes.get(leg.asset, Decimal(0)) + leg.amount
    values: dict[str, Any] = {
        "wallet": wallet_id,
        "kind": kind,
        "reference": reference,
        "ts": ts,
        "note": note,
        "now": timezone.now(),
        "accounts": [str(leg.account) for leg in legs],
        "assets": [leg.asset for leg in legs],
        "amounts": [leg.amount for leg in legs],
        "changed": list(changes),
        "changes": list(changes.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(BOOK, values)
        wallets, booked = cursor.fetchone()
    if not wallets:
        raise NotFound(f"There is no wallet with the key {wallet_id}.")
    return bool(booked)


def check_balance(legs: Sequence[Leg]) -> None:
    """What the database holds the ledger to when it commits, said at once and by name."""
    sums: dict[str, Decimal] = {}
    for leg in legs:
        if abs(leg.amount) >= MOST:
            raise Invalid.at("amount", f"{leg.amount:.6e} {leg.asset} is more than the ledger holds.")
        sums[leg.asset] = EXACT.add(sums.get(leg.asset, Decimal(0)), leg.amount)
    for asset, left in sums.items():
        if left:
            raise Invalid(f"The entries of {asset} do not balance: {left:+f} is left.", code="unbalanced")
