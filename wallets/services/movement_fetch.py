"""Movements are fetched list by list, each from a place of its own, which stays behind whatever is not settled: so nothing is lost,
whenever it comes and wherever a fetch breaks off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from asgiref.sync import async_to_sync, sync_to_async
from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from core.errors import Conflict
from market.connections import open_exchange
from market.exchanges.base import Exchange, ExchangeError, MovementPage, NotOffered, RateLimited, UnreadRow
from wallets.models import Movement, MovementCursor, Wallet
from wallets.services.accounts import account_endpoint
from wallets.services.movements import movements_take, name_row, opening_find

Standing = Movement.Standing
OVERLAP = timedelta(days=3)
"""What is asked again each time: rows may be listed later than they say that they began."""
LOOK_BACK = timedelta(days=30)
"""So long before the opening of the books the first fetch begins: what was under way then is known by it."""
HELD_BACK = timedelta(days=90)
"""For so long a list is read again from where something is not settled."""


@dataclass(slots=True)
class MovementReading:
    """What a fetch brought. `left_out`: the lists that were not read to their end, each with why. What this environment of the
    venue does not offer is no failure."""

    changed: list[Movement] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    not_offered: list[str] = field(default_factory=list)


def movements_fetch(*, wallet: Wallet, book: bool = True) -> MovementReading:
    """Asks the venue for the wallet's movements, once for each list, and takes them. `Conflict` where the wallet has no account, a
    key that is not used, or books that are not opened yet; raises what the venue raises while it is connected to."""
    if wallet.account is None:
        raise Conflict(f"{wallet.name} is no exchange wallet: no venue tells of its movements.")
    endpoint = account_endpoint(wallet.account)
    opening_find(wallet)

    async def fetch() -> MovementReading:
        async with open_exchange(endpoint) as exchange:
            return await movements_read(exchange, wallet, book=book)

    return async_to_sync(fetch)()


async def movements_read(exchange: Exchange, wallet: Wallet, *, book: bool = True) -> MovementReading:
    """The same over a connection that is open. A list that fails costs no other, but where the venue wants to be left alone."""
    reading = MovementReading()
    for listed in exchange.movement_lists:
        try:
            await read_list(exchange, wallet, listed, reading, book=book)
        except NotOffered as error:
            reading.not_offered.append(listed)
            await sync_to_async(cursor_note)(wallet, listed, str(error), offered=False)
        except ExchangeError as error:
            reading.left_out[listed] = str(error)
            await sync_to_async(cursor_note)(wallet, listed, str(error), offered=True)
            if isinstance(error, RateLimited):
                break
    return reading


async def read_list(exchange: Exchange, wallet: Wallet, listed: str, reading: MovementReading, *, book: bool) -> None:
    """Page after page; each is kept before the next is asked for."""
    place = await sync_to_async(find_place)(wallet, listed)
    unread: list[str] = []
    held: datetime | None = None
    whole = False
    while not whole:
        page = await exchange.movements(listed, place)
        told = [name_row(row) for row in page.rows if isinstance(row, UnreadRow)]
        unread, held = unread + told, held or (place if told else None)
        reading.changed += await sync_to_async(page_keep)(wallet, listed, page, held, book=book)
        place, whole = page.until, page.whole
    await sync_to_async(unread_forget)(wallet, listed, unread)


def find_place(wallet: Wallet, listed: str) -> datetime:
    """From when on the list is to be asked."""
    if cursor := wallet.movement_cursors.filter(listed=listed).exclude(asked_at=None).first():
        return cursor.since
    return opening_find(wallet).ts - LOOK_BACK


def page_keep(wallet: Wallet, listed: str, page: MovementPage, held: datetime | None, *, book: bool) -> list[Movement]:
    """The rows of a page and the place after it, together or not at all. `held`: before which nothing was unreadable."""
    with transaction.atomic():
        changed = movements_take(wallet=wallet, rows=page.rows, listed=listed, book=book)
        places = [page.until - OVERLAP if page.whole else page.until, held, find_unsettled(wallet, listed)]
        since = max(min(place for place in places if place), timezone.now() - HELD_BACK)
        told = {"since": since, "asked_at": timezone.now(), "problem": "", "offered": True}
        MovementCursor.objects.update_or_create(wallet=wallet, listed=listed, defaults=told)
    return changed


def find_unsettled(wallet: Wallet, listed: str) -> datetime | None:
    """When the first began of those that are pending, of which the desk does not know what they are, or that were done of late: a
    venue may take them back."""
    unsettled = Q(standing__in=[Standing.WAITS, Standing.UNKNOWN]) | Q(moved_at__gte=timezone.now() - OVERLAP)
    found: datetime | None = wallet.movements.filter(unsettled, listed=listed).aggregate(first=Min("ts"))["first"]
    return found


def unread_forget(wallet: Wallet, listed: str, told: Sequence[str]) -> None:
    """Rows that could not be read, and that the venue no longer tells in that way."""
    wallet.movements.filter(listed=listed, reference__startswith="unread:").exclude(reference__in=told).delete()


def cursor_note(wallet: Wallet, listed: str, problem: str, *, offered: bool) -> None:
    """Why a list was not read. Its place stays where it was."""
    told = {"problem": problem[:300], "offered": offered}
    MovementCursor.objects.update_or_create(
        wallet=wallet, listed=listed, defaults=told, create_defaults={**told, "since": timezone.now()}
    )
