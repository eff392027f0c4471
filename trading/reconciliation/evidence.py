"""What one side has on record and the other has not, as rows of evidence. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.fields import EXACT
from core.text import decimal_text, utc_text
from market.exchanges.base import Execution
from trading.reconciliation.causes import NOTHING, Cause, EvidenceRow
from trading.services.fills import fill_reference
from wallets.ledger import Account, Booking
from wallets.services import fill_booking

Legs = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class BookedTrade:
    """A fill in our ledger. `legs`: what the wallet had more by it."""

    transaction_id: int
    reference: str
    legs: Legs

    @property
    def trade(self) -> tuple[str, str]:
        return name_trade_of(self.reference)


@dataclass(frozen=True, slots=True)
class VenueTrade:
    """An execution that the venue lists. `order_id`: of our order; empty: it is none of ours. `side`: empty where neither our order
    nor the venue tells it."""

    account: str
    venue: str
    symbol: str
    side: str
    venue_order_id: str
    order_id: str
    execution: Execution

    @property
    def reference(self) -> str:
        return fill_reference(self.account, self.venue, self.symbol, self.execution.trade_id, self.side)

    def make_booking(self) -> Booking:
        base, quote = self.symbol.split("-")
        one = self.execution
        return fill_booking(
            reference=self.reference,
            ts=one.time,
            base=base,
            quote=quote,
            side=self.side,
            quantity=one.quantity,
            price=one.price,
            fee=one.fee,
            fee_asset=one.fee_asset,
            note=self.order_id or f"order {self.venue_order_id} of nobody here",
        )

    def to_json(self) -> dict[str, Any]:
        one = self.execution
        return {
            "symbol": self.symbol,
            "side": self.side,
            "venue_order_id": self.venue_order_id,
            "order_id": self.order_id,
            "trade_id": one.trade_id,
            "price": decimal_text(one.price),
            "quantity": decimal_text(one.quantity),
            "fee": decimal_text(one.fee),
            "fee_asset": one.fee_asset,
            "maker": one.maker,
            "ts": utc_text(one.time),
        }


def name_trade_of(reference: str) -> tuple[str, str]:
    """Symbol and side of a booked fill."""
    _, symbol, _, side = reference.rsplit(":", 3)
    return symbol, side


def sum_assets(booking: Booking) -> dict[str, Decimal]:
    """What the wallet has more by a booking, by asset."""
    return sum_amounts((leg.asset, leg.amount) for leg in booking.legs if leg.account == Account.ASSETS)


def sum_amounts(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for asset, amount in amounts:
        sums[asset] = EXACT.add(sums[asset], amount)
    return dict(sums)


def list_trade_rows(theirs: Iterable[VenueTrade], ours: Sequence[BookedTrade]) -> Iterator[EvidenceRow]:
    """Fills of one side only, and fills of both whose money differs. Both sides tell the same symbols and the same time."""
    booked = {one.reference: one for one in ours}
    for trade in theirs:
        if not trade.side:
            continue
        mine = booked.pop(trade.reference, None)
        if mine is None:
            cause = Cause.FILL_MISSED if trade.order_id else Cause.MANUAL_TRADE
            yield EvidenceRow(trade.reference, cause, sum_assets(trade.make_booking()), {"how": "trade", **trade.to_json()})
        elif over := subtract_money(sum_assets(trade.make_booking()), mine.legs):
            data = {"how": "fee", "transaction": mine.transaction_id, **trade.to_json()}
            yield EvidenceRow(f"fee:{trade.reference}", name_fee_cause(over, trade.symbol), over, data)
    yield from list_surplus(list(booked.values()), ours)


def list_surplus(left: Iterable[BookedTrade], ours: Sequence[BookedTrade]) -> Iterator[EvidenceRow]:
    """Fills that we have booked, and the venue does not list. One that is like another of ours was booked twice."""
    for one in left:
        twin = any(one.trade == other.trade and one.legs == other.legs and one.reference != other.reference for other in ours)
        cause = Cause.FILL_TWICE if twin else Cause.UNKNOWN
        legs = {asset: -amount for asset, amount in one.legs.items()}
        yield EvidenceRow(f"twice:{one.reference}", cause, legs, {"how": "undo", "transaction": one.transaction_id})


def subtract_money(theirs: Legs, ours: Legs) -> dict[str, Decimal]:
    """What is left, by asset; empty where nothing is."""
    left = {asset: EXACT.subtract(theirs.get(asset, NOTHING), ours.get(asset, NOTHING)) for asset in {*theirs, *ours}}
    return {asset: amount for asset, amount in left.items() if amount}


def name_fee_cause(over: Legs, symbol: str) -> Cause:
    """The trade itself is the same on both sides."""
    if len(over) > 1 or over.keys() - set(symbol.split("-")):
        return Cause.FEE_ASSET
    return Cause.REBATE if all(amount > 0 for amount in over.values()) else Cause.UNKNOWN
