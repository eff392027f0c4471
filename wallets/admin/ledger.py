"""The ledger in the admin, for reading."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.generics import TabularInline
from market.admin import ReadOnly
from wallets.models import LedgerEntry, LedgerTransaction


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
