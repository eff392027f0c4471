"""The currency that the whole desk is valued in."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Reporting(models.Model):
    """One row. Before anybody chose a currency there is none, and that of the environment counts."""

    currency = models.CharField(max_length=16, help_text="What wallets, venues and the desk are valued in: USD, USDT, EUR.")
    changed_by = models.CharField(max_length=150, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "reporting currency"

    def __str__(self) -> str:
        return self.currency
