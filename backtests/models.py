"""Backtest runs and parameter sweeps. Each row is a job of its own: its configuration, its progress, its results."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Status(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = (Status.QUEUED, Status.RUNNING)
ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


class Job(models.Model):
    """What runs and sweeps share: the life of a piece of work done by a worker that may die."""

    name = models.CharField(max_length=200, blank=True)
    config = models.JSONField(help_text="Validated and complete: running it again needs nothing else but the candles.")
    strategy = models.CharField(max_length=64)
    symbols = models.CharField(max_length=255, help_text="Joined by commas.")
    interval = models.CharField(max_length=4)
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    seed = models.BigIntegerField(default=0)
    error = models.TextField(blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    attempt = models.IntegerField(default=0, help_text="How often a worker has started it.")
    worker = models.CharField(max_length=128, blank=True)
    cancel_requested = models.BooleanField(default=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(
        null=True, blank=True, help_text="The worker's last sign of life; while queued, when it was last handed to the broker."
    )
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class BacktestRun(Job):
    """One backtest."""

    run_id = models.CharField(max_length=32, unique=True)
    cloned_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="clones")
    candles_total = models.BigIntegerField(default=0)
    candles_processed = models.BigIntegerField(default=0)
    results = models.JSONField(
        null=True, blank=True, help_text="Metrics and honesty checks; the same for the same run, to the byte."
    )
    results_digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of results, trades and equity.")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="Of the candles that were used.")
    code_hash = models.CharField(max_length=64, blank=True)
    seconds = models.FloatField(null=True, blank=True, help_text="Simulation alone.")
    artifact = models.CharField(max_length=255, blank=True, help_text="Folder of the stored columns in the storage.")
    candles_folder = models.CharField(
        max_length=255, blank=True, help_text="Folder of the candles it saw; runs on the same candles share it."
    )
    notes = models.TextField(blank=True)
    # Copies of results that lists sort and filter by.
    total_return = models.FloatField(null=True, blank=True)
    sharpe = models.FloatField(null=True, blank=True)
    max_drawdown = models.FloatField(null=True, blank=True)
    trades = models.IntegerField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["status", "-id"], name="run_by_status"),
            models.Index(fields=["strategy", "-id"], name="run_by_strategy"),
            # The sweeper looks for these every few seconds; finished runs are most of the table.
            models.Index(fields=["heartbeat_at"], condition=Q(status="running"), name="run_running_by_heartbeat"),
            models.Index(fields=["fingerprint"], name="run_by_fingerprint"),
        ]

    def __str__(self) -> str:
        return self.name or self.run_id


class Sweep(Job):
    """A parameter search: many backtests of one configuration."""

    sweep_id = models.CharField(max_length=32, unique=True)
    method = models.CharField(max_length=16, choices=[("grid", "Grid"), ("random", "Random")])
    space = models.JSONField(help_text="Parameter -> its values.")
    objective = models.CharField(max_length=32, default="sharpe")
    trials_total = models.IntegerField(default=0)
    trials_done = models.IntegerField(default=0)
    skipped = models.IntegerField(default=0, help_text="Points of the grid that the strategy refuses.")
    candles_total = models.BigIntegerField(default=0, help_text="Of all symbols, for one trial.")
    days = models.IntegerField(default=0, help_text="Daily returns that each Sharpe ratio is made of.")
    fingerprint = models.CharField(max_length=64, blank=True, help_text="Of the candles that every trial saw.")
    code_hash = models.CharField(max_length=64, blank=True)
    seconds = models.FloatField(default=0.0, help_text="Computing, summed over workers.")
    summary = models.JSONField(null=True, blank=True, help_text="Best trial, deflated Sharpe ratio, warnings.")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["status", "-id"], name="sweep_by_status")]

    def __str__(self) -> str:
        return self.name or self.sweep_id


class SweepChunk(models.Model):
    """A slice of a sweep's trials that one worker does at a time."""

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="chunks")
    index = models.IntegerField()
    first_trial = models.IntegerField()
    trials = models.IntegerField()
    points = models.JSONField(default=list, help_text="The searched parameters of each trial.")
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    attempt = models.IntegerField(default=0)
    worker = models.CharField(max_length=128, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["sweep", "index"]
        constraints = [models.UniqueConstraint(fields=["sweep", "index"], name="sweep_chunk_once")]

    def __str__(self) -> str:
        return f"{self.sweep_id}/{self.index}"


class SweepTrial(models.Model):
    """One combination and what it came to."""

    sweep = models.ForeignKey(Sweep, on_delete=models.CASCADE, related_name="results")
    index = models.IntegerField()
    params = models.JSONField()
    final_equity = models.DecimalField(max_digits=38, decimal_places=8)
    total_return = models.FloatField()
    sharpe = models.FloatField(null=True)
    sortino = models.FloatField(null=True)
    calmar = models.FloatField(null=True)
    max_drawdown = models.FloatField()
    skewness = models.FloatField(null=True)
    kurtosis = models.FloatField(null=True)
    trades = models.IntegerField()

    class Meta:
        ordering = ["sweep", "index"]
        constraints = [models.UniqueConstraint(fields=["sweep", "index"], name="sweep_trial_once")]

    def __str__(self) -> str:
        return f"{self.sweep_id}: {self.params}"
