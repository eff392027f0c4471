"""The level2 channel's view of a book: its best levels, and what changed since it was last told."""

from __future__ import annotations

from decimal import Decimal

from market.sandbox.coinbase.frames import Event
from market.sandbox.coinbase.notation import moment, plain
from market.sandbox.exchange import Market

LEVELS = 50

Side = dict[Decimal, Decimal]


class Depth:
    """One symbol's, as all its listeners know it."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.bids, self.asks = self._now()

    def snapshot(self, time: int) -> Event:
        return self._event("snapshot", _rows("bid", {}, self.bids, time) + _rows("offer", {}, self.asks, time))

    def update(self, time: int) -> Event | None:
        """What changed, and from now on is known; None for nothing."""
        bids, asks = self._now()
        rows = _rows("bid", self.bids, bids, time) + _rows("offer", self.asks, asks, time)
        self.bids, self.asks = bids, asks
        return self._event("update", rows) if rows else None

    def _now(self) -> tuple[Side, Side]:
        bids, asks = self.market.book.depth(LEVELS)
        return dict(bids), dict(asks)

    def _event(self, kind: str, rows: list[dict[str, str]]) -> Event:
        return {"type": kind, "product_id": self.market.instrument.symbol, "updates": rows}


def _rows(side: str, before: Side, after: Side, time: int) -> list[dict[str, str]]:
    """A level that is gone has the quantity 0."""
    gone = dict.fromkeys(before.keys() - after.keys(), Decimal(0))
    changed = {price: qty for price, qty in after.items() if before.get(price) != qty}
    return [
        {"side": side, "event_time": moment(time), "price_level": plain(price), "new_quantity": plain(qty)}
        for price, qty in (changed | gone).items()
    ]
