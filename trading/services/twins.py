"""Pairs that a venue keeps in one book under two names. Coinbase trades a pair in USDC in the book of its twin in USD, and may tell
of an order under either."""

from __future__ import annotations

from dataclasses import replace

from core.venues import venue_split
from market.exchanges.base import Report
from trading.models import Order


def name_book(key: str, symbol: str) -> str:
    """One name for a pair and its twin. `key`: the venue's."""
    base, _, quote = symbol.partition("-")
    return f"{base}-USD" if quote == "USDC" and venue_split(key)[0] == "coinbase" else symbol


def name_as_ours(report: Report, order: Order | None) -> Report:
    """The report as of our order's pair, where the venue tells it under the name of the twin: fees are in our quote, too."""
    if order is None or report.symbol == order.symbol:
        return report
    if name_book(order.venue, report.symbol) != name_book(order.venue, order.symbol):
        return report
    theirs, ours = (symbol.partition("-")[2] for symbol in (report.symbol, order.symbol))
    executions = tuple(replace(one, fee_asset=ours) if one.fee_asset == theirs else one for one in report.executions)
    return replace(report, symbol=order.symbol, executions=executions)
