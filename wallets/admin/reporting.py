"""The reporting currency in the admin: one row, which is changed and never taken away."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.generics import ModelAdmin
from wallets import selectors, services
from wallets.forms import ReportingForm
from wallets.models import Reporting


@admin.register(Reporting)
class ReportingAdmin(ModelAdmin[Reporting]):
    form = ReportingForm
    list_display = ["currency", "changed_by", "changed_at"]
    fields = ["currency", "changed_by", "changed_at"]
    readonly_fields = ["changed_by", "changed_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Reporting]:
        # So that there is a row to change, also on a desk where nobody ever chose.
        Reporting.objects.get_or_create(pk=1, defaults={"currency": selectors.reporting_currency()})
        return super().get_queryset(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Reporting, form: Any, change: bool) -> None:
        services.reporting_currency_set(currency=form.cleaned_data["currency"], user=request.user)
