"""Bots, their runs, and their memory."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from trading.models.fields import amount_field
from wallets.models import Wallet


class Mode(models.TextChoices):
    REPLAY = "replay"
    PAPER = "paper"
    TESTNET = "testnet"
    LIVE = "live"


EXTERNAL = (Mode.TESTNET, Mode.LIVE)
"""Modes whose orders a venue executes. In the others the engine does, by the rules of the backtest."""


class DesiredStatus(models.TextChoices):
    """What a person wants of a bot; what it does is computed (`selectors.bots`)."""

    RUNNING = "running"
    PAUSED = "paused", "paused: no entries, exits go on"
    CLOSING = "closing", "closing: sells what it holds, then stops"
    STOPPED = "stopped"


class Bot(models.Model):
    bot_id = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=80, unique=True)
    config = models.JSONField(help_text="As of a backtest: strategy, parameters, symbols, interval, cash, sizing, exits, limits.")
    strategy = models.CharField(max_length=64)
    venue = models.CharField(max_length=32)
    symbols = models.CharField(max_length=1024, help_text="With commas between.")
    interval = models.CharField(max_length=4)
    mode = models.CharField(max_length=8, choices=Mode)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="bots")
    live_allowed = models.BooleanField(default=False, help_text="The bot's own switch for mode live; the desk's is LIVE_TRADING.")
    limits = models.JSONField(default=dict, help_text="Its risk limits: see trading.setup.limits.")
    schedule = models.JSONField(default=dict, blank=True, help_text="When entries are allowed: see trading.setup.limits.")
    replay = models.JSONField(default=dict, blank=True, help_text="Mode replay: start, end, and speed (0: as fast as it goes).")
    wanted = models.CharField(max_length=8, choices=DesiredStatus, default=DesiredStatus.STOPPED)
    run = models.ForeignKey("BotRun", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    from_backtest = models.CharField(max_length=16, blank=True, help_text="run_id of the backtest that it was made from.")
    archived_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["wanted"], name="bot_wanted", condition=~Q(wanted="stopped"))]
        permissions = [("trade_live", "Can let bots trade real money")]

    def __str__(self) -> str:
        return self.name

    @property
    def symbol_list(self) -> list[str]:
        return self.symbols.split(",")

    @property
    def external(self) -> bool:
        """Whether a venue executes its orders."""
        return self.mode in EXTERNAL


class BotRun(models.Model):
    """One life of a bot, from a start to the stop."""

    run_id = models.CharField(max_length=16, unique=True)
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="runs")
    mode = models.CharField(max_length=8, choices=Mode)
    books = models.OneToOneField(
        Wallet, on_delete=models.PROTECT, null=True, blank=True, related_name="replay", help_text="Of a replay: its own."
    )
    config = models.JSONField()
    limits = models.JSONField(default=dict)
    code_hash = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(
        max_length=32, blank=True, help_text="stopped, closed, partly_closed (see left), failed, finished (a replay)"
    )
    error = models.TextField(blank=True)
    left = models.JSONField(
        default=list, blank=True, help_text="What was still held, or open, when it ended: how much, its worth, and why."
    )
    history_from = models.DateTimeField(null=True, help_text="Open time of the first candle that its strategy was given.")
    decides_from = models.DateTimeField(null=True, help_text="Open time of the first candle at whose close it decided.")
    decided_at = models.DateTimeField(null=True, help_text="Open time of the last candle at whose close it decided.")
    evaluated_at = models.DateTimeField(null=True, help_text="When that was, by our clock.")
    evaluation_ms = models.FloatField(null=True)
    evaluations = models.BigIntegerField(default=0)
    equity = amount_field(null=True, help_text="At the last close, in quote.")
    progress = models.FloatField(null=True, help_text="Of a replay: 0 to 1.")
    held_reason = models.CharField(
        max_length=200, blank=True, help_text="Why it does not decide at present: stale prices, recovery."
    )

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.run_id


class BotState(models.Model):
    """The engine's snapshot of a bot, written in the same transaction as what follows from it. `version` is compared and set: of
    two processes that have loaded one bot, the second one's write fails."""

    bot = models.OneToOneField(Bot, on_delete=models.CASCADE, primary_key=True, related_name="state")
    run = models.ForeignKey(BotRun, on_delete=models.CASCADE, related_name="+")
    version = models.BigIntegerField(default=0)
    time = models.BigIntegerField(null=True, help_text="Open time, in ms, of the last candle whose close was taken in.")
    opened = models.BigIntegerField(null=True, help_text="Open time, in ms, of the candle whose open was taken in.")
    book = models.BinaryField()
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"version {self.version}"
