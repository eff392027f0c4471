"""Orders and their fills."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils import timezone

from trading.models.bots import Bot, BotRun, Mode
from trading.models.fields import amount_field
from wallets.models import Wallet


class OrderStatus(models.TextChoices):
    PENDING = "pending"
    SUBMITTED = "submitted", "submitted: unknown until the venue answers"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


OPEN = (OrderStatus.PENDING, OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


class Order(models.Model):
    """What we told the venue, or are about to. `number` is the engine's own within the run."""

    order_id = models.CharField(max_length=16, unique=True)
    client_order_id = models.CharField(max_length=36, unique=True)
    venue_order_id = models.CharField(max_length=64, blank=True)
    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="orders")
    run = models.ForeignKey(BotRun, on_delete=models.PROTECT, related_name="orders")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="orders")
    number = models.IntegerField()
    mode = models.CharField(max_length=8, choices=Mode)
    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=[("buy", "buy"), ("sell", "sell")])
    type = models.CharField(max_length=10)
    quantity = amount_field()
    limit = amount_field(null=True, blank=True)
    stop = amount_field(null=True, blank=True)
    reason = models.CharField(max_length=20, help_text="Why the engine made it: entry_signal, stop_loss, ...")
    status = models.CharField(max_length=16, choices=OrderStatus, default=OrderStatus.PENDING)
    status_reason = models.CharField(max_length=200, blank=True, help_text="What the venue, or we, said to it.")
    filled_quantity = amount_field(default=Decimal(0))
    average_price = amount_field(null=True, blank=True)
    fees = amount_field(default=Decimal(0), help_text="In quote.")
    reference_price = amount_field(null=True, blank=True, help_text="The price that it was decided at.")
    correlation_id = models.CharField(max_length=32, db_index=True)
    trigger_id = models.CharField(max_length=64, blank=True, help_text="The candle or tick that it was decided on.")
    cancel_requested = models.BooleanField(default=False)
    attempts = models.IntegerField(default=0, help_text="How often it was, or may have been, sent.")
    decided_at = models.DateTimeField(help_text="The market's time of the decision.")
    created_at = models.DateTimeField(default=timezone.now)
    submitted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="order_once_a_decision"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_quantity_positive"),
            models.CheckConstraint(condition=Q(filled_quantity__gte=0), name="order_filled_not_negative"),
        ]
        indexes = [
            models.Index(
                fields=["status", "id"],
                name="order_open",
                condition=Q(status__in=["pending", "submitted", "accepted", "partially_filled"]),
            ),
            models.Index(fields=["bot", "-id"], name="order_by_bot"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity.normalize():f} {self.symbol} ({self.client_order_id})"


class Fill(models.Model):
    """One execution. Append-only, but for a fee whose worth becomes known later; applying it a second time changes nothing. Where
    two orders of one account met, both have one of the same trade id, each on its side."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="fills")
    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="fills")
    account = models.CharField(max_length=40, help_text="Where trade ids count: the exchange account, or the run on paper.")
    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    trade_id = models.CharField(max_length=64)
    side = models.CharField(max_length=4)
    price = amount_field()
    quantity = amount_field()
    cost = amount_field(help_text="price x quantity, in quote.")
    fee = amount_field(null=True, help_text="In quote, at the time of the fill; empty: its worth is not known.")
    fee_paid = amount_field(help_text="As the venue took it.")
    fee_asset = models.CharField(max_length=16)
    fee_valued = models.CharField(
        max_length=120, blank=True, help_text="How a fee in another asset was valued: the prices; unvalued: there was none."
    )
    maker = models.BooleanField()
    profit = amount_field(null=True, help_text="Of a sale: against the position's average cost, fees of both sides included.")
    correlation_id = models.CharField(max_length=32)
    ts = models.DateTimeField(help_text="The venue's time.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["account", "venue", "symbol", "trade_id", "side"], name="fill_once")]
        indexes = [
            models.Index(fields=["bot", "-id"], name="fill_by_bot"),
            models.Index(fields=["bot", "ts"], name="fill_by_bot_time"),
            models.Index(fields=["venue", "bot"], name="fill_unvalued", condition=Q(fee__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity.normalize():f} {self.symbol} at {self.price.normalize():f}"
