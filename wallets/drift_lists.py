"""Queries about reconciliation: its runs, what they found, and how wallets stand by it. Constant numbers of queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Avg, Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Abs, TruncDay
from django.utils import timezone

from core.text import decimal_text, utc_text
from wallets.models import Drift, ReconciliationRun, Wallet

STANDING = (Drift.State.OPEN, Drift.State.IGNORED)
TREND_DAYS = 30
Run = ReconciliationRun


@dataclass(frozen=True, slots=True)
class DriftState:
    """How a wallet stands: `state` is that of its last run, or `never`; `drift` while one is open. `value` of the open ones, in its
    currency."""

    state: str = "never"
    open: int = 0
    value: Decimal = Decimal(0)
    holds: bool = False
    reconciled_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "open": self.open,
            "value": decimal_text(self.value),
            "holds": self.holds,
            "reconciled_at": utc_text(self.reconciled_at),
        }


def drift_states(wallets: Iterable[Wallet]) -> dict[int, DriftState]:
    """By primary key, in two queries for any number."""
    keys = [one.pk for one in wallets]
    rows = Drift.objects.filter(wallet__in=keys, state=Drift.State.OPEN).order_by().values("wallet")
    found = rows.annotate(count=Count("id"), worth=Sum(Abs("value")), holding=Count("id", filter=Q(holds=True)))
    standing: dict[int, Any] = {int(row["wallet"]): row for row in found}
    newest = Run.objects.filter(wallet=OuterRef("pk"), ended_at__isnull=False).order_by("-id").values("pk")[:1]
    last = Run.objects.filter(pk__in=Wallet.objects.filter(pk__in=keys).annotate(run=Subquery(newest)).values("run"))
    runs = {run.wallet_id: run for run in last}
    return {key: make_state(runs.get(key), standing.get(key)) for key in keys}


def make_state(run: ReconciliationRun | None, standing: dict[str, Any] | None) -> DriftState:
    said, at = (str(run.state), run.ended_at) if run else ("never", None)
    if standing is None:
        return DriftState(Run.State.CLEAN if said == Run.State.DRIFT else said, reconciled_at=at)
    return DriftState("drift", standing["count"], standing["worth"] or Decimal(0), bool(standing["holding"]), at)


def runs_list(*, wallet: str = "", state: str = "") -> QuerySet[ReconciliationRun]:
    """Newest first; page it by `-id`. `wallet`: its wallet_id."""
    asked = {"wallet__wallet_id": wallet, "state": state}
    return Run.objects.select_related("wallet").filter(**{name: value for name, value in asked.items() if value}).order_by("-id")


def drifts_list(*, wallet: str = "", state: str = "") -> QuerySet[Drift]:
    """Newest first; page it by `-id`."""
    asked = {"wallet__wallet_id": wallet, "state": state}
    rows = Drift.objects.select_related("wallet", "ended_by", "run")
    return rows.filter(**{name: value for name, value in asked.items() if value}).order_by("-id")


def drift_amounts() -> list[tuple[str, str, Decimal]]:
    """Of each balance that differs: the wallet's id, the asset, what the venue has more. A drift that is ignored differs too."""
    rows = Drift.objects.filter(about=Drift.About.BALANCE, state__in=STANDING).select_related("wallet")
    return [(one.wallet.wallet_id, one.asset, one.difference) for one in rows]


def holding_reasons() -> dict[int, str]:
    """Why the bots of wallets make no entries, by the wallet's primary key."""
    found: dict[int, str] = {}
    for drift in Drift.objects.filter(state=Drift.State.OPEN, holds=True).order_by("id"):
        told = f"{decimal_text(drift.difference)} {drift.asset} at the venue are not in the books ({drift.get_cause_display()})."
        found.setdefault(drift.wallet_id, f"{told} No entries until that is resolved: see Reconciliation.")
    return found


def time_to_resolve(wallet: str = "") -> timedelta | None:
    """On average, of what people resolved in the last days; None where there was nothing."""
    since = timezone.now() - timedelta(days=TREND_DAYS)
    rows = drifts_list(wallet=wallet, state=Drift.State.RESOLVED).filter(ended_at__gte=since).order_by()
    found: timedelta | None = rows.aggregate(time=Avg(F("ended_at") - F("first_seen")))["time"]
    return found


def drift_trend(wallet: str = "") -> list[dict[str, Any]]:
    """Day by day, the last of them today: how many drifts were first seen, and how many ended."""
    since = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=TREND_DAYS - 1)
    seen, ended = (count_days(wallet, name, since) for name in ("first_seen", "ended_at"))
    days = [since + timedelta(days=number) for number in range(TREND_DAYS)]
    return [{"day": day.date(), "seen": seen.get(day, 0), "ended": ended.get(day, 0)} for day in days]


def count_days(wallet: str, column: str, since: datetime) -> dict[datetime, int]:
    rows = drifts_list(wallet=wallet).filter(**{f"{column}__gte": since}).order_by().values(day=TruncDay(column))
    return {row["day"]: row["count"] for row in rows.annotate(count=Count("id"))}


def run_report(run: ReconciliationRun) -> dict[str, Any]:
    """One run, JSON-ready."""
    return {
        "run_id": run.run_id,
        "wallet": run.wallet.wallet_id,
        "trigger": str(run.trigger),
        "state": str(run.state),
        "started_at": utc_text(run.started_at),
        "ended_at": utc_text(run.ended_at),
        "clean_until": utc_text(run.clean_until),
        "drifts": run.drifts,
        "value": decimal_text(run.value),
        "not_asked": list(run.not_asked),
        "error": run.error,
    }


def drift_report(drift: Drift) -> dict[str, Any]:
    """One drift, JSON-ready, without its evidence."""
    return {
        "id": drift.pk,
        "wallet": drift.wallet.wallet_id,
        "about": str(drift.about),
        "asset": drift.asset,
        "name": drift.name,
        "ours": decimal_text(drift.ours),
        "theirs": decimal_text(drift.theirs),
        "difference": decimal_text(drift.difference),
        "value": decimal_text(drift.value),
        "cause": str(drift.cause),
        "state": str(drift.state),
        "holds": drift.holds,
    }


def drift_story(drift: Drift) -> dict[str, Any]:
    """The same with its evidence, how often it was seen, and how it ended."""
    return drift_report(drift) | {
        "evidence": [part_report(part) for part in drift.evidence],
        "first_seen": utc_text(drift.first_seen),
        "last_seen": utc_text(drift.last_seen),
        "times_seen": drift.times_seen,
        "action": str(drift.act),
        "reason": drift.reason,
        "until": utc_text(drift.until),
        "by": drift.ended_by.get_username() if drift.ended_by else "",
        "ended_at": utc_text(drift.ended_at),
    }


def part_report(part: dict[str, Any]) -> dict[str, Any]:
    rows = [{"id": row["key"], "amount": row["amount"], "books": row["books"]} for row in part["rows"]]
    return {"cause": part["cause"], "amount": part["amount"], "rows": rows}
