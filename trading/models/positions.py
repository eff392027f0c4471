"""What bots hold, now and at moments."""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from trading.models.bots import Bot
from trading.models.fields import amount_field
from wallets.models import Wallet


class Position(models.Model):
    """A bot's position in a symbol: the sum of its fills. `cost`: what the present quantity was bought for, fees included."""

    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="positions")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="positions")
    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    quantity = amount_field(default=Decimal(0))
    cost = amount_field(default=Decimal(0))
    realised = amount_field(default=Decimal(0), help_text="Profit of what was sold, after fees, in quote.")
    fees = amount_field(default=Decimal(0))
    dust = models.BooleanField(default=False, help_text="Too little for the venue to take an order for: no position.")
    opened_at = models.DateTimeField(null=True)
    exit_blocked = models.CharField(
        max_length=300, blank=True, help_text="Why it cannot be sold although it should be; empty where that is not so."
    )
    exit_blocked_at = models.DateTimeField(null=True, help_text="Since when.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["symbol"]
        constraints = [models.UniqueConstraint(fields=["bot", "symbol"], name="position_once")]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} {self.symbol}"


class EquityPoint(models.Model):
    """A bot's equity at a moment, written on a schedule."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="equity_points")
    run_id = models.CharField(max_length=16)
    ts = models.DateTimeField()
    equity = amount_field()
    cash = amount_field()

    class Meta:
        ordering = ["ts"]
        constraints = [models.UniqueConstraint(fields=["bot", "ts"], name="equity_once_a_moment")]

    def __str__(self) -> str:
        return f"{self.equity} at {self.ts:%Y-%m-%d %H:%M}"


class PositionSnapshot(models.Model):
    """A position at a moment, written beside the bot's equity."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="position_snapshots")
    run_id = models.CharField(max_length=16)
    ts = models.DateTimeField()
    symbol = models.CharField(max_length=32)
    quantity = amount_field()
    average_entry = amount_field(help_text="What a unit had cost, fees included, in quote.")
    price = amount_field()
    value = amount_field()
    unrealised = amount_field()

    class Meta:
        ordering = ["ts"]
        constraints = [models.UniqueConstraint(fields=["bot", "symbol", "ts"], name="snapshot_once_a_moment")]

    def __str__(self) -> str:
        return f"{self.quantity} {self.symbol} at {self.ts:%Y-%m-%d %H:%M}"
