"""What a venue has already reported of a bot's newest orders. A report comes as an answer and by the user stream, and again after
each gap: with this in memory, one that says nothing new costs no query."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from engine.transitions import follow_report
from market.exchanges.base import Report
from trading.models import Order

KEPT = 64
"""Orders of a bot that are remembered."""


@dataclass(frozen=True, slots=True)
class HeardReport:
    """An order as the venue's reports have left it."""

    status: str
    quantity: Decimal
    filled: Decimal
    venue_order_id: str

    def is_news(self, report: Report) -> bool:
        if report.filled > self.filled or (report.venue_order_id and not self.venue_order_id):
            return True
        return self.status != follow_report(
            self.status, report.status, quantity=self.quantity, filled=self.filled, told=report.filled
        )


@dataclass(slots=True)
class HeardReports:
    """The newest orders by our client order id. May be asked from any thread; only the bot's own thread writes."""

    orders: dict[str, HeardReport] = field(default_factory=dict)

    def note(self, order: Order) -> None:
        """A report has left the order like this."""
        self.orders[order.client_order_id] = HeardReport(
            str(order.status), order.quantity, order.filled_quantity, order.venue_order_id
        )
        while len(self.orders) > KEPT:
            del self.orders[next(iter(self.orders))]

    def forget(self, order: Order) -> None:
        """The order has ended without a report: the next report on it is to be compared with its row."""
        self.orders.pop(order.client_order_id, None)

    def is_news(self, report: Report) -> bool:
        """Whether a report may say what the rows do not."""
        heard = self.orders.get(report.client_order_id)
        return heard is None or heard.is_news(report)

    def filled_quantity(self, client_order_id: str) -> Decimal:
        """As far as it is known without a query, in base."""
        heard = self.orders.get(client_order_id)
        return heard.filled if heard else Decimal(0)
