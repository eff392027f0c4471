"""Queries about wallets, their ledgers and accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from core.errors import NotFound
from core.text import decimal_text
from wallets.holdings import HOLDINGS, chain_balances, chain_holdings, endpoint_place, watch_report
from wallets.models import (
    ChainEndpoint,
    ElsewhereHolding,
    ExchangeAccount,
    LedgerTransaction,
    Movement,
    Reporting,
    ValueSnapshot,
    Wallet,
    WalletBalance,
)
from wallets.secrets import SecretUnreadable, secret_box

# One statement, so that what is booked in the meantime is in both sums or in neither.
DIFFERENCES = """
WITH sums AS (
    SELECT wallet_id, asset, sum(amount) AS entries
    FROM wallets_ledgerentry AS entry JOIN wallets_ledgertransaction AS booking ON booking.id = entry.transaction_id
    WHERE account = 'assets' AND (%(wallet)s::bigint IS NULL OR wallet_id = %(wallet)s)
    GROUP BY wallet_id, asset
), found AS (
    SELECT wallet_id AS owner, asset, COALESCE(amount, 0) AS balance, COALESCE(entries, 0) AS entries
    FROM wallets_walletbalance FULL JOIN sums USING (wallet_id, asset)
)
SELECT name, asset, balance, entries FROM found JOIN wallets_wallet AS wallet ON wallet.id = owner
WHERE balance <> entries AND (%(wallet)s::bigint IS NULL OR owner = %(wallet)s)
ORDER BY name, asset
"""


@dataclass(frozen=True, slots=True)
class BalanceDifference:
    """A balance that is not the sum of its entries: a fault of ours or a hand in the database."""

    wallet: str
    asset: str
    balance: Decimal
    entries: Decimal


def wallets_list(*, archived: bool = False, balances: bool = True) -> QuerySet[Wallet]:
    """Wallets by name with their accounts and what they have: three queries for any number. The books of replays are with their
    runs. Without `balances`, `read_balances` reads them."""
    found = Wallet.objects.filter(archived=archived).exclude(kind=Wallet.Kind.REPLAY)
    return with_contents(found, balances=balances)


def wallets_of_bots() -> QuerySet[Wallet]:
    """Those that bots can trade with."""
    return wallets_list().exclude(kind=Wallet.Kind.WATCH)


def with_contents(wallets: QuerySet[Wallet], *, balances: bool = True) -> QuerySet[Wallet]:
    """With accounts, balances and what chains hold."""
    found = wallets.select_related("account", "watch__whole", "watch__last").prefetch_related(HOLDINGS)
    return found.prefetch_related("balances") if balances else found


def wallets_with_venue() -> QuerySet[Wallet]:
    """Those in use whose money a venue has, whose key may be used, and whose books are opened."""
    opened = LedgerTransaction.objects.filter(wallet=OuterRef("pk"), kind=LedgerTransaction.Kind.OPENING)
    found = Wallet.objects.filter(Exists(opened), kind=Wallet.Kind.EXCHANGE, archived=False, account__refused_reason="")
    return found.exclude(account__secret=b"").select_related("account")


def wallet_get(*, wallet_id: str) -> Wallet:
    """One wallet with its account and balances, archived or not; `NotFound`."""
    found = with_contents(Wallet.objects.filter(wallet_id=wallet_id)).first()
    if found is None:
        raise NotFound(f"There is no wallet {wallet_id[:40]!r}. GET wallets lists them.")
    return found


def wallet_reach(wallet: Wallet) -> dict[str, str]:
    """What somebody must be let at who acts on the wallet: see `access.limits`."""
    return {"wallet": wallet.wallet_id, "account": str(wallet.account_id or "")}


def wallet_balances(*, wallet: Wallet) -> dict[str, Decimal]:
    """The wallet's amounts, by asset; of a watched one what its chain has, of what is known or trusted."""
    if wallet.kind == Wallet.Kind.WATCH:
        return chain_holdings(wallet)
    return {balance.asset: balance.amount for balance in wallet.balances.all()}


class BalanceRow(NamedTuple):
    """As `WalletBalance`, without the weight of one: lists have thousands."""

    asset: str
    amount: Decimal
    unbooked: Decimal


def read_balances(wallets: Sequence[Wallet]) -> dict[int, list[BalanceRow]]:
    """By the wallets' keys, by asset; one query."""
    found: dict[int, list[BalanceRow]] = {one.pk: [] for one in wallets}
    rows = WalletBalance.objects.filter(wallet__in=found).order_by("wallet", "asset")
    for wallet, *row in rows.values_list("wallet_id", "asset", "amount", "unbooked"):
        found[wallet].append(BalanceRow(*row))
    return found


def read_held(
    wallets: Sequence[Wallet], balances: Mapping[int, Sequence[BalanceRow]] | None = None
) -> dict[int, dict[str, Decimal]]:
    """As `wallet_balances`, of wallets that were listed without their balances; one query, unless these were read already."""
    rows = read_balances(wallets) if balances is None else balances
    return {one.pk: {row.asset: row.amount for row in rows[one.pk]} or chain_holdings(one) for one in wallets}


def wallet_transactions(*, wallet: Wallet, kind: str = "") -> QuerySet[LedgerTransaction]:
    """The wallet's ledger with its entries, newest booked first; page it by `-id`."""
    found = wallet.transactions.prefetch_related("entries").order_by("-id")
    return found.filter(kind=kind) if kind else found


def wallet_movements(*, wallet: Wallet, kind: str = "", state: str = "", since: datetime | None = None) -> QuerySet[Movement]:
    """The wallet's movements with their legs, newest seen first; page them by `-id`. `since`: begun then or later."""
    given = {"kind": kind, "state": state, "ts__gte": since}
    found = wallet.movements.filter(**{name: value for name, value in given.items() if value})
    return found.prefetch_related("legs").order_by("-id")


def movements_waiting(*, wallet: Wallet) -> list[Movement]:
    """Those that the venue has not done yet: of withdrawals it has taken the money already, and the books have not."""
    return list(wallet.movements.filter(standing=Movement.Standing.WAITS).prefetch_related("legs"))


def balance_check(*, wallet: Wallet | None = None) -> list[BalanceDifference]:
    """Balances (of one wallet, or all) that are not the sums of their entries: none, in a sound desk."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERENCES, {"wallet": wallet.pk if wallet else None})
        return [BalanceDifference(*row) for row in cursor.fetchall()]


def reporting_currency() -> str:
    """What wallets, venues and the desk are valued in."""
    chosen = Reporting.objects.order_by("pk").values_list("currency", flat=True).first()
    return chosen or str(settings.REPORTING_CURRENCY)


def wallet_values(
    *, wallet: Wallet, currency: str, start: datetime | None = None, end: datetime | None = None
) -> QuerySet[ValueSnapshot]:
    """The history of its value, by time; page it by `ts`."""
    found = wallet.values.filter(currency=currency).order_by("ts")
    found = found.filter(ts__gte=start) if start else found
    return found.filter(ts__lte=end) if end else found


def permission_words(account: ExchangeAccount) -> str:
    """What the account's key may do, as the venue said, in words."""
    if account.checked_at is None:
        return "not checked yet"
    permissions = account.permissions
    may = [
        word for name, word in (("can_read", "read"), ("can_trade", "trade"), ("can_withdraw", "withdraw")) if permissions.get(name)
    ]
    where = {True: "from some addresses only", False: "from any address", None: "the venue does not say from where"}
    return f"{', '.join(may) or 'nothing'}; {where[permissions.get('ip_restricted')]}"


def wallet_report(wallet: Wallet, balances: Sequence[BalanceRow]) -> dict[str, Any]:
    """One wallet, JSON-ready, of `wallet_get`, or of `wallets_list` with `account__elsewhere`. No address and nothing of a key."""
    account = wallet.account
    return {
        "id": wallet.wallet_id,
        "name": wallet.name,
        "kind": wallet.kind,
        "venue": wallet.venue,
        "account": {"name": account.name, "environment": account.environment} if account else None,
        "quote": wallet.quote,
        "maker": None if wallet.maker is None else float(wallet.maker),
        "taker": None if wallet.taker is None else float(wallet.taker),
        "balances": [balance_report(one) for one in balances] + chain_balances(wallet),
        "elsewhere": [elsewhere_report(one) for one in account.elsewhere.all()] if account else [],
        "watch": watch_report(wallet),
        "archived": wallet.archived,
        "created_at": wallet.created_at,
    }


def balance_report(balance: BalanceRow) -> dict[str, str]:
    """`unbooked`: what of it came in without being booked."""
    unbooked = decimal_text(balance.unbooked) if balance.unbooked else "0"
    return {"asset": balance.asset, "amount": decimal_text(balance.amount), "unbooked": unbooked}


def elsewhere_report(held: ElsewhereHolding) -> dict[str, Any]:
    return {
        "place": held.place,
        "name": held.name,
        "asset": held.asset,
        "amount": decimal_text(held.amount),
        "seen_at": held.seen_at,
    }


def transaction_report(booked: LedgerTransaction) -> dict[str, Any]:
    """One transaction with its entries, JSON-ready."""
    return {
        "id": booked.pk,
        "kind": booked.kind,
        "reference": booked.reference,
        "ts": booked.ts,
        "note": booked.note,
        "entries": [
            {"account": entry.account, "asset": entry.asset, "amount": decimal_text(entry.amount)} for entry in booked.entries.all()
        ],
    }


def movement_report(movement: Movement) -> dict[str, Any]:
    """One movement, JSON-ready. `booked`: whether it counts, `why` in words."""
    return {
        "id": movement.pk,
        "reference": movement.reference,
        "kind": movement.kind,
        "state": movement.state,
        "ts": movement.ts,
        "moved_at": movement.moved_at,
        "legs": [{"asset": leg.asset, "amount": decimal_text(leg.amount)} for leg in movement.legs.all()],
        "fee": decimal_text(movement.fee),
        "fee_asset": movement.fee_asset,
        "network": movement.network,
        "address": movement.address,
        "txid": movement.txid,
        "words": movement.words,
        "elsewhere": movement.elsewhere,
        "booked": movement.standing,
        "why": movement.get_standing_display(),
        "transaction": movement.booked_id,
        "twin": movement.twin_id,
        "first_seen": movement.first_seen,
    }


def account_place(account: ExchangeAccount) -> str:
    """What an account's secret is bound to."""
    return f"{ExchangeAccount._meta.db_table}:{account.pk}:secret"


def sealed_secrets(*, lock: bool = False) -> list[tuple[ExchangeAccount | ChainEndpoint, str, str]]:
    """Each row that keeps something sealed, the column, and what it is bound to. `lock` them, in a transaction."""
    accounts, nodes = ExchangeAccount.objects.exclude(secret=b""), ChainEndpoint.objects.exclude(address=b"")
    if lock:
        accounts, nodes = accounts.select_for_update(), nodes.select_for_update()
    return [
        *((row, "secret", account_place(row)) for row in accounts.order_by("pk")),
        *((row, "address", endpoint_place(row)) for row in nodes.order_by("pk")),
    ]


def secret_faults() -> dict[str, str]:
    """What is stored sealed and does not open, by account or node, each with why; none, in a sound desk."""
    opener, faults = secret_box(), {}
    for row, column, place in sealed_secrets():
        try:
            opener.open(getattr(row, column), place)
        except SecretUnreadable as error:
            faults[str(row)] = str(error)
    return faults
