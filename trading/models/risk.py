"""What may be at risk, what is set aside, and what was blocked."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils import timezone

from trading.models.bots import Bot, BotRun
from trading.models.fields import amount_field
from trading.models.orders import Order
from wallets.models import Wallet


class RiskBudget(models.Model):
    """How much may be at risk at once: of the whole desk, a wallet, a bot. `claimed` for orders on their way, `used` by positions
    (at cost). A trigger refuses claims beyond the limit, whatever the code does (migration 0002)."""

    scope = models.CharField(max_length=8, choices=[("desk", "desk"), ("wallet", "wallet"), ("bot", "bot")])
    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, null=True, blank=True, related_name="risk_budgets")
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, null=True, blank=True, related_name="risk_budgets")
    mode = models.CharField(
        max_length=8, blank=True, help_text="The desk has one for each mode: paper money crowds out no real one."
    )
    currency = models.CharField(max_length=16, help_text="USD stands for every currency pegged to it.")
    limit = amount_field(null=True, help_text="Empty: none is set, so a bot may have its equity at risk.")
    claimed = amount_field(default=Decimal(0))
    used = amount_field(default=Decimal(0))
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(claimed__gte=0), name="budget_claimed_not_negative"),
            models.CheckConstraint(condition=Q(used__gte=0), name="budget_used_not_negative"),
            # Where real money is at risk, a person has said how much.
            models.CheckConstraint(
                condition=Q(limit__isnull=False) | Q(scope="bot") | ~Q(mode="live"), name="budget_limit_named_for_live"
            ),
            models.UniqueConstraint(fields=["mode", "currency"], condition=Q(scope="desk"), name="budget_once_a_desk_mode"),
            models.UniqueConstraint(fields=["wallet", "currency"], condition=Q(scope="wallet"), name="budget_once_a_wallet"),
            models.UniqueConstraint(fields=["bot", "currency"], condition=Q(scope="bot"), name="budget_once_a_bot"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.mode or self.wallet or self.bot}"


class AllocationStatus(models.TextChoices):
    CLAIMED = "claimed"
    USED = "used"
    RELEASED = "released"
    EXPIRED = "expired"


class RiskAllocation(models.Model):
    """The claim of one entry order. `amount` was set aside; of it `open` still is, `used` is in what the order bought, and
    `released` has been given back: what was not needed, and what of the purchase has been sold since, oldest first."""

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="allocation")
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="allocations")
    run = models.ForeignKey(BotRun, on_delete=models.CASCADE, related_name="allocations")
    symbol = models.CharField(max_length=32)
    trigger_id = models.CharField(max_length=64, blank=True, help_text="The candle or tick that it was decided on.")
    currency = models.CharField(max_length=16)
    open = amount_field(help_text="What is still set aside.")
    used = amount_field(default=Decimal(0), help_text="At cost, what the order bought and the bot still holds.")
    released = amount_field(default=Decimal(0), help_text="What has been given back.")
    amount = amount_field()
    status = models.CharField(max_length=8, choices=AllocationStatus, default=AllocationStatus.CLAIMED)
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, help_text="When the order was over.")
    released_at = models.DateTimeField(null=True, help_text="When the last of it was given back.")

    class Meta:
        ordering = ["-order_id"]
        indexes = [models.Index(fields=["bot", "id"], name="allocation_held", condition=Q(used__gt=0))]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency}: {self.status}"


class BlockEvent(models.Model):
    """An order that we did not send, and why."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="blocks")
    run_id = models.CharField(max_length=16)
    correlation_id = models.CharField(max_length=32, db_index=True)
    trigger_id = models.CharField(max_length=64, blank=True)
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=4)
    qty = amount_field(null=True)
    price = amount_field(null=True)
    reason = models.CharField(max_length=32)
    detail = models.CharField(max_length=400)
    ts = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["bot", "-id"], name="block_by_bot"),
            models.Index(fields=["reason", "-id"], name="block_by_reason"),
            models.Index(fields=["ts", "reason"], name="block_by_time"),
            models.Index(fields=["run_id", "-id"], name="block_by_run"),
        ]

    def __str__(self) -> str:
        return f"{self.reason}: {self.side} {self.symbol}"


class KillSwitch(models.Model):
    """One row. While `killed`, no order is sent."""

    killed = models.BooleanField(default=False)
    reason = models.CharField(max_length=200, blank=True)
    changed_by = models.CharField(max_length=150, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "kill switch"

    def __str__(self) -> str:
        return "killed" if self.killed else "armed"
