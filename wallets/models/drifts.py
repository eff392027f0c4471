"""What reconciliation found: its runs, and the differences with the venue."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from core.fields import EXACT
from core.text import decimal_text
from wallets.models.fields import money_field
from wallets.models.wallets import Wallet


class ReconciliationRun(models.Model):
    """One comparison of a wallet with its venue. Of a wallet, one runs at a time: the database sees to it."""

    class State(models.TextChoices):
        RUNNING = "running"
        CLEAN = "clean", "clean: nothing differs but what is ignored"
        DRIFT = "drift"
        PARTIAL = "partial", "partial: not everything could be asked"
        FAILED = "failed", "failed: nothing could be compared"

    class Trigger(models.TextChoices):
        PAGE = "page"
        API = "api"
        COMMAND = "command"
        SCHEDULE = "schedule"
        START = "start", "start: of a stream worker"
        GAP = "gap", "gap: of the user stream"

    run_id = models.CharField(max_length=16, unique=True)
    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="reconciliations")
    trigger = models.CharField(max_length=8, choices=Trigger)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    started_by = models.CharField(max_length=150, blank=True)
    alert = models.JSONField(default=dict, blank=True, help_text="From which value or share of the wallet a drift is an alert.")
    hold = models.JSONField(default=dict, blank=True, help_text="From which one the wallet's bots hold.")
    not_asked = models.JSONField(default=list, blank=True, help_text="What the venue was not asked, or did not say, and why.")
    clean_until = models.DateTimeField(null=True, blank=True, help_text="Up to when the fills of both sides agree.")
    drifts = models.IntegerField(default=0, help_text="How many differences it found, ignored ones included.")
    value = money_field(default=Decimal(0), help_text="What they are worth together, in the wallet's currency.")
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["wallet"], condition=Q(state="running"), name="reconciliation_once")]
        indexes = [models.Index(fields=["wallet", "-id"], name="reconciliation_by_wallet")]

    def __str__(self) -> str:
        return f"{self.wallet} {self.started_at:%Y-%m-%d %H:%M}: {self.state}"


class Drift(models.Model):
    """A difference between our books and the venue, from the first run that saw it until it is gone."""

    class About(models.TextChoices):
        BALANCE = "balance", "balance: what the account has"
        HELD = "held", "held: what is set aside for orders"
        ORDER = "order", "order: one that is open on one side only"
        POSITION = "position", "position: what bots hold, and the account does not have"

    class Cause(models.TextChoices):
        FILL_MISSED = "fill_missed", "fill missed"
        FILL_TWICE = "fill_twice", "fill booked twice"
        FEE_ASSET = "fee_asset", "fee in another asset"
        MOVEMENT = "movement", "deposit or withdrawal not booked"
        CONVERSION = "conversion", "conversion"
        DUST = "dust", "dust sweep"
        MANUAL_TRADE = "manual_trade", "manual trade"
        REBATE = "rebate", "rebate"
        ROUNDING = "rounding", "rounding"
        ORDER_UNKNOWN = "order_unknown", "order unknown to us"
        ORDER_GONE = "order_gone", "order gone at the venue"
        UNKNOWN = "unknown", "unknown"

    class State(models.TextChoices):
        OPEN = "open"
        IGNORED = "ignored", "ignored: until its end date, or until it changes"
        RESOLVED = "resolved", "resolved: by a person"
        CLOSED = "closed", "closed: it went away"

    class Act(models.TextChoices):
        BOOK = "book", "book what is missing"
        ADOPT = "adopt", "adopt what the venue says"
        IGNORE = "ignore"
        CORRECT = "correct", "correct by an entry"

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="drifts")
    about = models.CharField(max_length=8, choices=About)
    asset = models.CharField(max_length=16)
    name = models.CharField(max_length=80, blank=True, help_text="Of an order: its number at the venue, or our id.")
    ours = money_field()
    theirs = money_field()
    value = money_field(null=True, help_text="Of the difference, in the wallet's currency; empty: it has no price.")
    cause = models.CharField(max_length=16, choices=Cause, help_text="Of its largest part.")
    evidence = models.JSONField(default=list, help_text="Its parts: cause, amount, and the rows that sum to it.")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    holds = models.BooleanField(default=False, help_text="Whether the wallet's bots make no entries while it is open.")
    alerted = models.BooleanField(default=False, help_text="Whether somebody was told.")
    first_seen = models.DateTimeField(default=timezone.now)
    last_seen = models.DateTimeField(default=timezone.now)
    times_seen = models.IntegerField(default=1)
    run = models.ForeignKey(
        ReconciliationRun, on_delete=models.SET_NULL, null=True, related_name="found", help_text="The last that saw it."
    )
    act = models.CharField(max_length=8, choices=Act, blank=True, help_text="What a person did about it.")
    reason = models.CharField(max_length=300, blank=True)
    until = models.DateTimeField(null=True, blank=True, help_text="Of an ignored one: when it is open again.")
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When it was resolved, ignored or gone.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["wallet", "about", "asset", "name"], condition=Q(state__in=["open", "ignored"]), name="drift_once"
            ),
            models.CheckConstraint(condition=~Q(state="ignored") | Q(until__isnull=False), name="drift_ignored_until"),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="drift_by_state"),
            models.Index(fields=["wallet", "-id"], name="drift_by_wallet"),
            models.Index(fields=["wallet"], name="drift_holding", condition=Q(state="open", holds=True)),
        ]

    def __str__(self) -> str:
        return f"{decimal_text(self.difference)} {self.asset} ({self.cause})"

    @property
    def difference(self) -> Decimal:
        """What the venue has more than we do; less, where it is below zero."""
        return EXACT.subtract(self.theirs, self.ours)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows of its evidence, of all parts."""
        return [row for part in self.evidence for row in part["rows"]]
