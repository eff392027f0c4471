"""The event store: what happened anywhere in the house."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Event(models.Model):
    """Append-only. `id` grows in the order of commits, so that it serves as the sequence number of pushes."""

    ts = models.DateTimeField(default=timezone.now)
    type = models.CharField(max_length=24)
    source = models.CharField(max_length=40)
    bot = models.CharField(max_length=16, blank=True, help_text="bot_id of the bot that it is about.")
    run_id = models.CharField(max_length=16, blank=True)
    correlation_id = models.CharField(max_length=32, blank=True)
    payload = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["correlation_id", "id"], name="event_chain"),
            models.Index(fields=["bot", "-id"], name="event_by_bot"),
            models.Index(fields=["type", "-id"], name="event_by_type"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.type}"
