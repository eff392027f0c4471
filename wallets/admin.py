"""Accounts, wallets and the ledger in the admin: secrets go in and never out, the ledger is for reading."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from core.errors import DomainError
from core.generics import ModelAdmin, TabularInline
from core.text import decimal_text
from market.admin import ReadOnly
from wallets import selectors, services
from wallets.connection import account_test
from wallets.forms import AccountForm, WalletForm
from wallets.models import ExchangeAccount, LedgerEntry, LedgerTransaction, Wallet, WalletBalance

SHOWN = 10
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


class BalanceInline(TabularInline[WalletBalance, Wallet]):
    model = WalletBalance
    fields = readonly_fields = ("asset", "exact")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="amount")
    def exact(self, balance: WalletBalance) -> str:
        amount: Decimal = balance.amount
        return decimal_text(amount)


@admin.register(Wallet)
class WalletAdmin(ModelAdmin[Wallet]):
    list_display = ["name", "kind", "venue", "account", "balance_list", "archived", "created_at"]
    list_filter = ["archived", "kind", "venue"]
    list_select_related = ["account"]
    search_fields = ["name", "wallet_id"]
    actions = ["archive", "bring_back"]
    fields = [
        "name",
        "panel",
        "wallet_id",
        "kind",
        "venue",
        "account",
        "quote",
        "fees",
        "archived",
        "created_at",
        "created_by",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Wallet]:
        return super().get_queryset(request).select_related("account", "created_by").prefetch_related("balances")

    def get_form(self, request: HttpRequest, obj: Wallet | None = None, change: bool = False, **kwargs: Any) -> Any:
        return WalletForm if obj is None else super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Wallet | None = None) -> Any:
        return [*WalletForm.Meta.fields, "opening"] if obj is None else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Wallet | None = None) -> Any:
        # What was booked was booked under these; another venue or fee is another wallet.
        return [] if obj is None else [field for field in self.fields if field != "name"]

    def get_inlines(self, request: HttpRequest, obj: Wallet | None) -> Any:
        return [BalanceInline] if obj else []

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        return (
            super().save_form(request, form, change) if change else services.wallet_create(**form.cleaned_data, user=request.user)
        )

    def save_model(self, request: HttpRequest, obj: Wallet, form: Any, change: bool) -> None:
        if change:
            services.wallet_rename(wallet=obj, name=obj.name, user=request.user)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if change:
            super().save_related(request, form, formsets, change)

    @admin.display(description="balances")
    def balance_list(self, wallet: Wallet) -> str:
        return ", ".join(str(balance) for balance in wallet.balances.all()) or "none"

    @admin.display(description="fees, maker and taker")
    def fees(self, wallet: Wallet) -> str:
        if wallet.maker is None or wallet.taker is None:
            return "not read from the account yet"
        return f"{decimal_text(wallet.maker * 100)} % and {decimal_text(wallet.taker * 100)} %"

    @admin.display(description="state")
    def panel(self, wallet: Wallet) -> str:
        newest = list(selectors.wallet_transactions(wallet=wallet)[:SHOWN])
        context = {"wallet": wallet, "differences": selectors.balance_check(wallet=wallet), "newest": newest}
        return render_to_string("wallets/_panel.html", context)

    @admin.action(description="Archive: out of sight, ledger and all", permissions=["change"])
    def archive(self, request: HttpRequest, wallets: QuerySet[Wallet]) -> None:
        self.each(request, wallets, archived=True)

    @admin.action(description="Bring back from the archive", permissions=["change"])
    def bring_back(self, request: HttpRequest, wallets: QuerySet[Wallet]) -> None:
        self.each(request, wallets, archived=False)

    def each(self, request: HttpRequest, wallets: QuerySet[Wallet], *, archived: bool) -> None:
        """A wallet that refuses is reported and does not stop the others."""
        for wallet in wallets:
            try:
                services.wallet_archive(wallet=wallet, archived=archived, user=request.user)
                self.message_user(request, f"{wallet} is {'archived' if archived else 'back'}.", messages.SUCCESS)
            except DomainError as error:
                self.message_user(request, f"{wallet}: {error}", messages.WARNING)


class EntryInline(TabularInline[LedgerEntry, LedgerTransaction]):
    model = LedgerEntry
    fields = readonly_fields = ("account", "asset", "exact")

    @admin.display(description="amount")
    def exact(self, entry: LedgerEntry) -> str:
        return entry.signed_amount


@admin.register(LedgerTransaction)
class LedgerTransactionAdmin(ReadOnly):
    list_display = ["id", "ts", "wallet", "kind", "legs", "reference", "note"]
    list_filter = ["kind", "wallet"]
    list_select_related = ["wallet"]
    search_fields = ["reference", "note"]
    show_full_result_count = False
    inlines = [EntryInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerTransaction]:
        return super().get_queryset(request).prefetch_related("entries")

    @admin.display(description="what the wallet has more or less")
    def legs(self, booked: LedgerTransaction) -> str:
        return ", ".join(f"{entry.signed_amount} {entry.asset}" for entry in booked.entries.all() if entry.account == "assets")


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly):
    list_display = ["id", "transaction", "wallet", "account", "asset", "exact"]
    list_filter = ["account", "asset"]
    list_select_related = ["transaction__wallet"]
    search_fields = ["transaction__reference"]
    show_full_result_count = False

    @admin.display(description="wallet")
    def wallet(self, entry: LedgerEntry) -> str:
        return entry.transaction.wallet.name

    @admin.display(description="amount", ordering="amount")
    def exact(self, entry: LedgerEntry) -> str:
        return entry.signed_amount
