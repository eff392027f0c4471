"""Exchange accounts and their keys; wallets, their double-entry ledger, and the balances that are its sums.

The ledger is append-only, and each transaction of it sums to zero in every asset: the database refuses the rest (migration 0002).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.fields import EXACT
from core.text import decimal_text
from market.exchanges.registry import venue_choices


def money_field(**options: Any) -> models.DecimalField[Any, Any]:
    """A sum of an asset."""
    return models.DecimalField(max_digits=38, decimal_places=18, **options)


def share_field(**options: Any) -> models.DecimalField[Any, Any]:
    """A share of the traded value: 0.001 is 10 basis points."""
    return models.DecimalField(max_digits=12, decimal_places=10, **options)


class Environment(models.TextChoices):
    SANDBOX = "sandbox"
    TESTNET = "testnet"
    LIVE = "live"


class ExchangeAccount(models.Model):
    """A key at a venue. `secret` is sealed (`wallets.secrets`); `services` set it, and no form, page or API shows it."""

    name = models.CharField(max_length=80, unique=True)
    venue = models.CharField(max_length=32, choices=venue_choices)
    environment = models.CharField(max_length=8, choices=Environment)
    rest = models.CharField(max_length=200, blank=True, help_text="Address of the REST API; empty: the venue's own.")
    ws = models.CharField(max_length=200, blank=True, help_text="Address of the market streams; empty: the venue's own.")
    ws_api = models.CharField(max_length=200, blank=True, help_text="Address of the WebSocket API; empty: the venue's own.")
    ws_user = models.CharField(max_length=200, blank=True, help_text="Address of the user stream; empty: the venue's own.")
    api_key = models.CharField("API key", max_length=200, blank=True)
    secret = models.BinaryField(default=b"", editable=False)
    permissions = models.JSONField(default=dict, blank=True, help_text="can_read, can_trade, can_withdraw, ip_restricted.")
    checked_at = models.DateTimeField(null=True, blank=True, help_text="When the venue last said what the key may do.")
    refused_reason = models.CharField(max_length=300, blank=True, help_text="Why the key is not used; empty: it is.")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def masked_key(self) -> str:
        """Enough of the API key to tell two apart."""
        return f"{self.api_key[:4]}…{self.api_key[-4:]}" if len(self.api_key) > 12 else "…" if self.api_key else ""

    @property
    def has_secret(self) -> bool:
        return bool(self.secret)


class Wallet(models.Model):
    """The money that a set of bots trades with. `kind` paper: it is made up; exchange: it is what the account has; replay: the
    books of one run of a replay, which begin with its cash. Made-up money never falls below zero (migration 0005).

    `maker` and `taker` are the fees of a paper wallet. Those of an exchange wallet are its account's tier, empty until it is read.
    """

    class Kind(models.TextChoices):
        PAPER = "paper"
        EXCHANGE = "exchange"
        REPLAY = "replay", "replay: the books of one run"

    wallet_id = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=8, choices=Kind)
    account = models.ForeignKey(ExchangeAccount, on_delete=models.PROTECT, null=True, blank=True, related_name="wallets")
    venue = models.CharField(max_length=32, help_text="Of a paper wallet: whose prices it trades at.")
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
                | Q(kind="exchange", account__isnull=False),
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


class LedgerTransaction(models.Model):
    """Something that happened to a wallet. `reference` is unique within the wallet and kind, so it is booked once."""

    class Kind(models.TextChoices):
        FILL = "fill"
        DEPOSIT = "deposit"
        WITHDRAWAL = "withdrawal"
        CORRECTION = "correction"
        OPENING = "opening"

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="transactions")
    kind = models.CharField(max_length=10, choices=Kind)
    reference = models.CharField(max_length=200, help_text="Of a fill: fill:venue:symbol:trade id.")
    ts = models.DateTimeField(help_text="When it happened; of a fill, by the venue's clock.")
    note = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["wallet", "kind", "reference"], name="transaction_once")]
        indexes = [models.Index(fields=["wallet", "-id"], name="transaction_by_wallet")]

    def __str__(self) -> str:
        return self.reference


class LedgerEntry(models.Model):
    """One leg of a transaction. Positive on `assets`: the wallet has more."""

    class Account(models.TextChoices):
        ASSETS = "assets", "assets: what the wallet has"
        TRADING = "trading", "trading: what was given and taken in trades"
        FEES = "fees", "fees: what the venue took"
        CAPITAL = "capital", "capital: what was put in and taken out"

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
