"""Accounts at venues and their keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
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
from core.fields import Fields
from market.exchanges.base import Endpoint, KeyPermissions
from market.exchanges.registry import VENUES, credentials_of
from wallets.models import Environment, ExchangeAccount
from wallets.secrets import secret_box
from wallets.selectors import account_place, sealed_secrets

ADDRESSES = {"rest": ("https", "http"), "ws": ("wss", "ws"), "ws_api": ("wss", "ws"), "ws_user": ("wss", "ws")}
MOST_SECRET = 4_000
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
        for row, column, place in sealed_secrets(lock=True):
            if not opener.is_current(getattr(row, column)):
                setattr(row, column, opener.seal(opener.open(getattr(row, column), place), place))
                row.save(update_fields=[column])
                count += 1
    return count
