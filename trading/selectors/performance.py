"""What a bot has made over time: its equity, its runs, its sales."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
from django.db.models import Count, Q, QuerySet, Sum

from core.text import decimal_text, utc_text
from engine.thinning import thin_curve
from trading.models import Bot, BotRun, EquityPoint, Fill
from trading.selectors.notation import ratio_of

POINTS = 500
MOST_POINTS = 5_000
MOST_READ = 200_000
"""Points of a curve that are read to be thinned: at one a minute, 138 days."""
MOST_RUNS = 100


def runs_of(bot: Bot) -> QuerySet[BotRun]:
    """A bot's runs, newest first, without their configurations."""
    return bot.runs.defer("config", "limits").select_related("books").order_by("-id")


def equity_curve(
    bot: Bot, *, points: int = POINTS, since: datetime | None = None, run_id: str = ""
) -> list[tuple[datetime, Decimal, Decimal]]:
    """(time, equity, cash), thinned by shape to about `points`, oldest first; of the newest `MOST_READ` on record."""
    rows = EquityPoint.objects.filter(bot=bot, **({"ts__gte": since} if since else {}), **({"run_id": run_id} if run_id else {}))
    known = list(rows.order_by("-ts").values_list("ts", "equity", "cash")[:MOST_READ])[::-1]
    if not known:
        return []
    kept = thin_curve(np.array([float(equity) for _, equity, _ in known]), points)
    return [known[index] for index in kept.tolist()]


def sales_summary(bot: Bot, *, run_id: str = "") -> dict[str, Any]:
    """Sums over the fills of a bot: ratios and counts of those that sold."""
    rows = Fill.objects.filter(bot=bot, **({"order__run__run_id": run_id} if run_id else {}))
    sums = rows.aggregate(
        fills=Count("pk"),
        sales=Count("pk", filter=Q(profit__isnull=False)),
        won=Count("pk", filter=Q(profit__gt=0)),
        realised=Sum("profit"),
        fees=Sum("fee"),
        unvalued=Count("pk", filter=Q(fee__isnull=True)),
        turnover=Sum("cost"),
    )
    return {
        "fills": sums["fills"],
        "sales": sums["sales"],
        "win_rate": ratio_of(Decimal(sums["won"]), Decimal(sums["sales"])),
        "realised": decimal_text(sums["realised"] or Decimal(0)),
        "fees": decimal_text(sums["fees"] or Decimal(0)),
        "fees_unvalued": sums["unvalued"],
        "turnover": decimal_text(sums["turnover"] or Decimal(0)),
    }


def bot_performance(bot: Bot, *, points: int = POINTS, since: datetime | None = None) -> dict[str, Any]:
    """The history of a bot's results, JSON-ready: three queries."""
    curve = equity_curve(bot, points=points, since=since)
    return {
        "bot": bot.bot_id,
        **sales_summary(bot),
        "runs": [run_json(run) for run in runs_of(bot)[:MOST_RUNS]],
        "equity": [{"ts": utc_text(ts), "equity": decimal_text(equity), "cash": decimal_text(cash)} for ts, equity, cash in curve],
    }


def run_json(run: BotRun) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "mode": run.mode,
        "started_at": utc_text(run.started_at),
        "ended_at": utc_text(run.ended_at),
        "end_reason": run.end_reason or None,
        "error": run.error or None,
        "left": run.left,
        "evaluations": run.evaluations,
        "evaluation_ms": run.evaluation_ms,
        "equity": decimal_text(run.equity),
        "progress": run.progress,
        "code_hash": run.code_hash or None,
        "books": run.books.wallet_id if run.books else None,
    }
