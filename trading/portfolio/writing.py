"""The portfolio as JSON, which its export is made of as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.text import decimal_text, utc_text
from trading.portfolio.allocation import Allocation, Share
from trading.portfolio.extremes import Extremes, Sale
from trading.portfolio.fees import MonthFees
from trading.portfolio.history import History, HistoryPoint
from trading.portfolio.periods import Period
from trading.portfolio.profit import Earned
from trading.portfolio.report import PortfolioReport
from trading.portfolio.returns import Drawdown, Rate
from trading.selectors.valuation import money_text


def report_json(found: PortfolioReport) -> dict[str, Any]:
    return {
        "at": utc_text(found.at),
        "mode": found.mode,
        "currency": found.currency,
        "period": period_json(found.period),
        "worth": {
            "value": money_text(found.worth.value),
            "wallets": found.wallets,
            "unpriced": list(found.worth.unpriced),
            "estimated": list(found.worth.estimated),
        },
        "allocation": allocation_json(found.allocation),
        "profit": {
            "totals": earned_json(found.totals),
            "days": earned_json(found.days),
            "months": earned_json(found.months),
            "symbols": earned_json(found.parts.symbols),
            "strategies": earned_json(found.parts.strategies),
            "bots": earned_json(found.parts.bots),
            "bot_count": found.parts.bot_count,
            "unpriced": found.held.unpriced,
            "old_prices": found.held.old,
        },
        "fees": [fees_json(one) for one in found.fees],
        "extremes": extremes_json(found.extremes),
    }


def period_json(period: Period) -> dict[str, Any]:
    return {"name": period.name, "from": period.first.isoformat(), "to": period.last.isoformat()}


def allocation_json(found: Allocation) -> dict[str, Any]:
    lists = {name: getattr(found, name) for name in ("assets", "wallets", "venues", "strategies", "bots")}
    return {**{name: [share_json(one) for one in shares] for name, shares in lists.items()}, "bot_count": found.bot_count}


def share_json(one: Share) -> dict[str, Any]:
    return {
        "key": one.key,
        "name": one.name,
        "currency": one.currency,
        "value": money_text(one.value),
        "share": one.share,
        "amount": decimal_text(one.amount),
    }


def earned_json(found: Sequence[Earned]) -> list[dict[str, Any]]:
    return [
        {
            "key": one.key,
            "name": one.name,
            "currency": one.currency,
            "realised": money_text(one.realised),
            "unrealised": money_text(one.unrealised),
            "total": money_text(one.total),
            "fees": money_text(one.fees),
            "sales": one.sales,
            "won": one.won,
            "win_rate": one.win_rate,
        }
        for one in found
    ]


def fees_json(one: MonthFees) -> dict[str, Any]:
    return {
        "month": one.month,
        "venue": one.venue,
        "asset": one.asset,
        "paid": decimal_text(one.paid),
        "currency": one.currency,
        "value": money_text(one.value),
        "unvalued": one.unvalued,
    }


def extremes_json(found: Extremes) -> dict[str, Any]:
    return {
        "currency": found.currency,
        "best_sales": [sale_json(one) for one in found.best_sales],
        "worst_sales": [sale_json(one) for one in found.worst_sales],
        "best_days": earned_json(found.best_days),
        "worst_days": earned_json(found.worst_days),
    }


def sale_json(one: Sale) -> dict[str, Any]:
    return {
        "order_id": one.order_id,
        "bot": one.bot_id,
        "bot_name": one.bot_name,
        "symbol": one.symbol,
        "ts": utc_text(one.ts),
        "profit": money_text(one.profit),
    }


def history_json(found: History) -> dict[str, Any]:
    return {
        "mode": found.mode,
        "currency": found.currency,
        "period": period_json(found.period),
        "time_weighted": rate_json(found.time_weighted),
        "money_weighted": rate_json(found.money_weighted),
        "drawdown": drawdown_json(found.drawdown) if found.drawdown else None,
        "paid_in": money_text(found.paid_in),
        "gained": money_text(found.gained),
        "unpriced": list(found.unpriced),
        "points": [point_json(one) for one in found.points],
    }


def rate_json(rate: Rate) -> dict[str, Any]:
    return {"value": rate.value, "yearly": rate.yearly, "why": rate.why or None}


def drawdown_json(found: Drawdown) -> dict[str, Any]:
    return {"depth": found.depth, "peak_at": utc_text(found.peak_at), "low_at": utc_text(found.low_at)}


def point_json(one: HistoryPoint) -> dict[str, Any]:
    return {
        "ts": utc_text(one.step.at),
        "value": money_text(one.step.value),
        "paid_in": money_text(one.step.paid_in),
        "flow": money_text(one.flow),
        "growth": one.growth,
        "fall": one.fall,
    }
