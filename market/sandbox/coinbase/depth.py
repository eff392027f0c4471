"""The level2 channel's view of a book: its best levels, and what changed since it was last told."""

from __future__ import annotations

from decimal import Decimal

from market.sandbox.coinbase.frames import ChannelEvent
from market.sandbox.coinbase.notation import decimal_text, time_text
from market.sandbox.records import ListedMarket

LEVELS = 50

Side = dict[Decimal, Decimal]


class Level2View:
    """One symbol's, as all its listeners know it."""

    def __init__(self, market: ListedMarket) -> None:
        self.market = market
        self.bids, self.asks = self._read_book()

    def snapshot(self, time: int) -> ChannelEvent:
        return self._event("snapshot", _list_updates("bid", {}, self.bids, time) + _list_updates("offer", {}, self.asks, time))

    def update(self, time: int) -> ChannelEvent | None:
        """What changed, and from now on is known; None for nothing."""
        bids, asks = self._read_book()
        rows = _list_updates("bid", self.bids, bids, time) + _list_updates("offer", self.asks, asks, time)
        self.bids, self.asks = bids, asks
        return self._event("update", rows) if rows else None

    def _read_book(self) -> tuple[Side, Side]:
        bids, asks = self.market.book.depth(LEVELS)
        return dict(bids), dict(asks)

    def _event(self, kind: str, rows: list[dict[str, str]]) -> ChannelEvent:
        return {"type": kind, "product_id": self.market.instrument.symbol, "updates": rows}


def _list_updates(side: str, before: Side, after: Side, time: int) -> list[dict[str, str]]:
    """A level that is gone has the quantity 0."""
    gone = dict.fromkeys(before.keys() - after.keys(), Decimal(0))
    changed = {price: qty for price, qty in after.items() if before.get(price) != qty}
    return [
        {"side": side, "event_time": time_text(time), "price_level": decimal_text(price), "new_quantity": decimal_text(qty)}
        for price, qty in (changed | gone).items()
    ]
