"""Where the money of an account at Coinbase is. Each asset is an account there, and a wallet, a vault and a futures account of the
same asset are three."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from market.exchanges.base import Balance, HeldElsewhere, Place
from market.exchanges.coinbase.frames import NAME
from market.exchanges.holdings import merge_balances
from market.exchanges.parsing import Json, parse_amount, parse_text
from market.exchanges.vocabulary import coinbase as words

LABELS: dict[str, str] = {"vault": "Vault", "futures": "Futures account", "other": "Account of an unknown kind"}


@dataclass(frozen=True, slots=True)
class Account:
    """`number` names it at the venue: the same one may come twice, at the border of two pages."""

    number: str
    place: Place
    balance: Balance


def parse_account(data: Json) -> Account:
    """A type or a platform that is not said is that of an ordinary account. Older answers say `CRYPTO` alone."""
    place = words.ACCOUNT_TYPE.read_word(spell_out("ACCOUNT_TYPE_", data.get("type") or "CRYPTO"))
    if place == "spot":
        place = words.ACCOUNT_PLATFORM.read_word(spell_out("ACCOUNT_PLATFORM_", data.get("platform") or "CONSUMER"))
    free, held = parse_amount(data["available_balance"]["value"]), parse_amount(data["hold"]["value"])
    return Account(parse_text(data["uuid"]), place, Balance(parse_text(data["currency"], NAME), free, held))


def spell_out(prefix: str, word: object) -> str:
    return prefix + str(word).removeprefix(prefix)


def drop_repeated(accounts: Iterable[Account]) -> list[Account]:
    """Of an account that comes twice, what was said last."""
    return list({one.number: one for one in accounts}.values())


def list_spot(accounts: Iterable[Account]) -> list[Balance]:
    return merge_balances(one.balance for one in accounts if one.place == "spot")


def list_elsewhere(accounts: Iterable[Account]) -> list[HeldElsewhere]:
    return [
        HeldElsewhere(one.place, LABELS[one.place], one.balance.asset, one.balance.free + one.balance.held)
        for one in accounts
        if one.place != "spot" and (one.balance.free or one.balance.held)
    ]
