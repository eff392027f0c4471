"""What happened: orders, fills, blocks, claims, events. Read only, newest first, found by our ids and the venue's."""

from __future__ import annotations

import json

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.models import Event
from market.admin import ReadOnly
from trading.models import BlockEvent, Fill, ForeignOrder, Order, RiskAllocation


class Record(ReadOnly):
    """Tables that grow: no count of all rows, and the bots' configurations are not read."""

    show_full_result_count = False
    list_per_page = 50
    ordering = ("-id",)


def chain_link(correlation_id: str) -> SafeString | str:
    url = reverse("trading:decision", args=[correlation_id]) if correlation_id else ""
    return format_html('<a href="{}">{}</a>', url, correlation_id) if url else "–"


@admin.register(Order)
class OrderAdmin(Record):
    list_display = (
        "client_order_id",
        "created_at",
        "bot",
        "mode",
        "symbol",
        "side",
        "type",
        "quantity",
        "filled_quantity",
        "status",
        "chain",
    )
    list_select_related = ("bot",)
    list_filter = ("status", "mode", "venue", "side", "type", "reason", "created_at")
    search_fields = ("=order_id", "=client_order_id", "=venue_order_id", "=correlation_id", "bot__name", "symbol")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        found: QuerySet[Order] = super().get_queryset(request)
        return found.defer("bot__config")

    @admin.display(description="chain")
    def chain(self, order: Order) -> SafeString:
        return format_html('<a href="{}">candle to profit</a>', reverse("trading:order", args=[order.order_id]))


@admin.register(Fill)
class FillAdmin(Record):
    list_display = ("trade_id", "ts", "bot", "symbol", "side", "quantity", "price", "fee_paid", "fee_asset", "profit", "chain")
    list_filter = ("venue", "side", "maker", "symbol", "created_at")
    list_select_related = ("bot", "order")
    search_fields = ("=trade_id", "=correlation_id", "=order__client_order_id", "=order__venue_order_id", "bot__name")

    @admin.display(description="chain")
    def chain(self, fill: Fill) -> SafeString:
        return format_html('<a href="{}">candle to profit</a>', reverse("trading:order", args=[fill.order.order_id]))


@admin.register(BlockEvent)
class BlockEventAdmin(Record):
    list_display = ("ts", "bot", "reason", "side", "symbol", "qty", "detail", "chain")
    list_select_related = ("bot",)
    list_filter = ("reason", "symbol", "ts")
    search_fields = ("=correlation_id", "=run_id", "bot__name", "symbol")

    @admin.display(description="chain")
    def chain(self, block: BlockEvent) -> SafeString | str:
        return chain_link(block.correlation_id)


@admin.register(RiskAllocation)
class RiskAllocationAdmin(Record):
    list_display = (
        "order",
        "bot",
        "run",
        "symbol",
        "currency",
        "amount",
        "open",
        "used",
        "released",
        "status",
        "created_at",
        "closed_at",
        "released_at",
    )
    list_filter = ("status", "currency")
    list_select_related = ("bot", "order", "run")
    search_fields = ("=order__client_order_id", "=run__run_id", "=trigger_id", "bot__name")


@admin.register(Event)
class EventAdmin(Record):
    list_display = ("id", "ts", "type", "source", "bot", "run_id", "chain")
    list_filter = ("type", "source", "ts")
    search_fields = ("=correlation_id", "=run_id", "=bot")
    readonly_fields = ("payload_text",)
    fieldsets = ((None, {"fields": ("id", "ts", "type", "source", "bot", "run_id", "correlation_id", "payload_text")}),)

    @admin.display(description="chain")
    def chain(self, event: Event) -> SafeString | str:
        return chain_link(event.correlation_id)

    @admin.display(description="payload")
    def payload_text(self, event: Event) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(event.payload, indent=2))


@admin.register(ForeignOrder)
class ForeignOrderAdmin(Record):
    """Decided on the page “Unresolved”, where it says what adopting does."""

    list_display = ("venue_order_id", "seen_at", "wallet", "symbol", "side", "quantity", "limit", "state", "adopted_by")
    list_filter = ("state", "venue", "symbol")
    list_select_related = ("wallet", "adopted_by")
    search_fields = ("=venue_order_id", "=client_order_id", "wallet__name")
