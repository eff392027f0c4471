"""Money that came to an exchange wallet and left it by other ways than trading, as the venue tells it, and how it was booked."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.utils import timezone

from core.fields import EXACT
from wallets.models.fields import money_field
from wallets.models.ledger import LedgerTransaction
from wallets.models.wallets import Wallet


class MovementCursor(models.Model):
    """How far one of the venue's lists has been read. It stays behind whatever is still pending or could not be read."""

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="movement_cursors")
    listed = models.CharField("list", max_length=32)
    since = models.DateTimeField(help_text="From when on it is asked for next time.")
    asked_at = models.DateTimeField(null=True, blank=True, help_text="When the venue last answered.")
    problem = models.CharField(max_length=300, blank=True, help_text="Why it is not read; empty: it is.")
    offered = models.BooleanField(default=True, help_text="Whether this environment of the venue has it.")

    class Meta:
        ordering = ["listed"]
        constraints = [models.UniqueConstraint(fields=["wallet", "listed"], name="movement_cursor_once")]

    def __str__(self) -> str:
        return self.listed


class Movement(models.Model):
    """One movement. It is booked once it is done, and booked back if the venue takes it back."""

    class Kind(models.TextChoices):
        DEPOSIT = "deposit"
        WITHDRAWAL = "withdrawal"
        CONVERSION = "conversion"
        DUST = "dust"
        TRANSFER = "transfer"
        REWARD = "reward"
        REBATE = "rebate"
        OTHER = "other"

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"
        OTHER = "other"

    class Standing(models.TextChoices):
        BOOKED = "booked"
        READY = "ready", "not booked yet: nobody has done so"
        WAITS = "waits", "not booked yet: the venue has not done it"
        FAILED = "failed", "not booked: it failed, or was taken back"
        BEFORE = "before", "not booked: the opening of the books holds it already"
        TWIN = "twin", "not booked: the venue tells it under another id too"
        ELSEWHERE = "elsewhere", "not booked: another wallet of the venue has it"
        UNKNOWN = "unknown", "not booked: the desk does not know what it is"

    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="movements")
    reference = models.CharField(max_length=200, help_text="The venue's id.")
    listed = models.CharField("list", max_length=32, help_text="The venue's list that tells it.")
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=8, choices=State)
    standing = models.CharField("booked", max_length=10, choices=Standing)
    ts = models.DateTimeField(null=True, blank=True, help_text="When it began, by the venue's clock; empty: it cannot be read.")
    moved_at = models.DateTimeField(null=True, blank=True, help_text="When the balance changed; empty: it has not.")
    fee = money_field(default=Decimal(0), help_text="On top of the amounts.")
    fee_asset = models.CharField(max_length=16, blank=True)
    network = models.CharField(max_length=128, blank=True)
    address = models.CharField(max_length=260, blank=True)
    txid = models.CharField("transaction id", max_length=256, blank=True)
    elsewhere = models.CharField(max_length=16, blank=True, help_text="The other wallet of the venue whose money it was.")
    words = models.CharField(max_length=256, blank=True, help_text="What the venue calls it.")
    raw = models.TextField(blank=True, help_text="The row as it came, if it could not be read.")
    twin = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    booked = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reversals = models.PositiveSmallIntegerField(default=0, help_text="How often it was booked back.")
    first_seen = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["wallet", "reference"], name="movement_once")]
        indexes = [
            models.Index(fields=["wallet", "-id"], name="movement_by_wallet"),
            models.Index(fields=["wallet", "txid"], name="movement_by_txid", condition=~models.Q(txid="")),
        ]

    def __str__(self) -> str:
        return self.reference

    def effect(self) -> dict[str, Decimal]:
        """What the wallet has more of each asset by it, the fee included; less, below zero."""
        sums: dict[str, Decimal] = {}
        for asset, amount in [*((leg.asset, leg.amount) for leg in self.legs.all()), (self.fee_asset, -self.fee)]:
            sums[asset] = EXACT.add(sums.get(asset, Decimal(0)), amount)
        return {asset: amount for asset, amount in sums.items() if amount}

    @property
    def short_address(self) -> str:
        return shorten_id(self.address)

    @property
    def short_txid(self) -> str:
        """What the venue writes in words in its place is shown as it is."""
        return self.txid if " " in self.txid else shorten_id(self.txid)


def shorten_id(text: str) -> str:
    """Enough of an address or the like to tell two apart."""
    return text if len(text) <= 16 else f"{text[:8]}…{text[-6:]}"


class MovementLeg(models.Model):
    """What the wallet has more of an asset by it (less, below zero), before the fee."""

    movement = models.ForeignKey(Movement, on_delete=models.CASCADE, related_name="legs")
    asset = models.CharField(max_length=16)
    amount = money_field()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{EXACT.normalize(self.amount):+f} {self.asset}"
