"""Instruments, and the rows that name the candle files."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Instrument(models.Model):
    """What can be traded at a venue. A rule that is not known is empty."""

    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32, help_text="Ours: BTC-USD.")
    venue_symbol = models.CharField(max_length=32, blank=True, help_text="The venue's own: BTCUSDT.")
    base = models.CharField(max_length=16)
    quote = models.CharField(max_length=16)
    tick_size = models.DecimalField(max_digits=38, decimal_places=18, null=True, blank=True, help_text="Smallest step of a price.")
    lot_size = models.DecimalField(
        max_digits=38, decimal_places=18, null=True, blank=True, help_text="Smallest step of a quantity."
    )
    min_notional = models.DecimalField(
        max_digits=38, decimal_places=18, null=True, blank=True, help_text="Smallest value of an order, in quote."
    )
    limits = models.JSONField(
        default=dict, blank=True, help_text="The venue's other rules on the size and price of an order: see market.size_rules."
    )
    takes_stops = models.BooleanField(default=False, help_text="Stop-limit orders can rest there: protective stops do.")

    class Meta:
        ordering = ["venue", "symbol"]
        constraints = [models.UniqueConstraint(fields=["venue", "symbol"], name="instrument_once_a_venue")]

    def __str__(self) -> str:
        return f"{self.symbol} ({self.venue})"


class CandleSeries(models.Model):
    """All candles we hold of one instrument at one interval: its files together, summed up."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="series")
    interval = models.CharField(max_length=4)
    first = models.DateTimeField(help_text="Open time of the first candle.")
    last = models.DateTimeField(help_text="Open time of the last candle.")
    count = models.BigIntegerField()
    missing = models.BigIntegerField(default=0, help_text="Candles that should lie between first and last, and do not.")
    without_volume = models.BigIntegerField(default=0, help_text="Candles whose volume is unknown.")
    bytes = models.BigIntegerField(default=0)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 over every candle, in order.")
    last_close = models.DecimalField(
        max_digits=38, decimal_places=18, null=True, help_text="Of the last candle, so that a list of series opens no file."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["instrument__venue", "instrument__symbol", "interval"]
        verbose_name_plural = "candle series"
        constraints = [models.UniqueConstraint(fields=["instrument", "interval"], name="series_once_an_interval")]

    def __str__(self) -> str:
        return f"{self.instrument.symbol} {self.interval} ({self.instrument.venue})"


class CandleChunk(models.Model):
    """One immutable file of candles. A write makes new files, then swaps these rows."""

    series = models.ForeignKey(CandleSeries, on_delete=models.CASCADE, related_name="chunks")
    file = models.CharField(max_length=255, unique=True, help_text="Name in the storage.")
    first = models.DateTimeField()
    last = models.DateTimeField()
    count = models.IntegerField()
    without_volume = models.IntegerField(default=0, help_text="Candles whose volume is unknown.")
    bytes = models.BigIntegerField()
    fingerprint = models.CharField(max_length=64)

    class Meta:
        ordering = ["series", "first"]
        constraints = [models.UniqueConstraint(fields=["series", "first"], name="chunk_once_a_start")]

    def __str__(self) -> str:
        return self.file


class CandleGap(models.Model):
    """A stretch without candles, from the first missing open time to the last."""

    series = models.ForeignKey(CandleSeries, on_delete=models.CASCADE, related_name="gaps")
    first = models.DateTimeField()
    last = models.DateTimeField()
    missing = models.IntegerField()

    class Meta:
        ordering = ["series", "first"]

    def __str__(self) -> str:
        return f"{self.missing} missing from {self.first:%Y-%m-%d %H:%M}"


class CandleImport(models.Model):
    """One import: what was in the file, and what was wrong with it, row by row. One that was sent from elsewhere is a job of the
    workers, and its file waits in the storage until it is over."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        COMPLETED = "completed"
        REFUSED = "refused"
        FAILED = "failed"
        CANCELLED = "cancelled"

    series = models.ForeignKey(CandleSeries, on_delete=models.SET_NULL, null=True, blank=True, related_name="imports")
    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    interval = models.CharField(max_length=4)
    filename = models.CharField(max_length=255)
    format = models.CharField(max_length=32, blank=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    rows = models.BigIntegerField(default=0, help_text="Rows read.")
    added = models.BigIntegerField(default=0, help_text="Candles that were not there before.")
    replaced = models.BigIntegerField(default=0, help_text="Candles that were there with other values.")
    duplicates = models.BigIntegerField(default=0)
    out_of_order = models.BigIntegerField(default=0)
    problems = models.JSONField(default=list, help_text="The first faults, each with row, field and message.")
    problem_count = models.BigIntegerField(default=0)
    first = models.DateTimeField(null=True)
    last = models.DateTimeField(null=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    message = models.TextField(blank=True)
    error_code = models.CharField(max_length=32, blank=True, help_text="Why it was refused or failed, for programs.")
    seconds = models.FloatField(default=0)
    skip_bad_rows = models.BooleanField(default=False)
    upload = models.CharField(max_length=255, blank=True, help_text="The file's name in the storage, until the import is over.")
    bytes_total = models.BigIntegerField(default=0)
    bytes_read = models.BigIntegerField(default=0)
    attempt = models.IntegerField(default=0, help_text="How often a worker has started it.")
    worker = models.CharField(max_length=128, blank=True)
    cancel_requested = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(
        null=True, blank=True, help_text="The worker's last sign of life; while queued, when it was last handed to the broker."
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # The sweeper looks for these every few seconds; imports that are over are nearly all of the table.
            models.Index(fields=["heartbeat_at"], condition=Q(status__in=("queued", "running")), name="import_under_way"),
        ]

    def __str__(self) -> str:
        return f"{self.filename} to {self.symbol} {self.interval}: {self.status}"

    @property
    def under_way(self) -> bool:
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)


class VenueStream(models.Model):
    """A venue's sockets: who holds them, and how they are. `token` is a fence: it grows with each new holder, and what an older one
    still does has no effect."""

    class State(models.TextChoices):
        STOPPED = "stopped"
        CONNECTING = "connecting"
        LIVE = "live"
        POLLING = "polling", "polling: no socket, prices by REST"
        STALE = "stale", "stale: no prices"
        PAUSED = "paused", "paused: nobody needs it"

    venue = models.CharField(max_length=32)
    environment = models.CharField(max_length=8)
    wanted = models.BooleanField(default=True, help_text="A person's switch.")
    state = models.CharField(max_length=12, choices=State, default=State.STOPPED)
    detail = models.CharField(max_length=300, blank=True)
    symbols = models.JSONField(default=list)
    unread_products = models.JSONField(
        default=list, blank=True, help_text="Names of the venue's products that the desk cannot read and so does not trade."
    )
    connected_at = models.DateTimeField(null=True)
    last_message_at = models.DateTimeField(null=True)
    messages_per_second = models.FloatField(default=0)
    reconnects = models.IntegerField(default=0)
    gaps = models.IntegerField(default=0)
    holder = models.CharField(max_length=64, blank=True)
    token = models.BigIntegerField(default=0)
    held_until = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["venue", "environment"]
        constraints = [models.UniqueConstraint(fields=["venue", "environment"], name="stream_once")]

    def __str__(self) -> str:
        return f"{self.venue} ({self.environment}): {self.state}"


class FeedIncident(models.Model):
    """A time in which a venue was not heard as it should be: downtime, silence, a gap, a reconnect, a user stream lost."""

    stream = models.ForeignKey(VenueStream, on_delete=models.CASCADE, related_name="incidents")
    kind = models.CharField(max_length=16)
    symbol = models.CharField(max_length=32, blank=True)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.began_at:%Y-%m-%d %H:%M:%S}"
