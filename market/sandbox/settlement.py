"""The money of a fill."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from market.sandbox.accounts import SandboxAccount
from market.sandbox.events import PublicTrade
from market.sandbox.instruments import FeeRates, ListedInstrument
from market.sandbox.orders import SandboxFill, SandboxOrder

UNIT = Decimal("0.00000001")
"""Fees are rounded down to it, so that they never exceed what was set aside for them."""


def make_fill(
    order: SandboxOrder, trade: PublicTrade, instrument: ListedInstrument, rates: FeeRates, *, maker: bool
) -> SandboxFill:
    """The fill of one order in a trade, with its fee."""
    value = trade.price * trade.qty
    in_base = order.side == "buy" and not rates.in_quote
    fee = (trade.qty if in_base else value) * (rates.maker if maker else rates.taker)
    return SandboxFill(
        id=trade.id,
        order_id=order.id,
        client_id=order.client_id,
        symbol=order.symbol,
        side=order.side,
        price=trade.price,
        qty=trade.qty,
        value=value,
        fee=fee.quantize(UNIT, ROUND_DOWN),
        fee_asset=instrument.base if in_base else instrument.quote,
        maker=maker,
        time=trade.time,
    )


def settle_fill(
    account: SandboxAccount, order: SandboxOrder, fill: SandboxFill, instrument: ListedInstrument
) -> dict[str, Decimal]:
    """Moves the money and adds the fill to the order. Returns what the account gained of each asset after the fee."""
    given, taken = (fill.value, fill.qty) if fill.side == "buy" else (fill.qty, fill.value)
    give, take = (instrument.quote, instrument.base) if fill.side == "buy" else (instrument.base, instrument.quote)
    if fill.fee_asset == give:
        given += fill.fee
    else:
        taken -= fill.fee
    account.pay(order, given)
    account.receive(take, taken)
    account.fills.append(fill)
    order.fills.append(fill)
    order.filled += fill.qty
    order.value += fill.value
    order.fees += fill.fee
    return {give: -given, take: taken}
