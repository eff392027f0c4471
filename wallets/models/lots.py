"""How cost basis is reckoned, and what people said that acquisitions cost."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.text import decimal_text
from wallets.models.fields import money_field
from wallets.models.ledger import LedgerTransaction


class CostRule(models.Model):
    """Which lots disposals take from a day on. Before the first rule: FIFO, each wallet by itself, with years in UTC."""

    class Method(models.TextChoices):
        FIFO = "fifo", "FIFO: the oldest lot first"
        LIFO = "lifo", "LIFO: the newest lot first"
        HIFO = "hifo", "HIFO: the dearest lot first"
        AVERAGE = "average", "average cost of all lots"

    class Scope(models.TextChoices):
        WALLET = "wallet", "each wallet has lots of its own"
        ALL = "all", "all wallets have their lots together"

    since = models.DateField(unique=True, help_text="The first day on which it holds.")
    method = models.CharField(max_length=7, choices=Method, default=Method.FIFO)
    scope = models.CharField(max_length=6, choices=Scope, default=Scope.WALLET)
    time_zone = models.CharField(
        max_length=64, default="UTC", help_text="In which days and tax years begin, such as Europe/Berlin or America/New_York."
    )
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-since"]
        verbose_name = "cost basis rule"

    def __str__(self) -> str:
        return f"{self.get_method_display().partition(':')[0]} from {self.since}"


class ToldCost(models.Model):
    """What a part of a deposit or an opening had cost, and when it was acquired, as a person said. Without
    one the cost is unknown."""

    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="told_costs")
    asset = models.CharField(max_length=16)
    quantity = money_field()
    basis = money_field(help_text="What all of it cost, fees included.")
    currency = models.CharField(max_length=16, help_text="Of the basis. It counts while this is the reporting currency.")
    acquired_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [models.CheckConstraint(condition=Q(quantity__gt=0, basis__gte=0), name="told_cost_of_something")]
        indexes = [models.Index(fields=["transaction", "asset"], name="told_cost_by_transaction")]

    def __str__(self) -> str:
        quantity: Decimal = self.quantity
        return f"{decimal_text(quantity)} {self.asset}"
