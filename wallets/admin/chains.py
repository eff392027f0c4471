"""Chains in the admin: nodes to ask, and what was read, for reading."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from core.generics import ModelAdmin, TabularInline
from market.admin import ReadOnly
from wallets import services
from wallets.forms import EndpointForm
from wallets.holdings import holding_text
from wallets.models import ChainEndpoint, ChainReading, ChainToken, ChainTransaction, ChainTransfer


@admin.register(ChainEndpoint)
class ChainEndpointAdmin(ModelAdmin[ChainEndpoint]):
    """An address goes in and never comes out: it may hold a key. Another address is another row."""

    list_display = ["host", "chain", "position", "enabled", "created_at"]
    list_filter = ["chain", "enabled"]
    list_editable = ["position", "enabled"]
    search_fields = ["host", "chain"]

    @method_decorator(sensitive_post_parameters("url"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: ChainEndpoint | None = None, change: bool = False, **kwargs: Any) -> Any:
        return EndpointForm if obj is None else super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: ChainEndpoint | None = None) -> Any:
        return ["chain", "url", "position", "enabled"] if obj is None else ["chain", "host", "position", "enabled", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: ChainEndpoint | None = None) -> Any:
        return [] if obj is None else ["chain", "host", "created_at"]

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        if change:
            return super().save_form(request, form, change)
        return services.endpoint_create(**form.cleaned_data, user=request.user)

    def save_model(self, request: HttpRequest, obj: ChainEndpoint, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Does nothing: a node has no related rows."""


class TransferInline(TabularInline[ChainTransfer, ChainTransaction]):
    model = ChainTransfer
    fields = readonly_fields = ("token", "exact")

    @admin.display(description="amount")
    def exact(self, transfer: ChainTransfer) -> str:
        return holding_text(transfer.units, transfer.token)


@admin.register(ChainTransaction)
class ChainTransactionAdmin(ReadOnly):
    list_display = ["id", "ts", "wallet", "block", "txid", "failed"]
    list_filter = ["wallet", "failed"]
    list_select_related = ["wallet"]
    search_fields = ["txid"]
    show_full_result_count = False
    inlines = [TransferInline]


@admin.register(ChainReading)
class ChainReadingAdmin(ReadOnly):
    list_display = ["id", "started_at", "wallet", "state", "block", "endpoint", "error"]
    list_filter = ["state", "wallet"]
    list_select_related = ["wallet"]
    show_full_result_count = False


@admin.register(ChainToken)
class ChainTokenAdmin(ReadOnly):
    """What a token is taken for is said on the page of a wallet that has some of it."""

    list_display = ["contract", "chain", "symbol", "name", "decimals", "asset", "decided_at", "decided_by"]
    list_filter = ["chain"]
    list_select_related = ["decided_by"]
    search_fields = ["contract", "symbol", "asset"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChainToken]:
        return super().get_queryset(request).exclude(contract="")
