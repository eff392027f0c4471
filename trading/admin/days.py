"""What fills came to by day: what the portfolio is read from. Read only."""

from __future__ import annotations

from django.contrib import admin

from trading.admin.records import Record
from trading.models import BotDay, WalletDay

EARNED = ("sales", "won", "realised", "fees", "unvalued")


@admin.register(BotDay)
class BotDayAdmin(Record):
    list_display = ("day", "bot", "mode", "strategy", "venue", "symbol", *EARNED, "best", "worst")
    list_filter = ("mode", "venue", "strategy", "day")
    list_select_related = ("bot",)
    ordering = ("-day",)
    search_fields = ("bot__name", "=symbol")


@admin.register(WalletDay)
class WalletDayAdmin(Record):
    list_display = ("day", "wallet", "mode", "venue", "currency", *EARNED, "fee_asset", "paid")
    list_filter = ("mode", "venue", "currency", "fee_asset", "day")
    list_select_related = ("wallet",)
    ordering = ("-day",)
    search_fields = ("wallet__name", "=fee_asset")
