"""Wallets that are only watched: begun, and what their tokens are taken for."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from access.audit import audit_record
from access.limits import require_reach, require_unlimited
from access.people import Person, signed_in_user
from access.rights import require_right
from core.errors import Conflict, Invalid, NotFound
from core.fields import Fields
from wallets.chains.base import NATIVE, Chain, WatchedAddress
from wallets.chains.node import host_of
from wallets.chains.private import refuse_private
from wallets.chains.registry import chain_get, guess_chain
from wallets.holdings import endpoint_place
from wallets.models import ChainEndpoint, ChainToken, ChainWatch, Wallet
from wallets.secrets import secret_box
from wallets.selectors import wallet_reach
from wallets.services.accounts import conflict_on_duplicate, is_address
from wallets.services.wallets import asset_read

REPORTED_IN = "USD"
LONGEST_ADDRESS, LONGEST_URL = 120, 500


@sensitive_variables()
def watch_create(*, raw: Any, user: Person = None) -> Wallet:
    """A wallet that watches an address, or an extended public key of Bitcoin. `raw`: what somebody entered, `chain`, `address` or
    `xpub`, `name`, and perhaps `script`, which narrows an extended key to one kind of addresses. `Invalid` by field. A private key
    or a seed phrase, in whatever field, is refused, and nothing repeats it."""
    require_right(user, "wallets.add_wallet")
    require_reach(user, wallet="")
    given, watched = watch_form_read(raw)
    with conflict_on_duplicate():
        made = Wallet.objects.create(
            wallet_id=secrets.token_hex(8),
            name=given["name"],
            kind=Wallet.Kind.WATCH,
            venue=given["chain"],
            quote=REPORTED_IN,
            created_by=signed_in_user(user),
        )
        ChainWatch.objects.create(wallet=made, chain=given["chain"], address=watched.address, scripts=list(watched.scripts))
        audit_record(user, "watch wallet", made.name, chain=given["chain"])
    return made


@sensitive_variables()
def watch_form_read(raw: Any) -> tuple[dict[str, str], WatchedAddress]:
    """What somebody entered, checked. First of all it is looked through for secrets, names of fields included."""
    refuse_private(address=list(raw) if isinstance(raw, Mapping) else raw)
    refuse_private(**{str(name): value for name, value in raw.items()} if isinstance(raw, Mapping) else {})
    form = Fields(raw)
    given = {"name": form.text("name", longest=80), "script": form.text("script", longest=16)}
    if not given["name"] and "name" not in form.faults:
        form.fault("name", "is required.")
    if Wallet.objects.filter(name=given["name"]).exists():
        form.fault("name", f"{given['name']!r} is taken by another wallet.")
    chain, watched = chain_read(form, given["script"])
    form.close()
    form.refuse("The wallet cannot be watched.")
    assert chain is not None
    if ChainWatch.objects.filter(chain=chain.key, address=watched.address, wallet__archived=False).exists():
        raise Invalid.at("address", "is watched by another wallet already; twice it would count twice.")
    return given | {"chain": chain.key}, watched


@sensitive_variables()
def chain_read(form: Fields, script: str) -> tuple[Chain | None, WatchedAddress]:
    """The chain and the address on it; faults go to the form, without a word of what was entered as address."""
    nothing = WatchedAddress("")
    chain: Chain | None = None
    try:
        chain = chain_get(str(form.take("chain", "")))
    except Invalid as error:
        form.merge(error, "chain")
    given = [form.text(name, longest=LONGEST_ADDRESS) for name in ("address", "xpub")]
    if all(given) or not any(given):
        if not {"address", "xpub"} & set(form.faults):
            form.fault("address", "is required, or an xpub in its place, and not both: what to watch.")
        return chain, nothing
    text = given[0] or given[1]
    if chain is None:
        return chain, nothing
    try:
        return chain, chain.check_address(text, script)
    except Invalid as error:
        right = guess_chain(text)
        hint = f" It is an address of {right.title}: choose that chain." if right and right is not chain else ""
        form.fault("address", f"{error}{hint}")
    return chain, nothing


def token_trust(*, wallet: Wallet, contract: str, asset: str, user: Person = None) -> ChainToken:
    """A person says what a token of the wallet's chain is: it counts as this asset from now on, in all wallets. An empty `asset`:
    it counts for nothing."""
    require_right(user, "wallets.change_wallet")
    require_reach(user, **wallet_reach(wallet))
    refuse_private(asset=asset)
    watch = watch_of(wallet)
    form = Fields({})
    name = asset_read(form, "asset", asset) if asset else ""
    form.refuse("The token cannot be taken for that.")
    found = ChainToken.objects.filter(chain=watch.chain, contract=contract).first()
    if found is None or contract == NATIVE:
        raise NotFound("This wallet's chain has no such token, as far as was seen.")
    if name and found.decimals is None:
        raise Conflict("The token does not say its decimals, so nobody knows how much of it there is.")
    found.asset, found.decided_at, found.decided_by = name, timezone.now(), signed_in_user(user)
    with transaction.atomic():
        found.save(update_fields=["asset", "decided_at", "decided_by"])
        audit_record(user, "trust token" if name else "distrust token", contract, chain=watch.chain, asset=name)
    return found


def watch_ask(*, wallet: Wallet, user: Person = None) -> ChainWatch:
    """Whether this person may have the wallet read now. `Conflict` for a wallet that is on no chain."""
    require_right(user, "wallets.view_wallet")
    require_reach(user, **wallet_reach(wallet))
    return watch_of(wallet)


def watch_of(wallet: Wallet) -> ChainWatch:
    """`Conflict` for a wallet that is on no chain."""
    found: ChainWatch | None = getattr(wallet, "watch", None)
    if found is None:
        raise Conflict(f"{wallet.name} is not a watched wallet: no chain holds it.")
    return found


@sensitive_variables("url")
def endpoint_create(*, chain: str, url: str, position: int = 1, enabled: bool = True, user: Person = None) -> ChainEndpoint:
    """A node for a chain, asked in place of the public ones. Its address is sealed at once, because it may hold a key."""
    require_right(user, "wallets.add_chainendpoint", scope="admin")
    require_unlimited(user)
    given = endpoint_read(chain=chain, url=url)
    with transaction.atomic():
        row = ChainEndpoint.objects.create(chain=given["chain"], host=given["host"], position=position, enabled=enabled)
        row.address = secret_box().seal(given["url"], endpoint_place(row))
        row.save(update_fields=["address"])
        audit_record(user, "add node", row.host, chain=row.chain)
    return row


@sensitive_variables("url")
def endpoint_place_set(*, chain: str, url: str) -> None:
    """Has the one node of a chain of the sandbox at this address."""
    row = ChainEndpoint.objects.filter(chain=chain).first() or ChainEndpoint.objects.create(chain=chain)
    row.host, row.address = host_of(url), secret_box().seal(url, endpoint_place(row))
    row.save(update_fields=["host", "address"])


@sensitive_variables("url")
def endpoint_read(*, chain: str, url: str) -> dict[str, str]:
    """A node's address, checked. No fault repeats it."""
    found = chain_get(chain.strip().lower())
    text = url.strip()
    if len(text) > LONGEST_URL or not is_address(text, ("https", "http")) or urlsplit(text).fragment:
        raise Invalid.at("url", "must be an address that begins with https:// or http://, without a user name.")
    return {"chain": found.key, "host": host_of(text)[:200], "url": text}
