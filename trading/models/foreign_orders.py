"""Orders at the venue that are not ours."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from trading.models.bots import Bot
from trading.models.fields import amount_field
from wallets.models import Wallet


class ForeignOrder(models.Model):
    """An order at the venue that is not ours, or that we cannot place: a person decides what becomes of it."""

    class State(models.TextChoices):
        OPEN = "open", "open: nobody has decided"
        ADOPTED = "adopted"
        IGNORED = "ignored"
        GONE = "gone", "gone: no longer open at the venue"

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="foreign_orders")
    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    venue_order_id = models.CharField(max_length=64)
    client_order_id = models.CharField(max_length=64, blank=True)
    side = models.CharField(max_length=4)
    type = models.CharField(max_length=10)
    quantity = amount_field(null=True)
    filled = amount_field()
    limit = amount_field(null=True)
    unread = models.CharField(max_length=200, blank=True, help_text="Why the venue's row could not be read; empty: it could.")
    raw = models.TextField(blank=True, help_text="The venue's row as it came, if it could not be read.")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    adopted_by = models.ForeignKey(Bot, on_delete=models.SET_NULL, null=True, blank=True, related_name="adopted_orders")
    seen_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["wallet", "venue_order_id"], name="foreign_order_once")]

    def __str__(self) -> str:
        return f"{self.side} {self.symbol} {self.venue_order_id}"
