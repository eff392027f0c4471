"""Tests whether an account's key works: asks the venue, keeps its answer, and says it in words."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from asgiref.sync import async_to_sync

from access.limits import require_reach
from access.people import Person
from core.errors import Conflict
from core.text import decimal_text
from market.clocks import MOST_APART
from market.connections import open_exchange
from market.exchanges.base import Balance, Endpoint, Exchange, ExchangeError, HeldElsewhere, KeyPermissions, Unauthorised
from wallets.models import ExchangeAccount
from wallets.selectors import permission_words
from wallets.services import account_check, account_endpoint
from wallets.services.elsewhere import elsewhere_take

SECONDS = 10.0
"""The longest that a person waits for the answer."""
SHOWN = 6


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """What the venue says. `offset`: seconds that its clock is ahead of ours."""

    permissions: KeyPermissions
    offset: float
    balances: Sequence[Balance]
    elsewhere: Sequence[HeldElsewhere] | None
    """None: the venue did not tell."""


@dataclass(frozen=True, slots=True)
class KeyTest:
    """`works`: orders may be sent with this key. `lines`: why, or why not, for a person."""

    works: bool
    lines: Sequence[str]

    def __str__(self) -> str:
        return " ".join(self.lines)


def account_test(*, account: ExchangeAccount, user: Person = None) -> KeyTest:
    """Asks the venue now, for at most SECONDS. What it says of the key is kept: one that may withdraw is refused from then on."""
    require_reach(user, account=str(account.pk))
    try:
        answer = async_to_sync(ask_venue)(account_endpoint(account, for_check=True))
        checked = account_check(account=account, permissions=answer.permissions)
        if answer.elsewhere is not None:
            elsewhere_take(account=account, told=answer.elsewhere)
    except (Conflict, ExchangeError, TimeoutError, OSError) as error:
        return KeyTest(False, [f"{account.name} does not work.", explain_failure(error)])
    lines = [f"{account.name}: {account.get_venue_display()} answers, and takes the key. It may {permission_words(checked)}."]
    if checked.refused_reason:
        lines.append(f"It is not used. {checked.refused_reason}")
    elif not answer.permissions.can_trade:
        lines.append(
            "It cannot trade: bots with it will have every order refused. Allow spot trading at the venue, then test again."
        )
    works = not checked.refused_reason and answer.permissions.can_trade
    remarks = (
        advise_restriction(answer),
        describe_clock(answer.offset),
        describe_balances(answer.balances),
        describe_elsewhere(answer.elsewhere or ()),
    )
    return KeyTest(works, [*lines, *filter(None, remarks)])


async def ask_venue(endpoint: Endpoint) -> KeyAnswer:
    async with asyncio.timeout(SECONDS), open_exchange(endpoint) as exchange:
        permissions, offset, balances = await exchange.permissions(), await exchange.clock_offset(), await exchange.balances()
        return KeyAnswer(permissions, offset, balances, await ask_elsewhere(exchange))


async def ask_elsewhere(exchange: Exchange) -> Sequence[HeldElsewhere] | None:
    """A key works without it."""
    try:
        return await exchange.elsewhere()
    except ExchangeError:
        return None


def explain_failure(error: Exception) -> str:
    if isinstance(error, Unauthorised):
        return f"{error} Look whether key and secret are whole, not expired, and allowed from this machine's address."
    if isinstance(error, ExchangeError | Conflict):
        return str(error)
    return f"It did not answer within {SECONDS:g} s. Look at the addresses, or try again later."


def advise_restriction(answer: KeyAnswer) -> str:
    return "Better restrict it, at the venue, to this machine's address." if answer.permissions.ip_restricted is False else ""


def describe_clock(offset: float) -> str:
    if abs(offset) > MOST_APART:
        side = "ahead of" if offset > 0 else "behind"
        return f"Its clock is {abs(offset):.1f} s {side} ours: set this machine by a time server (NTP)."
    return f"Its clock agrees with ours to {abs(offset) * 1000:.0f} ms."


def describe_balances(balances: Sequence[Balance]) -> str:
    known = [one for one in balances if one.free or one.held]
    if not known:
        return "The account is empty."
    some = ", ".join(f"{decimal_text(one.free + one.held)} {one.asset}" for one in known[:SHOWN])
    return f"It holds {some}{f' and {len(known) - SHOWN} more' if len(known) > SHOWN else ''}."


def describe_elsewhere(told: Sequence[HeldElsewhere]) -> str:
    if not told:
        return ""
    some = ", ".join(f"{decimal_text(one.amount)} {one.asset} ({one.name})" for one in told[:SHOWN])
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return f"Beside that, where no order can use it: {some}{more}."
