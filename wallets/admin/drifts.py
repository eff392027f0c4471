"""Reconciliation in the admin: runs for reading, drifts with what can safely be done to many at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from core.errors import DomainError
from core.text import decimal_text
from market.admin import ReadOnly
from wallets.models import Drift, ReconciliationRun
from wallets.services.drifts import drift_resolve

WEEK = timedelta(days=7)


@admin.register(ReconciliationRun)
class ReconciliationRunAdmin(ReadOnly):
    list_display = ["run_id", "wallet", "started_at", "trigger", "state", "drifts", "clean_until", "error"]
    list_filter = ["state", "trigger", "wallet"]
    list_select_related = ["wallet"]
    search_fields = ["run_id"]
    show_full_result_count = False


@admin.register(Drift)
class DriftAdmin(ReadOnly):
    list_display = [
        "id",
        "wallet",
        "asset",
        "more_there",
        "cause",
        "about",
        "state",
        "holds",
        "first_seen",
        "times_seen",
        "ended_by",
    ]
    list_filter = ["state", "cause", "about", "holds", "wallet", "asset"]
    list_select_related = ["wallet", "ended_by"]
    search_fields = ["name", "asset", "reason"]
    show_full_result_count = False
    actions = ["ignore_week", "adopt_rounding"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Drift]:
        return super().get_queryset(request).select_related("wallet", "ended_by", "run")

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("wallets.change_drift")

    @admin.display(description="more at the venue")
    def more_there(self, drift: Drift) -> str:
        return decimal_text(drift.difference)

    @admin.action(description="Ignore for a week: looked at, and left for later", permissions=["resolve"])
    def ignore_week(self, request: HttpRequest, drifts: QuerySet[Drift]) -> None:
        until = (timezone.now() + WEEK).isoformat()
        self.each(request, drifts, {"action": "ignore", "reason": "Left for later, in the admin.", "until": until})

    @admin.action(description="Adopt what is rounding only", permissions=["resolve"])
    def adopt_rounding(self, request: HttpRequest, drifts: QuerySet[Drift]) -> None:
        """Other drifts that were picked stay: each of them wants a decision of its own."""
        self.each(request, drifts.filter(cause=Drift.Cause.ROUNDING), {"action": "adopt"})

    def each(self, request: HttpRequest, drifts: QuerySet[Drift], decision: dict[str, Any]) -> None:
        """One that refuses is reported and does not stop the others."""
        for drift in drifts:
            try:
                drift_resolve(drift_id=drift.pk, decision=decision, user=request.user)
                self.message_user(request, f"{drift}: done.", messages.SUCCESS)
            except DomainError as error:
                self.message_user(request, f"{drift}: {error}", messages.WARNING)
