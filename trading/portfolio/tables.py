"""Each table of the portfolio as rows, for its export."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from core.sheets import csv_line
from trading.portfolio.allocation import Share
from trading.portfolio.extremes import Sale
from trading.portfolio.fees import MonthFees
from trading.portfolio.history import HistoryPoint
from trading.portfolio.profit import Earned
from trading.portfolio.report import PortfolioReport
from trading.portfolio.writing import earned_json, fees_json, point_json, sale_json, share_json
from wallets.valuation import ValueStep

Row: TypeAlias = dict[str, Any]
NOTHING = Decimal(0)
EVERY = 10**9
"""All bots, on a table that is exported."""
# A row of each kind, so that a table without rows has its columns.
EARNED = list(earned_json([Earned("", "", "")])[0])
SHARE = list(share_json(Share("", "", "", None, None)))
FEES = list(fees_json(MonthFees("", "", "", "", NOTHING, NOTHING, 0)))
SALE = list(sale_json(Sale("", "", "", "", datetime(1970, 1, 1, tzinfo=UTC), NOTHING)))
POINT = list(point_json(HistoryPoint(ValueStep(datetime(1970, 1, 1, tzinfo=UTC), NOTHING, NOTHING), NOTHING, 1.0, 0.0)))
TABLES: Mapping[str, tuple[Sequence[str], Callable[[PortfolioReport], list[Row]]]] = {
    "days": (EARNED, lambda found: earned_json(found.days)),
    "months": (EARNED, lambda found: earned_json(found.months)),
    "symbols": (EARNED, lambda found: earned_json(found.parts.symbols)),
    "strategies": (EARNED, lambda found: earned_json(found.parts.strategies)),
    "bots": (EARNED, lambda found: earned_json(found.parts.bots)),
    "by-asset": (SHARE, lambda found: [share_json(one) for one in found.allocation.assets]),
    "by-wallet": (SHARE, lambda found: [share_json(one) for one in found.allocation.wallets]),
    "by-venue": (SHARE, lambda found: [share_json(one) for one in found.allocation.venues]),
    "by-strategy": (SHARE, lambda found: [share_json(one) for one in found.allocation.strategies]),
    "by-bot": (SHARE, lambda found: [share_json(one) for one in found.allocation.bots]),
    "fees": (FEES, lambda found: [fees_json(one) for one in found.fees]),
    "sales": (SALE, lambda found: [sale_json(one) for one in (*found.extremes.best_sales, *found.extremes.worst_sales)]),
}
HISTORY = "history"
"""The one table that is no part of a report."""


def write_csv(columns: Sequence[str], rows: Sequence[Row]) -> Iterator[str]:
    """Safe to open in a spreadsheet: no text is a formula."""
    yield csv_line(columns)
    for row in rows:
        yield csv_line(["" if row[name] is None else row[name] for name in columns])
