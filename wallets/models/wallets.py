"""Wallets, and the balances that are the sums of their ledgers."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.text import decimal_text
from wallets.models.accounts import ExchangeAccount
from wallets.models.fields import money_field, share_field


class Wallet(models.Model):
    """The money that a set of bots trades with. `kind` paper: it is made up; exchange: it is what the account has; replay: the
    books of one run of a replay, which begin with its cash. Made-up money never falls below zero (migration 0005). A wallet of kind
    watch is on a chain: we see what it has (`wallets.models.chains`), no bot trades with it, and it has no ledger.

    `maker` and `taker` are the fees of a paper wallet. Those of an exchange wallet are its account's tier, empty until it is read.
    """

    class Kind(models.TextChoices):
        PAPER = "paper"
        EXCHANGE = "exchange"
        REPLAY = "replay", "replay: the books of one run"
        WATCH = "watch", "watch: on a chain, only looked at"

    wallet_id = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=8, choices=Kind)
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="wallets")
    venue = models.CharField(max_length=32, help_text="Of a paper wallet: whose prices it trades at; of a watched one: its chain.")
    quote = models.CharField(max_length=16, help_text="The currency that its figures are in.")
    maker = share_field(null=True, blank=True, help_text="Fee of an order that rests in the book: 0.001 is 10 basis points.")
    taker = share_field(null=True, blank=True, help_text="Fee of an order that trades at once.")
    archived = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["paper", "replay"], account=None, maker__isnull=False, taker__isnull=False)
                | Q(kind="exchange", account__isnull=False)
                | Q(kind="watch", account=None, maker=None, taker=None),
                name="wallet_account_of_exchange_only",
            ),
            # Two wallets on one account would both take its balances for theirs.
            models.UniqueConstraint(fields=["account"], condition=Q(archived=False), name="wallet_once_an_account"),
        ]

    def __str__(self) -> str:
        return self.name


class WalletBalance(models.Model):
    """A wallet's amount of an asset: the sum of its entries on `assets`, updated by the transaction that books them."""

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="balances")
    asset = models.CharField(max_length=16)
    amount = money_field()
    unbooked = money_field(
        default=Decimal(0), help_text="The part of an exchange wallet's amount that must have come in, and that nobody has booked."
    )

    class Meta:
        ordering = ["asset"]
        constraints = [models.UniqueConstraint(fields=["wallet", "asset"], name="balance_once_an_asset")]

    def __str__(self) -> str:
        return f"{decimal_text(self.amount)} {self.asset}"
