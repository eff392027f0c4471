"""What wallets were worth in the past."""

from __future__ import annotations

from django.db import models

from wallets.models.fields import money_field
from wallets.models.wallets import Wallet


class ValueSnapshot(models.Model):
    """A wallet's value at a step of time, in one currency: what the ledger says that it had, at the prices of then. It is made anew
    where something is booked later that happened before."""

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="values")
    currency = models.CharField(max_length=16)
    ts = models.DateTimeField()
    value = money_field(help_text="Of all that had a price.")
    paid_in = money_field(help_text="What was paid in since the beginning, less what was paid out, each at its price of then.")
    parts = models.JSONField(default=dict, help_text="By asset, its amount and its price; null where nobody knew one.")
    unpriced = models.JSONField(
        default=list, help_text="Assets without a price, which are not in the value, nor in what was paid in."
    )
    upto = models.BigIntegerField(default=0, help_text="The newest transaction of the wallet that had been booked by then.")

    class Meta:
        ordering = ["wallet", "currency", "-ts"]
        constraints = [models.UniqueConstraint(fields=["wallet", "currency", "ts"], name="value_once_a_step")]

    def __str__(self) -> str:
        return f"{self.wallet} {self.ts:%Y-%m-%d %H:%M}: {self.value:f} {self.currency}"
