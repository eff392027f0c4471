"""Sweeps in the admin: looked at and stopped; started on their page, because ranges want a form that counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from backtests import tasks
from backtests.models import Sweep
from backtests.sweeps import services
from core.errors import DomainError
from core.generics import ModelAdmin


@admin.register(Sweep)
class SweepAdmin(ModelAdmin[Sweep]):
    list_display = ["label", "status", "strategy", "symbols", "interval", "trials", "best", "deflated", "created_at"]
    list_filter = ["status", "strategy", "method", "created_at"]
    list_select_related = ["created_by"]
    search_fields = ["sweep_id", "name", "symbols"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["cancel", "retry", "delete_sweeps"]
    fieldsets = [
        (None, {"fields": ["sweep_id", "name", "page", "status", "error", "error_code"]}),
        ("Result", {"fields": ["trials", "skipped", "best", "deflated", "verdict", "warnings"]}),
        ("Asked for", {"fields": ["strategy", "symbols", "interval", "method", "objective", "config_text", "seed", "created_by"]}),
        ("Reproduced by", {"fields": ["fingerprint", "code_hash", "candles_total", "days"]}),
        ("Work", {"fields": ["seconds", "created_at", "started_at", "heartbeat_at", "finished_at"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Sweep | None = None) -> list[str]:
        return [str(name) for _, part in self.fieldsets for name in part["fields"]]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Sweep | None = None) -> bool:
        # On the page of one sweep there is nothing to change; the list's actions need the permission.
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Sweep | None = None) -> bool:
        # By the action, which asks the service.
        return False

    @admin.display(description="sweep", ordering="id")
    def label(self, sweep: Sweep) -> str:
        return str(sweep)

    @admin.display(description="trials", ordering="trials_done")
    def trials(self, sweep: Sweep) -> str:
        return f"{sweep.trials_done:,} of {sweep.trials_total:,}"

    @admin.display(description="best")
    def best(self, sweep: Sweep) -> str:
        best = (sweep.summary or {}).get("best")
        value = best[sweep.objective] if best else None
        return "–" if best is None or value is None else f"{value:.4g} ({', '.join(f'{k} {v}' for k, v in best['params'].items())})"

    @admin.display(description="deflated Sharpe")
    def deflated(self, sweep: Sweep) -> str:
        value = (sweep.summary or {}).get("deflated_sharpe")
        return "–" if value is None else f"{value:.0%}"

    @admin.display(description="verdict")
    def verdict(self, sweep: Sweep) -> str:
        return str((sweep.summary or {}).get("verdict", "–"))

    @admin.display(description="warnings")
    def warnings(self, sweep: Sweep) -> str:
        notices = (sweep.summary or {}).get("warnings", [])
        return "\n".join(f"{notice['level']}: {notice['message']}" for notice in notices) or "none"

    @admin.display(description="configuration")
    def config_text(self, sweep: Sweep) -> str:
        return format_html("<pre>{}</pre>", json.dumps(sweep.config, indent=2))

    @admin.display(description="page")
    def page(self, sweep: Sweep) -> str:
        return format_html('<a href="{}">Heat map and trials</a>', reverse("backtests:sweep", args=[sweep.sweep_id]))

    @admin.action(description="Cancel: keep what was found", permissions=["change"])
    def cancel(self, request: HttpRequest, sweeps: QuerySet[Sweep]) -> None:
        self.each(request, sweeps, services.sweep_cancel, "cancelled")

    @admin.action(description="Retry: make the missing trials", permissions=["change"])
    def retry(self, request: HttpRequest, sweeps: QuerySet[Sweep]) -> None:
        self.each(request, sweeps, retry_sweep, "queued once more")

    @admin.action(description="Delete, with their trials", permissions=["change"])
    def delete_sweeps(self, request: HttpRequest, sweeps: QuerySet[Sweep]) -> None:
        self.each(request, sweeps, services.sweep_delete, "deleted")

    def each(self, request: HttpRequest, sweeps: QuerySet[Sweep], act: Callable[..., Any], done: str) -> None:
        """One sweep's refusal is told and does not stop the others."""
        count = 0
        for sweep in sweeps:
            try:
                act(sweep_id=sweep.sweep_id)
                count += 1
            except DomainError as error:
                self.message_user(request, f"{sweep}: {error}", messages.WARNING)
        if count:
            self.message_user(request, f"{count} {'sweep' if count == 1 else 'sweeps'} {done}.", messages.SUCCESS)


def retry_sweep(*, sweep_id: str) -> None:
    tasks.sweep_start(services.sweep_retry(sweep_id=sweep_id))
