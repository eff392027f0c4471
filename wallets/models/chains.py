"""Wallets on chains that are only watched: what they are, what each reading saw, tokens and whether a person trusts them.

Amounts are whole units, as the chain has them, with as many digits as a contract can answer (2^256 - 1 has 78).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from wallets.models.wallets import Wallet


def units_field(**options: Any) -> models.DecimalField[Any, Any]:
    """An amount in the smallest unit of a token."""
    return models.DecimalField(max_digits=78, decimal_places=0, **options)


class ChainEndpoint(models.Model):
    """A node to ask, in place of the public ones. Its address may hold a key, so it is sealed, and only its host is shown."""

    chain = models.CharField(max_length=32)
    host = models.CharField(max_length=200, editable=False)
    address = models.BinaryField(default=b"", editable=False)
    position = models.PositiveSmallIntegerField(default=1, help_text="They are asked in this order, the next where one fails.")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["chain", "position", "id"]

    def __str__(self) -> str:
        return f"{self.host} for {self.chain}"


class ChainToken(models.Model):
    """A chain's coin (no contract), or a token of it. `symbol` and `name` are its own words, which anybody can choose; `asset` is
    ours, given to what is known and by persons, and empty for a token that counts for nothing."""

    chain = models.CharField(max_length=32)
    contract = models.CharField(max_length=64, blank=True)
    symbol = models.CharField(max_length=32, blank=True)
    name = models.CharField(max_length=32, blank=True)
    decimals = models.PositiveSmallIntegerField(null=True, blank=True)
    asset = models.CharField(max_length=16, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True, help_text="When a person said what it is.")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["chain", "contract"]
        constraints = [models.UniqueConstraint(fields=["chain", "contract"], name="chain_token_once")]

    def __str__(self) -> str:
        return self.asset or f"{self.symbol or 'unnamed'} ({self.contract[:6]}…{self.contract[-4:]})"


class ChainReading(models.Model):
    """One look at a chain: whole, and then it says what the wallet has, or failed, and then it says nothing. Of a wallet one runs
    at a time: the database sees to it."""

    class State(models.TextChoices):
        RUNNING = "running"
        WHOLE = "whole"
        FAILED = "failed"

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="chain_readings")
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    endpoint = models.CharField(max_length=200, blank=True, help_text="The host of the node that answered.")
    block = models.BigIntegerField(null=True, blank=True, help_text="The block, or slot, that all of it is of.")
    block_hash = models.CharField(max_length=100, blank=True)
    units = models.JSONField(default=dict, blank=True, help_text="By token, what the wallet had.")
    differences = models.JSONField(
        default=list, blank=True, help_text="Changes since the reading before that no transaction which was seen explains."
    )
    taken_back = models.IntegerField(default=0, help_text="Transactions that a reorganisation of the chain took back.")
    remarks = models.JSONField(default=list, blank=True, help_text="What the node could not tell.")
    error = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["wallet"], condition=Q(state="running"), name="chain_reading_once")]
        indexes = [models.Index(fields=["wallet", "-id"], name="chain_reading_by_wallet")]

    def __str__(self) -> str:
        return f"{self.wallet} {self.started_at:%Y-%m-%d %H:%M}: {self.state}"


class ChainWatch(models.Model):
    """What a wallet watches. `whole` is the last reading that says what there is, `last` the last one that ended."""

    wallet = models.OneToOneField(Wallet, on_delete=models.CASCADE, related_name="watch")
    chain = models.CharField(max_length=32)
    address = models.CharField(max_length=120, help_text="Or an extended public key.")
    scripts = models.JSONField(default=list, blank=True, help_text="Of an extended public key: the kinds of its addresses.")
    whole = models.ForeignKey(ChainReading, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    last = models.ForeignKey(ChainReading, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name_plural = "chain watches"

    def __str__(self) -> str:
        return f"{self.chain}: {self.short_address}"

    @property
    def short_address(self) -> str:
        return f"{self.address[:8]}…{self.address[-6:]}" if len(self.address) > 20 else self.address


class ChainHolding(models.Model):
    """What a wallet has of a token, by its last whole reading. `pending` waits for a block, and is not in `units`."""

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="chain_holdings")
    token = models.ForeignKey(ChainToken, on_delete=models.PROTECT, related_name="holdings")
    units = units_field()
    pending = units_field(default=0)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["wallet", "token"], name="chain_holding_once")]

    def __str__(self) -> str:
        return f"{self.units} units of {self.token}"


class ChainTransaction(models.Model):
    """A transaction that changed what a watched wallet has. It is in no ledger: we only saw it."""

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="chain_transactions")
    txid = models.CharField(max_length=100)
    block = models.BigIntegerField()
    block_hash = models.CharField(max_length=100, blank=True)
    ts = models.DateTimeField(null=True, blank=True, help_text="By the chain's clock.")
    fee = units_field(default=0, help_text="What the wallet paid for it, in units of the chain's coin.")
    failed = models.BooleanField(default=False, help_text="It did nothing but cost its fee.")

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["wallet", "txid"], name="chain_transaction_once")]
        indexes = [models.Index(fields=["wallet", "-id"], name="chain_transaction_by_wallet")]

    def __str__(self) -> str:
        return self.txid


class ChainTransfer(models.Model):
    """What the wallet had more or less of one token after a transaction."""

    transaction = models.ForeignKey(ChainTransaction, on_delete=models.CASCADE, related_name="transfers")
    token = models.ForeignKey(ChainToken, on_delete=models.PROTECT, related_name="transfers")
    units = units_field()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.units:+f} units of {self.token}"
