"""Made-up books, as beancount reads them and as our changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from hypothesis import strategies as st

from wallets.lots.inventory import Inventory
from wallets.lots.moments import from_microseconds, to_microseconds
from wallets.lots.types import Change, LotMethod, LotRule, LotScope, from_units, to_units

METHODS = ("fifo", "lifo", "hifo")
START = date(2020, 1, 1)
Step: TypeAlias = tuple[bool, str, str]
"""Whether it buys, how much, at which price."""
Answer: TypeAlias = dict[str, Any]
"""`gains` of the sales in order; `lots` that are open: quantity, price and day, the oldest first."""


@st.composite
def make_books(draw: Any, most: int = 25) -> list[Step]:
    """One step a day; no more is sold than is there."""
    held, steps = Decimal(0), []
    amounts, prices = st.integers(1, 10**10), st.integers(1, 10**7)
    for buys, amount, price in draw(st.lists(st.tuples(st.booleans(), amounts, prices), max_size=most)):
        quantity = Decimal(amount).scaleb(-8)
        if not buys:
            quantity = min(quantity, held)
        if quantity:
            held += quantity if buys else -quantity
            steps.append((buys, f"{quantity:f}", f"{Decimal(price).scaleb(-2):f}"))
    return steps


def write_books(steps: Sequence[Step], method: str) -> str:
    """As beancount reads them."""
    lines = [
        f'{START} open Assets:Coins BTC,USD "{method.upper()}"',
        *(f"{START} open {name}" for name in ("Assets:Cash", "Income:Gains")),
    ]
    for number, (buys, quantity, price) in enumerate(steps, 1):
        paid = f"{Decimal(quantity) * Decimal(price):f} USD"
        lines.append(f'{START + timedelta(days=number)} * ""')
        if buys:
            lines += [f"  Assets:Coins  {quantity} BTC {{{price} USD}}", f"  Assets:Cash  -{paid}"]
        else:
            lines += [f"  Assets:Coins  -{quantity} BTC {{}} @ {price} USD", f"  Assets:Cash  {paid}", "  Income:Gains"]
    return "\n".join(lines) + "\n"


def make_changes(steps: Sequence[Step]) -> list[Change]:
    changes = []
    for number, (buys, quantity, price) in enumerate(steps, 1):
        sign, ts = 1 if buys else -1, to_microseconds(datetime.combine(START + timedelta(days=number), datetime.min.time(), UTC))
        legs = [("BTC", sign * to_units(Decimal(quantity))), ("USD", -sign * to_units(Decimal(quantity) * Decimal(price)))]
        changes.append(Change(ts, number, 1, "fill", legs))
    return changes


def answer_books(steps: Sequence[Step], method: str) -> Answer:
    """What we make of them."""
    inventory = Inventory("USD", NoPrices(), [LotRule(0, LotMethod(method), LotScope.WALLET)])
    sold = [disposals for change in make_changes(steps) if (disposals := inventory.apply(change))]
    lots = sorted((lot for *_, lot in inventory.store.list_lots()), key=lambda lot: lot.acquired)
    return {
        "gains": [plain(from_units(sum(one.gain or 0 for one in disposals))) for disposals in sold],
        "lots": [
            [plain(from_units(lot.quantity)), plain(from_units(lot.basis or 0)), str(from_microseconds(lot.acquired).date())]
            for lot in lots
        ],
    }


class NoPrices:
    """All is paid for in the reporting currency."""

    def price_at(self, asset: str, ts: int) -> Decimal | None:
        return None


def plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
