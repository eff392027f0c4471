"""Risk budgets, whose limits a person sets, and the kill switch."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from access.limits import require_reach, require_unlimited
from access.rights import REAL_MONEY, require_right
from core.generics import ModelAdmin
from market.admin import ReadOnly
from trading import selectors
from trading.models import KillSwitch, Mode, RiskBudget
from trading.services.bots import kill_switch_set
from wallets.selectors import wallet_reach


@admin.register(RiskBudget)
class RiskBudgetAdmin(ModelAdmin[RiskBudget]):
    """The desk writes what is claimed and used, people set the limit. A bot's own budget is set from its settings at each start."""

    list_display = ("whose", "scope", "mode", "currency", "limit", "used", "claimed", "free", "taken_share", "updated_at")
    list_filter = ("scope", "mode", "currency")
    list_select_related = ("wallet", "bot")
    search_fields = ("wallet__name", "bot__name", "bot__bot_id")
    readonly_fields = ("claimed", "used", "updated_at")
    fields = ("scope", "wallet", "bot", "mode", "currency", "limit", "claimed", "used", "updated_at")
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*self.readonly_fields, "scope", "wallet", "bot", "mode", "currency"] if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: RiskBudget, form: Any, change: bool) -> None:
        if Mode.LIVE in (obj.mode, obj.bot.mode if obj.bot else ""):
            require_right(request.user, REAL_MONEY)
        if obj.bot:
            require_reach(request.user, bot=obj.bot.bot_id, **wallet_reach(obj.bot.wallet))
        elif obj.wallet:
            require_reach(request.user, **wallet_reach(obj.wallet))
        else:
            require_unlimited(request.user)
        super().save_model(request, obj, form, change)

    @admin.display(description="whose")
    def whose(self, budget: RiskBudget) -> str:
        return str(budget.bot or budget.wallet or "Desk")

    @admin.display(description="free")
    def free(self, budget: RiskBudget) -> str:
        free = selectors.budget_free(budget)
        return "no limit" if free is None else f"{free:,.2f}"

    @admin.display(description="taken_share")
    def taken_share(self, budget: RiskBudget) -> str:
        share = selectors.budget_share(budget)
        return "–" if share is None else f"{share:.0%}"


@admin.register(KillSwitch)
class KillSwitchAdmin(ReadOnly):
    """Pressed in the top bar of every page, or here."""

    list_display = ("state", "reason", "changed_by", "changed_at")
    actions = ("kill", "arm")

    def get_queryset(self, request: HttpRequest) -> QuerySet[KillSwitch]:
        # So that there is a row to act on, also on a desk where nobody ever pressed it.
        KillSwitch.objects.get_or_create(pk=1)
        found: QuerySet[KillSwitch] = super().get_queryset(request)
        return found

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and admin.ModelAdmin.has_change_permission(self, request)

    @admin.display(description="state")
    def state(self, switch: KillSwitch) -> str:
        return "killed: no order is sent" if switch.killed else "armed"

    @admin.action(description="Kill: no order is sent, bots stop, open orders are cancelled", permissions=["change"])
    def kill(self, request: HttpRequest, rows: QuerySet[KillSwitch]) -> None:
        kill_switch_set(killed=True, reason="From the admin.", user=request.user)
        self.message_user(request, "The desk is killed: no order is sent.", messages.WARNING)

    @admin.action(description="Arm again: orders may be sent, bots stay stopped", permissions=["change"])
    def arm(self, request: HttpRequest, rows: QuerySet[KillSwitch]) -> None:
        kill_switch_set(killed=False, user=request.user)
        self.message_user(request, "The desk is armed again. Bots stay stopped until they are started.", messages.SUCCESS)
