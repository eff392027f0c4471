"""Cost basis in the admin: its rules, and what people said that acquisitions cost."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from core.errors import DomainError
from core.generics import ModelAdmin
from core.text import decimal_text
from wallets import services
from wallets.forms import CostRuleForm, ToldCostForm
from wallets.models import CostRule, ToldCost


@admin.register(CostRule)
class CostRuleAdmin(ModelAdmin[CostRule]):
    form = CostRuleForm
    list_display = ["since", "method", "scope", "time_zone", "created_by", "created_at"]
    list_select_related = ["created_by"]
    actions = ["take_back"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What was reckoned by a rule stays as it is: another one is added.
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_form(self, request: HttpRequest, form: CostRuleForm, change: bool) -> CostRule:
        return services.cost_rule_add(**form.cleaned_data, user=request.user)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Does nothing: the service has saved it."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Does nothing: there are no related rows."""

    @admin.action(description="Take back: the rule before it holds again", permissions=["view"])
    def take_back(self, request: HttpRequest, rules: QuerySet[CostRule]) -> None:
        for rule in rules:
            try:
                services.cost_rule_delete(rule=rule, user=request.user)
                self.message_user(request, f"{rule} is taken back.", messages.SUCCESS)
            except DomainError as error:
                self.message_user(request, f"{rule}: {error}", messages.WARNING)


@admin.register(ToldCost)
class ToldCostAdmin(ModelAdmin[ToldCost]):
    form = ToldCostForm
    list_display = [
        "id",
        "wallet",
        "transaction",
        "asset",
        "exact_quantity",
        "exact_basis",
        "currency",
        "acquired_at",
        "created_by",
    ]
    list_filter = ["asset", "currency"]
    list_select_related = ["transaction__wallet", "created_by"]
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_form(self, request: HttpRequest, form: ToldCostForm, change: bool) -> ToldCost:
        given = form.cleaned_data
        return services.told_costs_import(wallet=given["wallet"], text=given["rows"], user=request.user)[0]

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        """Does nothing: the service has saved them."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Does nothing: there are no related rows."""

    @admin.display(description="wallet")
    def wallet(self, told: ToldCost) -> str:
        return told.transaction.wallet.name

    @admin.display(description="quantity", ordering="quantity")
    def exact_quantity(self, told: ToldCost) -> str:
        quantity: Decimal = told.quantity
        return decimal_text(quantity)

    @admin.display(description="basis", ordering="basis")
    def exact_basis(self, told: ToldCost) -> str:
        basis: Decimal = told.basis
        return decimal_text(basis)
