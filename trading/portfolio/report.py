"""All that the portfolio page and its API tell of one kind of money in one period, as of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from core.fields import Fields
from trading.portfolio.allocation import Allocation, allocate_money
from trading.portfolio.extremes import Extremes, find_extremes
from trading.portfolio.fees import MonthFees, list_fees
from trading.portfolio.held import HeldPrices, find_held
from trading.portfolio.periods import Period, read_period
from trading.portfolio.profit import SHOWN, Earned, Parts, list_days, list_parts, sum_currencies, sum_months
from trading.portfolio.rates import find_rates, list_quotes
from wallets.models import Wallet
from wallets.selectors import reporting_currency, wallets_list
from wallets.valuation import LIVE, PAPER, TESTNET, money_of, open_books, value_wallets
from wallets.valuation.desk import Sum, sum_wallets

MODES = (LIVE, TESTNET, PAPER)
"""The most real first. A replay has no wallet's money: its results are with its bot."""


@dataclass(frozen=True, slots=True)
class PortfolioReport:
    """Money in `currency`, the reporting currency, as far as there are prices; figures whose currency has none keep their own.
    `worth` and what is unrealised are of now, whatever the period."""

    at: datetime
    mode: str
    period: Period
    currency: str
    wallets: int
    worth: Sum
    allocation: Allocation
    totals: Sequence[Earned]
    days: Sequence[Earned]
    parts: Parts
    fees: Sequence[MonthFees]
    extremes: Extremes
    held: HeldPrices

    @property
    def months(self) -> list[Earned]:
        return sum_months(self.days)


def list_money() -> dict[str, list[Wallet]]:
    """Wallets that are not archived by the kind of their money, of those kinds that there are; the most real first."""
    found = list(wallets_list())
    kinds = {mode: [one for one in found if money_of(one) == mode] for mode in MODES}
    return {mode: wallets for mode, wallets in kinds.items() if wallets}


def read_asked(form: Fields, today: date) -> tuple[str, Period, list[Wallet]]:
    """The kind of money, the period, and the wallets of that kind; where nobody says, the most real that there is. Faults are those
    of the form."""
    money = list_money()
    mode = form.choice("mode", next(iter(money), PAPER), MODES)
    return mode, read_period(form, today), money.get(mode, [])


def report_portfolio(mode: str, period: Period, wallets: Sequence[Wallet], *, shown: int = SHOWN) -> PortfolioReport:
    """`wallets`: of this kind of money. A constant number of queries, however many bots, fills and wallets there are; `shown` bots
    at most from either end of each list."""
    currency, quotes, held = reporting_currency(), list_quotes(mode), find_held(mode)
    books = open_books(wallets, currency, *(quote for _, quote in quotes))
    worth = value_wallets(wallets, currency, books=books)
    rates = find_rates(mode, period, currency, [*quotes, *held.quotes], books)
    days = list_days(mode, period, rates)
    parts = list_parts(mode, period, rates, held, shown=shown)
    return PortfolioReport(
        at=timezone.now(),
        mode=mode,
        period=period,
        currency=currency,
        wallets=len(wallets),
        worth=sum_wallets(wallets, worth),
        allocation=allocate_money(mode, wallets, worth, rates, held, shown=shown),
        totals=sum_currencies(parts.strategies),
        days=days,
        parts=parts,
        fees=list_fees(mode, period, rates),
        extremes=find_extremes(mode, period, rates, days, parts),
        held=held,
    )
