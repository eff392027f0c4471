"""Exchange accounts and their keys."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from market.exchanges.registry import venue_choices


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
