"""Accounts and their keys; wallets and their bookings."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from access.audit import audit_record
from access.limits import require_reach
from access.people import Person, signed_in_user
from access.rights import require_right
from core.errors import Conflict, Invalid
from core.fields import EXACT, Fields, show_value
from core.symbols import venue_normalise
from market.exchanges.base import Balance, Endpoint, KeyPermissions
from market.exchanges.registry import VENUES, credentials_of
from wallets.ledger import MOST, Account, Booking, Leg, booking_write, transfer_legs
from wallets.models import Environment, ExchangeAccount, LedgerTransaction, Wallet
from wallets.secrets import secret_box
from wallets.selectors import account_place, wallet_reach

ADDRESSES = {"rest": ("https", "http"), "ws": ("wss", "ws"), "ws_api": ("wss", "ws"), "ws_user": ("wss", "ws")}
MOST_SECRET = 4_000
MOST_FEE = "0.1"
PAPER_FEE = Decimal("0.001")
MOST_OPENING = Decimal(10) ** 15
MADE_BY_PEOPLE = (Wallet.Kind.PAPER, Wallet.Kind.EXCHANGE)
Kind = LedgerTransaction.Kind
UNCHECKED: dict[str, Any] = {"permissions": {}, "checked_at": None, "refused_reason": ""}


@sensitive_variables("api_key", "secret")
def account_create(
    *,
    name: str,
    venue: str,
    environment: str,
    api_key: str = "",
    secret: str = "",
    user: Person = None,
    **addresses: str,
) -> ExchangeAccount:
    """A new account; `addresses` are rest, ws, ws_api, ws_user. Its key may follow (`account_secret_set`). `Invalid` by field."""
    require_right(user, "wallets.add_exchangeaccount", scope="admin")
    require_reach(user, account="")
    given = account_read(name=name, environment=environment, addresses=addresses)
    given["venue"] = venue_read(venue=venue, environment=environment)
    with conflict_on_duplicate():
        account = ExchangeAccount.objects.create(**given, created_by=signed_in_user(user))
        if api_key or secret:
            account_secret_set(account=account, api_key=api_key, secret=secret, user=user)
    return account


def venue_read(*, venue: str, environment: str) -> str:
    """The venue of a new account, checked; it must be one of the registry, and have this environment."""
    form = Fields({"venue": venue, "environment": environment})
    found = form.choice("venue", "", list(VENUES))
    if found in VENUES:
        form.choice("environment", "", VENUES[found].environments)
    form.refuse("The account cannot be made.")
    return found


@sensitive_variables("secret")
def account_update(*, account: ExchangeAccount, name: str, secret: str = "", user: Person = None, **addresses: str) -> None:
    """Changes name and addresses. Where requests go elsewhere from now on, what the venue said of the key no longer counts, and
    beyond the sandbox the key's `secret` has to be given again; `account_secret_set` then takes it in."""
    require_right(user, "wallets.change_exchangeaccount", scope="admin")
    require_reach(user, account=str(account.pk))
    given = account_read(name=name, environment=account.environment, addresses=addresses, account=account)
    secret_again_check(account=account, addresses=given, secret=secret)
    moved = [field for field in ADDRESSES if getattr(account, field) != given[field]]
    with transaction.atomic():
        row_update(account, given | (UNCHECKED if moved else {}))
        audit_record(user, "change account", name, addresses={field: given[field] for field in moved})


@sensitive_variables("secret")
def secret_again_check(*, account: ExchangeAccount, addresses: Mapping[str, str], secret: str) -> None:
    """`Invalid` where requests that a key signs would go to another address without its secret: who can change an address must not
    get by it what only the key's owner can do."""
    moved = any(getattr(account, field) != addresses[field] for field in ADDRESSES)
    if moved and account.environment != Environment.SANDBOX and account.has_secret and not secret:
        raise Invalid.at("secret", "Enter key and secret again: they were entered for the address that was there before.")


@contextmanager
def conflict_on_duplicate() -> Iterator[None]:
    """`Conflict` where two people do the same at once: neither check saw the other one, but a constraint of the database does."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise Conflict("Another of that name, or for that account, was made just now. Look again.") from None


def account_read(
    *, name: str, environment: str, addresses: Mapping[str, str], account: ExchangeAccount | None = None
) -> dict[str, Any]:
    """An account's plain fields, checked."""
    form = Fields({"name": name, "environment": environment, **addresses})
    given = {"name": form.text("name", longest=80), "environment": form.choice("environment", "", Environment.values)}
    if not given["name"] and "name" not in form.faults:
        form.fault("name", "is required.")
    if ExchangeAccount.objects.filter(name=given["name"]).exclude(pk=account.pk if account else 0).exists():
        form.fault("name", f"{given['name']!r} is taken by another account.")
    for field, schemes in ADDRESSES.items():
        given[field] = form.text(field)
        # Beyond the sandbox, requests carry a key that moves money.
        usable = schemes if environment == Environment.SANDBOX else schemes[:1]
        if given[field] and not is_address(given[field], usable):
            form.fault(field, f"must be an address that begins with {' or '.join(f'{scheme}://' for scheme in usable)}.")
    form.close()
    form.refuse("The account cannot be made so.")
    return given


def is_address(text: str, schemes: Iterable[str]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        return False


@sensitive_variables("api_key", "secret", "form", "key")
def key_read(*, venue: str, api_key: str, secret: str) -> tuple[str, str]:
    """A key of this venue and its secret, checked; no fault repeats the secret."""
    form = Fields({"api_key": api_key, "secret": secret})
    key = form.text("api_key")
    if not key and "api_key" not in form.faults and "api_key" in credentials_of(venue):
        form.fault("api_key", "is required with a secret.")
    # Not by `form.text`, whose faults may repeat a value.
    if not isinstance(secret, str) or not secret.strip() or len(secret) > MOST_SECRET:
        form.fault("secret", f"is required with a key, in at most {MOST_SECRET:,} characters.")
    form.refuse("The key cannot be used.")
    # Coinbase's download writes the line ends of its PEM as \\n.
    return key, secret.strip().replace("\\n", "\n")


@sensitive_variables("api_key", "secret", "opened")
def account_secret_set(*, account: ExchangeAccount, api_key: str, secret: str, user: Person = None) -> None:
    """Replaces the key and its secret. What the venue said of the old key no longer counts."""
    require_right(user, "wallets.change_exchangeaccount", scope="admin")
    require_reach(user, account=str(account.pk))
    key, opened = key_read(venue=account.venue, api_key=api_key, secret=secret)
    with transaction.atomic():
        row_update(account, {"api_key": key, "secret": secret_box().seal(opened, account_place(account)), **UNCHECKED})
        audit_record(user, "enter key", account.name)


def row_update(account: ExchangeAccount, values: Mapping[str, Any]) -> None:
    for field, value in values.items():
        setattr(account, field, value)
    account.save(update_fields=list(values))


def account_check(*, account: ExchangeAccount, permissions: KeyPermissions) -> ExchangeAccount:
    """Keeps what the venue says that the key may do, and refuses a key that can do more or less than it should: see
    `refused_reason`."""
    reason = ""
    if permissions.can_withdraw and account.environment != Environment.SANDBOX:
        reason = "The key can withdraw. Make one at the venue that can only read and trade, and enter it here."
    elif not permissions.can_read:
        reason = "The key cannot read the account. Allow it at the venue, then check again."
    values = {"permissions": asdict(permissions), "checked_at": timezone.now(), "refused_reason": reason}
    # Compare and set: the answer is about the key that was used to ask, not about one that replaced it in the meantime.
    same = ExchangeAccount.objects.filter(pk=account.pk, api_key=account.api_key, secret=account.secret)
    if not same.update(**values):
        raise Conflict(f"The key of {account.name} was changed while it was being checked. Check the new one.")
    for field, value in values.items():
        setattr(account, field, value)
    return account


def account_endpoint(account: ExchangeAccount, *, for_check: bool = False) -> Endpoint:
    """The venue's address with the account's key, its secret opened.

    `Conflict` for a key that is missing, refused, does not open, or (beyond the sandbox) was never checked. `for_check`, to ask the
    venue what the key may do, takes a refused or unchecked one too.
    """
    if not account.secret:
        raise Conflict(f"The account {account.name} has no key yet. Enter one.", code="account_without_key")
    if account.refused_reason and not for_check:
        raise Conflict(f"The key of {account.name} is refused. {account.refused_reason}", code="account_refused")
    if account.checked_at is None and account.environment != Environment.SANDBOX and not for_check:
        raise Conflict(f"What the key of {account.name} may do was never checked. Check it first.", code="account_unchecked")
    return Endpoint(
        venue=account.venue,
        environment=cast(Literal["sandbox", "testnet", "live"], account.environment),
        rest=account.rest,
        ws=account.ws,
        ws_api=account.ws_api,
        ws_user=account.ws_user,
        api_key=account.api_key,
        api_secret=secret_box().open(account.secret, account_place(account)),
        account=str(account.pk),
    )


def secrets_rotate() -> int:
    """Seals again, under the first of ENCRYPTION_KEYS, every secret that is sealed under another. Returns how many; all or none."""
    opener, count = secret_box(), 0
    with transaction.atomic():
        for account in ExchangeAccount.objects.select_for_update().exclude(secret=b"").order_by("pk"):
            if not opener.is_current(account.secret):
                place = account_place(account)
                row_update(account, {"secret": opener.seal(opener.open(account.secret, place), place)})
                count += 1
    return count


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
    with conflict_on_duplicate():
        Wallet.objects.filter(pk=wallet.pk).update(archived=archived)
    wallet.archived = archived


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


def fill_booking(
    *,
    reference: str,
    ts: datetime,
    base: str,
    quote: str,
    side: str,
    quantity: Decimal,
    price: Decimal,
    fee: Decimal,
    fee_asset: str,
    note: str = "",
) -> Booking:
    """The booking of one execution in its wallet.

    `quantity` in base, `price` in quote, `fee` in `fee_asset` (any asset; negative: a rebate). The traded value is kept to 18
    places. `Invalid` by field.
    """
    if side not in ("buy", "sell"):
        raise Invalid.at("side", f"must be buy or sell; got {show_value(side)}.")
    for name, value in (("quantity", quantity), ("price", price)):
        if not (value.is_finite() and 0 < value < MOST):
            raise Invalid.at(name, f"must be above zero; got {show_value(value)}.")
    if not (fee.is_finite() and abs(fee) < MOST):
        raise Invalid.at("fee", f"must be a number; got {show_value(fee)}.")
    sign = 1 if side == "buy" else -1
    legs = [
        *transfer_legs(base, sign * quantity, Account.TRADING),
        *transfer_legs(quote, -sign * EXACT.multiply(quantity, price), Account.TRADING),
        *transfer_legs(fee_asset, -fee, Account.FEES),
    ]
    return Booking(Kind.FILL, reference, ts, legs, note)
