"""The double-entry ledger. It is append-only, and each transaction of it sums to zero in every asset: the database refuses the rest
(migration 0002).
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from core.fields import EXACT
from wallets.models.fields import money_field
from wallets.models.wallets import Wallet


class LedgerTransaction(models.Model):
    """Something that happened to a wallet. `reference` is unique within the wallet and kind, so it is booked once."""

    class Kind(models.TextChoices):
        FILL = "fill"
        DEPOSIT = "deposit"
        WITHDRAWAL = "withdrawal"
        CORRECTION = "correction"
        OPENING = "opening"
        CONVERSION = "conversion"
        DUST = "dust"
        TRANSFER = "transfer"
        REWARD = "reward"
        REBATE = "rebate"
        REVERSAL = "reversal", "reversal: what the venue took back"

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="transactions")
    kind = models.CharField(max_length=10, choices=Kind)
    reference = models.CharField(max_length=200, help_text="Of a fill: fill:venue:symbol:trade id.")
    ts = models.DateTimeField(help_text="When it happened; of a fill, by the venue's clock.")
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["wallet", "kind", "reference"], name="transaction_once")]
        indexes = [
            models.Index(fields=["wallet", "-id"], name="transaction_by_wallet"),
            models.Index(fields=["wallet", "ts"], name="transaction_by_time"),
        ]

    def __str__(self) -> str:
        return self.reference


class LedgerEntry(models.Model):
    """One leg of a transaction. Positive on `assets`: the wallet has more."""

    class Account(models.TextChoices):
        ASSETS = "assets", "assets: what the wallet has"
        TRADING = "trading", "trading: what was given and taken in trades"
        FEES = "fees", "fees: what the venue took"
        CAPITAL = "capital", "capital: what was put in and taken out"
        INCOME = "income", "income: what the venue gave"

    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="entries")
    account = models.CharField(max_length=8, choices=Account)
    asset = models.CharField(max_length=16)
    amount = money_field()

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "ledger entries"

    def __str__(self) -> str:
        return f"{self.account} {self.signed_amount} {self.asset}"

    @property
    def signed_amount(self) -> str:
        return f"{EXACT.normalize(self.amount):+f}"
