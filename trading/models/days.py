"""What fills come to by day."""

from __future__ import annotations

from django.db import models

from trading.models.bots import Bot, Mode
from trading.models.fields import amount_field
from wallets.models import Wallet


class DaySums(models.Model):
    """What the fills of a day (UTC, by the venue's time) come to. The database keeps these sums as fills are written (migration
    0011), so that a year of them is read at once; those of replays are not in them. Money in quote unless said otherwise."""

    mode = models.CharField(max_length=8, choices=Mode)
    day = models.DateField()
    venue = models.CharField(max_length=32)
    currency = models.CharField(max_length=16, help_text="The quote of its symbols.")
    sales = models.IntegerField(help_text="Fills that sold.")
    won = models.IntegerField(help_text="Sales with a profit above zero.")
    realised = amount_field(help_text="Profit of the sales, fees of both sides included.")
    fees = amount_field(help_text="As far as their worth is known.")
    unvalued = models.IntegerField(help_text="Fills whose fee has no known worth.")

    class Meta:
        abstract = True


class BotDay(DaySums):
    """Of a bot, in a symbol, by a strategy."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="days")
    strategy = models.CharField(max_length=64, help_text="That of the runs.")
    symbol = models.CharField(max_length=32)
    best = amount_field(null=True, help_text="The highest profit of a single sale.")
    worst = amount_field(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bot", "mode", "venue", "symbol", "strategy", "day"], name="bot_day_once")]
        indexes = [models.Index(fields=["mode", "day"], name="bot_day_by_day")]

    def __str__(self) -> str:
        return f"{self.symbol} on {self.day}"


class WalletDay(DaySums):
    """Of a wallet, by the asset that fees were taken in."""

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="days")
    fee_asset = models.CharField(max_length=16)
    paid = amount_field(help_text="Fees as the venue took them, in the fee's asset.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "mode", "venue", "currency", "fee_asset", "day"], name="wallet_day_once")
        ]
        indexes = [models.Index(fields=["mode", "day"], name="wallet_day_by_day")]

    def __str__(self) -> str:
        return f"{self.venue} on {self.day}"
