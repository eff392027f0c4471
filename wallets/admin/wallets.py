"""Wallets in the admin."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string

from core.errors import DomainError
from core.generics import ModelAdmin, TabularInline
from core.text import decimal_text
from wallets import selectors, services
from wallets.forms import WalletForm
from wallets.models import Wallet, WalletBalance

SHOWN = 10


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
