"""Bots, their runs and what they hold. A bot is made and changed by its form on the desk, where every field is explained."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from market.admin import ReadOnly
from trading import selectors
from trading.admin.actions import apply_to_each
from trading.models import Bot, BotRun, EquityPoint, Position, PositionSnapshot
from trading.selectors import BotStatus
from trading.services import bots


@admin.register(Bot)
class BotAdmin(ReadOnly):
    list_display = ("name", "status", "mode", "strategy", "symbols", "interval", "wallet", "wanted", "created_at")
    list_filter = ("mode", "wanted", "strategy", "venue", "interval", ("archived_at", admin.EmptyFieldListFilter))
    list_select_related = ("wallet__account", "run")
    search_fields = ("bot_id", "name", "symbols", "strategy")
    list_per_page = 50
    show_full_result_count = False
    actions = ("pause", "stop")
    readonly_fields = ("page", "config_text", "limits_text")
    fieldsets = (
        (None, {"fields": ("name", "bot_id", "page", "mode", "wanted", "run", "wallet", "live_allowed")}),
        ("Decides", {"fields": ("strategy", "venue", "symbols", "interval", "schedule", "replay", "config_text", "limits_text")}),
        ("Made", {"fields": ("from_backtest", "created_by", "created_at", "updated_at", "archived_at")}),
    )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The computed status of the page's bots, all at once."""
        listed = super().get_changelist_instance(request)
        for row in selectors.bot_rows(listed.result_list):
            vars(row.bot)["computed"] = row.status  # for the column
        return listed

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # On the page of one bot there is nothing to change; the list's actions need the permission.
        return obj is None and admin.ModelAdmin.has_change_permission(self, request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return admin.ModelAdmin.has_add_permission(self, request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return redirect("trading:bot_new")

    @admin.display(description="status")
    def status(self, bot: Bot) -> SafeString:
        computed: BotStatus = vars(bot)["computed"]
        return format_html('<span title="{}">{}</span>', computed.why, computed.word)

    @admin.display(description="page")
    def page(self, bot: Bot) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("trading:bot", args=[bot.bot_id]), bot.name)

    @admin.display(description="configuration")
    def config_text(self, bot: Bot) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(bot.config, indent=2))

    @admin.display(description="limits")
    def limits_text(self, bot: Bot) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(bot.limits, indent=2))

    @admin.action(description="Pause: no new entries, exits go on", permissions=["change"])
    def pause(self, request: HttpRequest, rows: QuerySet[Bot]) -> None:
        apply_to_each(self, request, rows, lambda bot: bots.bot_pause(bot_id=bot.bot_id, user=request.user), "paused")

    @admin.action(description="Stop: cancels open orders, keeps positions", permissions=["change"])
    def stop(self, request: HttpRequest, rows: QuerySet[Bot]) -> None:
        apply_to_each(self, request, rows, lambda bot: bots.bot_stop(bot_id=bot.bot_id, user=request.user), "stopped")


@admin.register(BotRun)
class BotRunAdmin(ReadOnly):
    list_display = ("run_id", "bot", "mode", "started_at", "ended_at", "end_reason", "evaluations", "equity")
    list_filter = ("mode", "end_reason", "started_at")
    list_select_related = ("bot",)
    search_fields = ("run_id", "bot__name", "bot__bot_id", "error")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[BotRun]:
        found: QuerySet[BotRun] = super().get_queryset(request)
        return found if request.resolver_match and "object_id" in request.resolver_match.kwargs else found.defer("config", "limits")


@admin.register(Position)
class PositionAdmin(ReadOnly):
    list_display = ("symbol", "bot", "wallet", "quantity", "cost", "realised", "fees", "opened_at")
    list_filter = ("venue", "symbol", "bot__mode")
    list_select_related = ("bot", "wallet")
    search_fields = ("symbol", "bot__name", "bot__bot_id")
    show_full_result_count = False


@admin.register(PositionSnapshot)
class PositionSnapshotAdmin(ReadOnly):
    list_display = ("ts", "bot", "run_id", "symbol", "quantity", "average_entry", "price", "value", "unrealised")
    list_filter = ("symbol",)
    list_select_related = ("bot",)
    search_fields = ("bot__name", "bot__bot_id", "=run_id")
    show_full_result_count = False
    ordering = ("-id",)


@admin.register(EquityPoint)
class EquityPointAdmin(ReadOnly):
    list_display = ("ts", "bot", "run_id", "equity", "cash")
    list_select_related = ("bot",)
    search_fields = ("bot__name", "bot__bot_id", "run_id")
    show_full_result_count = False
    ordering = ("-id",)
