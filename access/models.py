"""API tokens, of which only a hash is stored, and who did what."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ApiToken(models.Model):
    """A bearer token of one person. The token itself is shown once, when it is made."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token.")
    hint = models.CharField(max_length=8, help_text="Its first characters, to tell tokens apart.")
    scopes = models.JSONField(default=list)
    limits = models.JSONField(default=dict, blank=True, help_text="By kind, the ids of the objects that it may act on alone.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    credential = models.CharField(max_length=64, blank=True, help_text="Digest of its person's password when it was made.")
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return f"{self.hint}… of {self.user}"


class ObjectLimit(models.Model):
    """One of the objects that a person is limited to. Without any of a kind, the person may act on all of that kind."""

    class Kind(models.TextChoices):
        BOT = "bot"
        WALLET = "wallet"
        ACCOUNT = "account", "exchange account"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="object_limits")
    kind = models.CharField(max_length=8, choices=Kind)
    key = models.CharField("id", max_length=16, help_text="As its page and the API show it; of an exchange account, its number.")

    class Meta:
        ordering = ["person", "kind", "key"]
        verbose_name = "limit to an object"
        verbose_name_plural = "limits to objects"
        constraints = [models.UniqueConstraint(fields=["person", "kind", "key"], name="object_limit_once")]

    def __str__(self) -> str:
        return f"{self.person}: {self.kind} {self.key}"


class AuditEntry(models.Model):
    """Something that a person did which no other row says. Written in the transaction of what was done."""

    ts = models.DateTimeField(auto_now_add=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    who = models.CharField(max_length=150, help_text="The name, as it was then; “the desk” for a command, too.")
    token = models.CharField(max_length=8, blank=True, help_text="The hint of the API token that it was done with.")
    act = models.CharField(max_length=40)
    about = models.CharField(max_length=200, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.who}: {self.act} {self.about}"
