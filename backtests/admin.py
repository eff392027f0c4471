"""Backtests in the admin: looked at, started, stopped; never edited, because a run is a record."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from access.people import Person
from backtests import services, tasks
from backtests.job_admin import apply_to_jobs
from backtests.jobs import RUNS
from backtests.models import BacktestRun
from backtests.sweeps.admin import SweepAdmin
from core.errors import Invalid
from core.generics import ModelAdmin, ModelForm
from engine.strategies import registry

__all__ = ["BacktestRunAdmin", "SweepAdmin"]
EXAMPLE = {"params": {"fast": 10, "slow": 50}, "symbols": ["BTC-USD"], "interval": "1m", "cash": "10000", "fee_bps": 10}


class RunAdminForm(ModelForm[BacktestRun]):
    """A new run: the strategy from a list, the rest as the configuration that the API takes. Checked by the same reader."""

    strategy = forms.ChoiceField(choices=lambda: [(kind.name, kind.title) for kind in registry.list_strategies()])
    config = forms.JSONField(
        initial=EXAMPLE,
        widget=forms.Textarea(attrs={"rows": 16, "cols": 80, "spellcheck": "false"}),
        help_text="As for POST /api/v1/backtests. The strategy above takes the place of one named here.",
    )

    class Meta:
        model = BacktestRun
        fields = ["name", "strategy", "config"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if isinstance(cleaned.get("config"), dict) and "strategy" in cleaned:
            cleaned["config"] = {**cleaned["config"], "strategy": cleaned["strategy"]}
            self.check(cleaned["config"], cleaned.get("name", ""))
        elif "config" in cleaned:
            self.add_error("config", "Write an object of names and values.")
        return cleaned

    def check(self, config: dict[str, Any], name: str) -> None:
        try:
            services.run_check(config=config, name=name)
        except Invalid as error:
            for field, texts in error.fields.items():
                for text in texts:
                    self.add_error(field if field in {"name", "strategy"} else "config", f"{field}: {text}")

    def _post_clean(self) -> None:
        """The model's own checks are for rows; the service makes the row."""


@admin.register(BacktestRun)
class BacktestRunAdmin(ModelAdmin[BacktestRun]):
    list_display = ["label", "status", "strategy", "symbols", "interval", "return_", "sharpe_", "drawdown", "trades", "created_at"]
    list_filter = ["status", "strategy", "interval", "created_at"]
    list_select_related = ["created_by"]
    search_fields = ["run_id", "name", "symbols"]
    list_per_page = 50
    show_full_result_count = False
    actions = ["run_again", "cancel", "retry", "delete_runs"]
    readonly_fields = ["page", "config_text", "warnings"]
    fieldsets = [
        (None, {"fields": ["run_id", "name", "page", "status", "error", "error_code", "notes"]}),
        ("Result", {"fields": ["total_return", "sharpe", "max_drawdown", "trades", "warnings", "results_digest"]}),
        ("Asked for", {"fields": ["strategy", "symbols", "interval", "config_text", "seed", "cloned_from", "created_by"]}),
        ("Reproduced by", {"fields": ["fingerprint", "code_hash", "artifact", "candles_folder"]}),
        ("Work", {"fields": ["candles_processed", "candles_total", "seconds", "attempt", "worker", "cancel_requested"]}),
        ("Times", {"fields": ["created_at", "started_at", "heartbeat_at", "finished_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BacktestRun]:
        # A list of a hundred runs need not read a hundred results.
        rows = super().get_queryset(request)
        resolved = request.resolver_match
        return rows.defer("results") if resolved and resolved.url_name == "backtests_backtestrun_changelist" else rows

    def get_form(self, request: HttpRequest, obj: BacktestRun | None = None, change: bool = False, **kwargs: Any) -> Any:
        return RunAdminForm if obj is None else super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: BacktestRun | None = None) -> Any:
        return [(None, {"fields": ["name", "strategy", "config"]})] if obj is None else self.fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: BacktestRun | None = None) -> Any:
        if obj is None:
            return []
        return [*self.readonly_fields, *(field.name for field in BacktestRun._meta.fields)]

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> BacktestRun:
        given = form.cleaned_data
        return services.run_create(config=given["config"], name=given["name"], user=request.user)

    def save_model(self, request: HttpRequest, obj: BacktestRun, form: Any, change: bool) -> None:
        tasks.run_start(obj)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A run has none."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return [{"added": {}}]

    def has_change_permission(self, request: HttpRequest, obj: BacktestRun | None = None) -> bool:
        # On the page of one run there is nothing to change; the list's actions need the permission.
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: BacktestRun | None = None) -> bool:
        return False  # Django's own deletes rows only; `delete_runs` deletes the files with them

    @admin.display(description="run", ordering="name")
    def label(self, run: BacktestRun) -> str:
        return run.name or run.run_id

    @admin.display(description="return", ordering="total_return")
    def return_(self, run: BacktestRun) -> str:
        return "–" if run.total_return is None else f"{run.total_return:+.2%}"

    @admin.display(description="Sharpe", ordering="sharpe")
    def sharpe_(self, run: BacktestRun) -> str:
        return "–" if run.sharpe is None else f"{run.sharpe:.2f}"

    @admin.display(description="drawdown", ordering="max_drawdown")
    def drawdown(self, run: BacktestRun) -> str:
        return "–" if run.max_drawdown is None else f"{run.max_drawdown:.2%}"

    @admin.display(description="configuration")
    def config_text(self, run: BacktestRun) -> str:
        return format_html("<pre>{}</pre>", json.dumps(run.config, indent=2))

    @admin.display(description="warnings")
    def warnings(self, run: BacktestRun) -> str:
        notices = (run.results or {}).get("honesty", {}).get("warnings", [])
        return "\n".join(f"{notice['level']}: {notice['message']}" for notice in notices) or "none"

    @admin.display(description="page")
    def page(self, run: BacktestRun) -> str:
        try:
            return format_html('<a href="{}">{}</a>', reverse("backtests:detail", args=[run.run_id]), run)
        except NoReverseMatch:
            return str(run)

    @admin.action(description="Run again", permissions=["add"])
    def run_again(self, request: HttpRequest, runs: QuerySet[BacktestRun]) -> None:
        apply_to_jobs(self, request, RUNS, runs, start_again, "started again")

    @admin.action(description="Cancel", permissions=["change"])
    def cancel(self, request: HttpRequest, runs: QuerySet[BacktestRun]) -> None:
        apply_to_jobs(self, request, RUNS, runs, RUNS.cancel_job, "cancelled")

    @admin.action(description="Retry: run failed or cancelled ones once more", permissions=["change"])
    def retry(self, request: HttpRequest, runs: QuerySet[BacktestRun]) -> None:
        apply_to_jobs(self, request, RUNS, runs, RUNS.retry_job, "queued once more")

    @admin.action(description="Delete, with their files", permissions=["change"])
    def delete_runs(self, request: HttpRequest, runs: QuerySet[BacktestRun]) -> None:
        apply_to_jobs(self, request, RUNS, runs, RUNS.delete_job, "deleted")


def start_again(run_id: str, user: Person) -> None:
    tasks.run_start(services.run_rerun(run_id=run_id, user=user))
