"""Accounts in the admin: secrets go in and never out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from core.generics import ModelAdmin
from wallets import selectors, services
from wallets.connection import account_test
from wallets.forms import AccountForm
from wallets.models import ExchangeAccount

MOST_TESTED = 5
"""Accounts tested in one request: each may take some seconds."""


@admin.register(ExchangeAccount)
class ExchangeAccountAdmin(ModelAdmin[ExchangeAccount]):
    form = AccountForm
    list_display = ["name", "venue", "environment", "shown_key", "may", "refused_reason", "checked_at"]
    list_filter = ["venue", "environment"]
    search_fields = ["name"]
    actions = ["test_connection"]
    readonly_fields = ["shown_key", "key_held", "may", "refused_reason", "checked_at", "created_at", "created_by"]
    fieldsets = [
        (None, {"fields": ["name", "venue", "environment"]}),
        ("Key", {"fields": ["shown_key", "key_held", "new_api_key", "new_secret"]}),
        ("What the venue says of it", {"fields": ["may", "refused_reason", "checked_at"]}),
        ("Addresses", {"fields": ["rest", "ws", "ws_api", "ws_user"], "description": "Empty: the venue’s own."}),
        ("Record", {"fields": ["created_at", "created_by"]}),
    ]
    new_fieldsets = [fieldsets[0], ("Key", {"fields": ["new_api_key", "new_secret"]}), fieldsets[3]]

    @method_decorator(sensitive_post_parameters("new_api_key", "new_secret"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        return [path("<int:pk>/test/", test, name="wallets_exchangeaccount_test"), *super().get_urls()]

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        account = get_object_or_404(ExchangeAccount, pk=pk)
        if not self.has_change_permission(request, account):
            raise PermissionDenied
        self.test_connection(request, ExchangeAccount.objects.filter(pk=pk))
        return redirect("admin:wallets_exchangeaccount_change", pk)

    @admin.action(description="Test the connection: ask the venue now", permissions=["change"])
    def test_connection(self, request: HttpRequest, accounts: QuerySet[ExchangeAccount]) -> None:
        for account in accounts[:MOST_TESTED]:
            outcome = account_test(account=account, user=request.user)
            self.message_user(request, str(outcome), messages.SUCCESS if outcome.works else messages.ERROR)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExchangeAccount]:
        return super().get_queryset(request).select_related("created_by")

    def get_readonly_fields(self, request: HttpRequest, obj: ExchangeAccount | None = None) -> list[str]:
        # Another venue or environment is another account, with another key.
        return [*self.readonly_fields, "venue", "environment"] if obj else list(self.readonly_fields)

    def get_fieldsets(self, request: HttpRequest, obj: ExchangeAccount | None = None) -> Any:
        return self.fieldsets if obj else self.new_fieldsets

    def save_form(self, request: HttpRequest, form: AccountForm, change: bool) -> ExchangeAccount:
        given = form.cleaned_data
        addresses = {field: given[field] for field in services.ADDRESSES}
        keys = {"api_key": given["new_api_key"], "secret": given["new_secret"]}
        if not change:
            named = {field: given[field] for field in ("name", "venue", "environment")}
            return services.account_create(**named, **keys, **addresses, user=request.user)
        account: ExchangeAccount = form.instance
        services.account_update(account=account, name=given["name"], secret=keys["secret"], user=request.user, **addresses)
        if keys["secret"]:
            services.account_secret_set(account=account, **keys, user=request.user)
        return account

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Does nothing: the service has saved it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Does nothing: an account has no related rows."""

    @admin.display(description="API key")
    def shown_key(self, account: ExchangeAccount) -> str:
        return account.masked_key or "–"

    @admin.display(description="secret")
    def key_held(self, account: ExchangeAccount) -> str:
        return "held, sealed; it cannot be shown" if account.has_secret else "none yet"

    @admin.display(description="may")
    def may(self, account: ExchangeAccount) -> str:
        return selectors.permission_words(account)
