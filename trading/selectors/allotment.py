"""Whether a wallet holds what its bots are given to trade with."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading.models import Bot, Mode
from trading.selectors.bots import bot_rows, bots_matching
from wallets.selectors import wallets_of_bots
from wallets.valuation import value_wallets


@dataclass(frozen=True, slots=True)
class Allotment:
    """Of one wallet, in its `currency`."""

    name: str
    currency: str
    there: Decimal
    """What it holds, at the newest prices."""
    allotted: Decimal
    """To its bots at work, and what its stopped ones hold."""

    @property
    def over(self) -> bool:
        """Whether more is allotted than is there."""
        return self.allotted > self.there


def allotment_with(*, wallet_id: str, cash: Decimal, currency: str, instead_of: Bot | None = None) -> Allotment | None:
    """As it would be with one more bot, or with one `instead_of` another. None where the bot counts in another currency."""
    wallet = wallets_of_bots().filter(wallet_id=wallet_id).first()
    if wallet is None or wallet.quote != currency:
        return None
    rows = bot_rows(one for one in bots_matching(wallet=wallet_id).exclude(mode=Mode.REPLAY) if one != instead_of)
    allotted = sum((row.allotted for row in rows if row.currency == currency), cash)
    return Allotment(wallet.name, currency, value_wallets([wallet])[wallet.pk].value, allotted)
