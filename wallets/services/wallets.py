"""Wallets: made, named, paid into, put away."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from access.limits import require_reach
from access.people import Person, signed_in_user
from access.rights import require_right
from core.errors import Conflict, Invalid
from core.fields import EXACT, Fields, show_value
from core.symbols import venue_normalise
from market.exchanges.base import Balance
from wallets.ledger import Account, Booking, Leg, booking_write, transfer_legs
from wallets.models import ChainWatch, ExchangeAccount, LedgerTransaction, Wallet
from wallets.selectors import wallet_reach
from wallets.services.accounts import conflict_on_duplicate

MOST_FEE = "0.1"
PAPER_FEE = Decimal("0.001")
MOST_OPENING = Decimal(10) ** 15
MADE_BY_PEOPLE = (Wallet.Kind.PAPER, Wallet.Kind.EXCHANGE)
Kind = LedgerTransaction.Kind


def wallet_create(
    *,
    name: str,
    kind: str,
    quote: str,
    venue: str = "",
    account: ExchangeAccount | None = None,
    opening: Mapping[str, Decimal] | None = None,
    maker: Decimal | str | None = None,
    taker: Decimal | str | None = None,
    user: Person = None,
) -> Wallet:
    """A new wallet. Paper: `venue` is the one whose prices it trades at, `opening` the amounts that it begins with, `maker` and
    `taker` its fees, 0.1 % where left out. Exchange: all of these come from the `account`. `Invalid` by field."""
    require_right(user, "wallets.add_wallet", scope="admin")
    require_reach(user, wallet="", account=str(account.pk) if account else "")
    given, amounts = wallet_read(
        name=name, kind=kind, quote=quote, venue=venue, account=account, opening=opening, maker=maker, taker=taker
    )
    with conflict_on_duplicate():
        made = Wallet.objects.create(**given, wallet_id=secrets.token_hex(8), created_by=signed_in_user(user))
        if amounts:
            legs = [leg for asset, amount in sorted(amounts.items()) for leg in transfer_legs(asset, amount, Account.CAPITAL)]
            booking_write(made.pk, Booking(Kind.OPENING, "opening", made.created_at, legs))
    return made


def replay_books_open(*, run_id: str, like: Wallet, quote: str, cash: Decimal, fees: tuple[Decimal, Decimal]) -> Wallet:
    """The books of one run of a replay, its own, which begin with its cash. `like`: the wallet of its bot; `fees`: maker, taker."""
    maker, taker = fees
    given = {"name": f"Replay {run_id}", "kind": Wallet.Kind.REPLAY, "venue": like.venue, "quote": quote}
    made = Wallet.objects.create(**given, maker=maker, taker=taker, wallet_id=secrets.token_hex(8), created_by=like.created_by)
    booking_write(made.pk, Booking(Kind.OPENING, "opening", made.created_at, transfer_legs(quote, cash, Account.CAPITAL)))
    return made


def wallet_read(
    *, name: str, kind: str, quote: str, venue: str, account: ExchangeAccount | None, **figures: Any
) -> tuple[dict[str, Any], dict[str, Decimal]]:
    """A new wallet's fields and its opening, checked; `figures` are opening, maker and taker."""
    form = Fields({"name": name, "kind": kind, **figures})
    given: dict[str, Any] = {"name": form.text("name", longest=80), "kind": form.choice("kind", "", MADE_BY_PEOPLE)}
    if not given["name"] and "name" not in form.faults:
        form.fault("name", "is required.")
    if Wallet.objects.filter(name=given["name"]).exists():
        form.fault("name", f"{given['name']!r} is taken by another wallet.")
    given["quote"] = asset_read(form, "quote", quote)
    amounts = opening_read(form)
    given |= paper_read(form, venue, account) if kind == Wallet.Kind.PAPER else exchange_read(form, account)
    form.refuse("The wallet cannot be made.")
    return given, amounts


def paper_read(form: Fields, venue: str, account: ExchangeAccount | None) -> dict[str, Any]:
    if account is not None:
        form.fault("account", "is for exchange wallets; a paper wallet has none.")
    found = ""
    try:
        found = venue_normalise(venue)
    except Invalid as error:
        form.merge(error, "venue")
    fees = {field: form.decimal(field, PAPER_FEE, low=f"-{MOST_FEE}", high=MOST_FEE) for field in ("maker", "taker")}
    return {"venue": found, **fees}


def exchange_read(form: Fields, account: ExchangeAccount | None) -> dict[str, Any]:
    if account is None:
        form.fault("account", "is required for an exchange wallet.")
        return {}
    if account.wallets.filter(archived=False).exists():
        form.fault("account", f"{account.name} has a wallet already; two would both take its balances for theirs.")
    for field in ("opening", "maker", "taker"):
        if form.take(field):
            form.fault(field, "is read from the venue; leave it out for an exchange wallet.")
    return {"account": account, "venue": account.venue}


def opening_read(form: Fields) -> dict[str, Decimal]:
    section = form.section("opening")
    return {
        asset_read(section, asset, asset): section.decimal(asset, low=0, high=MOST_OPENING, above_low=True) for asset in section.raw
    }


def asset_read(form: Fields, field: str, raw: str) -> str:
    """An asset's name, in capitals."""
    asset = str(raw).strip().upper()
    if not (asset.isascii() and asset.isalnum() and len(asset) <= 16):
        form.fault(
            str(field)[:80], f"must be an asset's name of at most 16 letters and digits, such as USDT; got {show_value(raw)}."
        )
    return asset


def wallet_archive(*, wallet: Wallet, archived: bool = True, user: Person = None) -> None:
    """Puts a wallet out of sight, with its ledger, or brings it back. `Conflict` where its account has another wallet by now."""
    require_right(user, "wallets.change_wallet", scope="admin")
    require_reach(user, **wallet_reach(wallet))
    if not archived and wallet.account and wallet.account.wallets.filter(archived=False).exclude(pk=wallet.pk).exists():
        raise Conflict(f"{wallet.account.name} has another wallet by now; archive that one first.")
    if not archived and watched_elsewhere(wallet):
        raise Conflict(f"What {wallet.name} watches is watched by another wallet by now; archive that one first.")
    with conflict_on_duplicate():
        Wallet.objects.filter(pk=wallet.pk).update(archived=archived)
    wallet.archived = archived


def watched_elsewhere(wallet: Wallet) -> bool:
    """Whether another wallet that is in use watches the same: both would count it."""
    own: ChainWatch | None = getattr(wallet, "watch", None)
    same = ChainWatch.objects.filter(wallet__archived=False).exclude(wallet=wallet)
    return own is not None and same.filter(chain=own.chain, address=own.address).exists()


def wallet_rename(*, wallet: Wallet, name: str, user: Person = None) -> None:
    """`Invalid` at `name`."""
    require_right(user, "wallets.change_wallet", scope="admin")
    require_reach(user, **wallet_reach(wallet))
    form = Fields({"name": name})
    wallet.name = form.text("name", longest=80)
    form.refuse("The wallet cannot be named so.")
    Wallet.objects.filter(pk=wallet.pk).update(name=wallet.name)


def wallet_deposit(*, wallet: Wallet, asset: str, amount: Decimal | str, reference: str = "", note: str = "") -> bool:
    """Adds (made-up) money to a paper wallet. The same `reference` again changes nothing and returns False."""
    if wallet.kind != Wallet.Kind.PAPER:
        why = (
            "its replay began with its cash"
            if wallet.kind == Wallet.Kind.REPLAY
            else "what is paid in at the venue is booked from there"
        )
        raise Conflict(f"{wallet.name} is no paper wallet: {why}.")
    form = Fields({"amount": amount, "reference": reference, "note": note})
    name = asset_read(form, "asset", asset)
    more = form.decimal("amount", low=0, high=MOST_OPENING, above_low=True)
    unique, text = form.text("reference"), form.text("note", longest=300)
    form.refuse("This deposit cannot be booked.")
    legs = transfer_legs(name, more, Account.CAPITAL)
    return booking_write(wallet.pk, Booking(Kind.DEPOSIT, unique or secrets.token_hex(8), timezone.now(), legs, text))


def ledger_opening_from_venue(*, wallet: Wallet, balances: Iterable[Balance], ts: datetime | None = None) -> bool:
    """Books what the account has at the venue, free and held, as the opening of an exchange wallet; False where that was done
    before. `Conflict` once anything else is booked, because it would then count twice."""
    if wallet.kind != Wallet.Kind.EXCHANGE:
        raise Conflict(f"{wallet.name} is a paper wallet: no venue holds its money.")
    legs: list[Leg] = []
    for balance in sorted(balances, key=lambda item: item.asset):
        legs += transfer_legs(balance.asset, EXACT.add(balance.free, balance.held), Account.CAPITAL)
    with transaction.atomic():
        # Fills are booked under the same lock.
        Wallet.objects.select_for_update(no_key=True).get(pk=wallet.pk)
        if wallet.transactions.filter(kind=Kind.OPENING).exists():
            return False
        if wallet.transactions.exists():
            raise Conflict(f"{wallet.name} has bookings already; differences with the venue are for reconciliation.")
        return booking_write(wallet.pk, Booking(Kind.OPENING, "opening", ts or timezone.now(), legs))
