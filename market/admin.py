"""Market data in the admin. What imports made can be looked at and deleted, but not edited: candles change by importing."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.admin_numbers import ExactNumbers
from core.generics import ModelAdmin
from core.text import decimal_text
from market import services
from market.models import CandleChunk, CandleGap, CandleImport, CandleSeries, FeedIncident, Instrument, VenueStream

SHOWN = 10


class ReadOnly(ExactNumbers, ModelAdmin[Any]):
    """Rows that only the desk writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Instrument)
class InstrumentAdmin(ModelAdmin[Instrument]):
    list_display = ("symbol", "venue", "venue_symbol", "tick", "lot", "least", "series_held")
    list_filter = ("venue", "quote")
    search_fields = ("symbol", "venue_symbol", "base", "quote")
    fieldsets = (
        (None, {"fields": ("venue", "symbol", "venue_symbol", "base", "quote")}),
        (
            "Rules of the venue",
            {
                "fields": ("tick_size", "lot_size", "min_notional", "takes_stops", "limits"),
                "description": "Empty: no rule is known. The other limits are read from the venue's own list.",
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Instrument]:
        return super().get_queryset(request).prefetch_related("series")

    def get_readonly_fields(self, request: HttpRequest, obj: Instrument | None = None) -> tuple[str, ...]:
        # Series, files and runs refer to these. Another symbol is another instrument.
        return ("venue", "symbol", "base", "quote", "limits") if obj else ("limits",)

    @admin.display(description="Tick", ordering="tick_size")
    def tick(self, instrument: Instrument) -> str | None:
        return decimal_text(instrument.tick_size)

    @admin.display(description="Lot", ordering="lot_size")
    def lot(self, instrument: Instrument) -> str | None:
        return decimal_text(instrument.lot_size)

    @admin.display(description="Min. notional", ordering="min_notional")
    def least(self, instrument: Instrument) -> str | None:
        return decimal_text(instrument.min_notional)

    @admin.display(description="Candles")
    def series_held(self, instrument: Instrument) -> str:
        return ", ".join(f"{series.interval}: {series.count:,}" for series in instrument.series.all())


class WithGaps(admin.SimpleListFilter):
    title = "gaps"
    parameter_name = "gaps"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "With gaps"), ("no", "Complete")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[CandleSeries]) -> QuerySet[CandleSeries]:
        if self.value() is None:
            return queryset
        return queryset.filter(missing__gt=0) if self.value() == "yes" else queryset.filter(missing=0)


@admin.register(CandleSeries)
class CandleSeriesAdmin(ReadOnly):
    list_display = ("instrument", "interval", "first", "last", "candles", "missing", "size", "updated_at")
    list_filter = ("interval", "instrument__venue", WithGaps)
    search_fields = ("instrument__symbol", "instrument__venue", "fingerprint")
    list_select_related = ("instrument",)
    date_hierarchy = "updated_at"

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        # Chunks and gaps are deleted with their series. Listing each of them for confirmation would take minutes.
        return [str(series) for series in objs], {"candle series": len(objs)}, set(), []

    def delete_model(self, request: HttpRequest, obj: CandleSeries) -> None:
        services.series_delete(series_id=obj.pk, user=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[CandleSeries]) -> None:
        for series_id in queryset.values_list("pk", flat=True):
            services.series_delete(series_id=series_id, user=request.user)

    @admin.display(description="Candles", ordering="count")
    def candles(self, series: CandleSeries) -> str:
        return f"{series.count:,}"

    @admin.display(description="On disk", ordering="bytes")
    def size(self, series: CandleSeries) -> str:
        return f"{series.bytes / 1e6:,.1f} MB"


@admin.register(CandleChunk)
class CandleChunkAdmin(ReadOnly):
    list_display = ("file", "series", "first", "last", "count", "bytes")
    list_filter = ("series__interval", "series__instrument__venue")
    search_fields = ("file", "fingerprint", "series__instrument__symbol")
    list_select_related = ("series__instrument",)


@admin.register(CandleGap)
class CandleGapAdmin(ReadOnly):
    list_display = ("series", "first", "last", "missing")
    list_filter = ("series__interval", "series__instrument__venue")
    search_fields = ("series__instrument__symbol",)
    list_select_related = ("series__instrument",)
    show_full_result_count = False


@admin.register(CandleImport)
class CandleImportAdmin(ReadOnly):
    list_display = ("id", "created_at", "symbol", "interval", "venue", "status", "rows", "added", "problem_count", "filename")
    list_display_links = ("id", "created_at")
    list_filter = ("status", "venue", "interval", "format")
    search_fields = ("symbol", "venue", "filename", "fingerprint", "message")
    list_select_related = ("created_by", "series__instrument")
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("status", "message", "filename", "format", "created_by", "created_at", "seconds")}),
        ("Candles", {"fields": ("series", "venue", "symbol", "interval", "first", "last", "fingerprint")}),
        ("Rows", {"fields": ("rows", "added", "replaced", "duplicates", "out_of_order", "problem_count", "faults")}),
    )
    readonly_fields = ("faults",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CandleImport]:
        found: QuerySet[CandleImport] = super().get_queryset(request)
        return found if request.resolver_match and "object_id" in request.resolver_match.kwargs else found.defer("problems")

    @admin.display(description="Faults")
    def faults(self, done: CandleImport) -> SafeString | str:
        """The report as a table, in the order of the rows."""
        if not done.problems:
            return "None."
        rows = ((item["row"], item["field"], item["message"]) for item in done.problems)
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", rows)
        more = done.problem_count - len(done.problems)
        note = format_html("<p>and {} more</p>", f"{more:,}") if more > 0 else ""
        head = "<thead><tr><th>Row</th><th>Field</th><th>What is wrong</th></tr></thead>"
        return format_html("<table>" + head + "<tbody>{}</tbody></table>{}", body, note)


@admin.register(VenueStream)
class VenueStreamAdmin(ReadOnly):
    list_display = (
        "venue",
        "environment",
        "wanted",
        "state",
        "last_message_at",
        "messages_per_second",
        "reconnects",
        "gaps",
        "unread",
        "holder",
    )
    list_filter = ("venue", "environment", "state", "wanted")
    actions = ("start", "stop")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # On the page of one stream there is nothing to change; the list's actions need the permission.
        return obj is None and admin.ModelAdmin.has_change_permission(self, request)

    @admin.display(description="Products we cannot read")
    def unread(self, stream: VenueStream) -> str:
        names = stream.unread_products
        return f"{len(names)}: {', '.join(names[:SHOWN])}{' and others' if len(names) > SHOWN else ''}" if names else "none"

    @admin.action(description="Start: prices come again", permissions=["change"])
    def start(self, request: HttpRequest, rows: QuerySet[VenueStream]) -> None:
        self.switch(request, rows, wanted=True)

    @admin.action(description="Stop: its bots decide nothing", permissions=["change"])
    def stop(self, request: HttpRequest, rows: QuerySet[VenueStream]) -> None:
        self.switch(request, rows, wanted=False)

    def switch(self, request: HttpRequest, rows: QuerySet[VenueStream], *, wanted: bool) -> None:
        count = 0
        for stream in rows:
            services.stream_switch(venue=stream.venue, environment=stream.environment, wanted=wanted, user=request.user)
            count += 1
        self.message_user(request, f"{count} {'started' if wanted else 'stopped'}.", messages.SUCCESS)


@admin.register(FeedIncident)
class FeedIncidentAdmin(ReadOnly):
    list_display = ("began_at", "ended_at", "stream", "kind", "symbol", "detail")
    list_filter = ("kind", "stream__venue", "began_at")
    list_select_related = ("stream",)
    search_fields = ("symbol", "detail")
    show_full_result_count = False
