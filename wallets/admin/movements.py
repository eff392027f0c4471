"""Movements in the admin, for reading."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from core.generics import TabularInline
from market.admin import ReadOnly
from wallets.models import Movement, MovementCursor, MovementLeg


class LegInline(TabularInline[MovementLeg, Movement]):
    model = MovementLeg
    fields = readonly_fields = ("asset", "exact")

    @admin.display(description="amount")
    def exact(self, leg: MovementLeg) -> str:
        return str(leg)


@admin.register(Movement)
class MovementAdmin(ReadOnly):
    list_display = ["id", "ts", "wallet", "kind", "state", "legs", "standing", "network", "txid", "reference"]
    list_filter = ["kind", "state", "standing", "wallet"]
    list_select_related = ["wallet"]
    search_fields = ["reference", "txid", "address"]
    show_full_result_count = False
    inlines = [LegInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Movement]:
        return super().get_queryset(request).prefetch_related("legs")

    @admin.display(description="what the wallet has more or less")
    def legs(self, movement: Movement) -> str:
        return ", ".join(str(leg) for leg in movement.legs.all())


@admin.register(MovementCursor)
class MovementCursorAdmin(ReadOnly):
    list_display = ["wallet", "listed", "since", "asked_at", "offered", "problem"]
    list_filter = ["wallet", "offered"]
    list_select_related = ["wallet"]
