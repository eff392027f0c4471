"""What accounts have at their venues outside of spot trading."""

from __future__ import annotations

from typing import get_args

from django.db import models

from core.text import decimal_text
from market.exchanges.base import Place
from wallets.models.accounts import ExchangeAccount
from wallets.models.fields import money_field


class ElsewhereHolding(models.Model):
    """As the venue said it the last time. It is in no wallet's books, because no order can use it."""

    account = models.ForeignKey(ExchangeAccount, on_delete=models.CASCADE, related_name="elsewhere")
    place = models.CharField(max_length=12, choices=[(place, place) for place in get_args(Place)])
    name = models.CharField(max_length=120, help_text="What the venue calls the place, or whose it is.")
    asset = models.CharField(max_length=16)
    amount = money_field()
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["place", "name", "asset"]
        constraints = [models.UniqueConstraint(fields=["account", "place", "name", "asset"], name="elsewhere_once")]

    def __str__(self) -> str:
        return f"{decimal_text(self.amount)} {self.asset} in {self.name}"
