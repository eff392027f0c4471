"""The history of value in the admin, for reading."""

from __future__ import annotations

from django.contrib import admin

from market.admin import ReadOnly
from wallets.models import ValueSnapshot


@admin.register(ValueSnapshot)
class ValueSnapshotAdmin(ReadOnly):
    list_display = ["ts", "wallet", "currency", "value", "paid_in", "unpriced"]
    list_filter = ["currency", "wallet"]
    list_select_related = ["wallet"]
    show_full_result_count = False
