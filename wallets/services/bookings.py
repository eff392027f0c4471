"""What a fill is in the ledger."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.errors import Invalid
from core.fields import EXACT, show_value
from wallets.ledger import MOST, Account, Booking, transfer_legs
from wallets.models import LedgerTransaction

Kind = LedgerTransaction.Kind


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
