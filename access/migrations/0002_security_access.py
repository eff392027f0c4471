"""The groups of every desk with their rights; who did what; tokens that end with their person's password, and within a year.

A group `admin`, which might trade before, still may. Tokens that are there go on, until their person's password is another one."""

import hashlib
from datetime import timedelta

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F

from access.roles import TRADES, permissions_ensure, roles_write

YEAR = timedelta(days=365)


def write_roles(apps, schema_editor):
    roles_write(apps)
    old = apps.get_model("auth", "Group").objects.filter(name="admin").first()
    if old:
        permissions = dict(permissions_ensure(apps))
        old.permissions.add(*(permissions[right] for right in TRADES))


def bind_tokens(apps, schema_editor):
    tokens = apps.get_model("access", "ApiToken").objects
    tokens.filter(expires_at__gt=F("created_at") + YEAR).update(expires_at=F("created_at") + YEAR)
    for token in tokens.select_related("user"):
        tokens.filter(pk=token.pk).update(credential=hashlib.sha256(token.user.password.encode()).hexdigest())


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("access", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        # Rights to events are written for `core`. They must not be there before those of older desks have moved.
        ("core", "0001_event_store"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="credential",
            field=models.CharField(
                blank=True, default="", help_text="Digest of its person's password when it was made.", max_length=64
            ),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("ts", models.DateTimeField(auto_now_add=True)),
                (
                    "who",
                    models.CharField(help_text="The name, as it was then; “the desk” for a command, too.", max_length=150),
                ),
                (
                    "token",
                    models.CharField(
                        blank=True, help_text="The hint of the API token that it was done with.", max_length=8
                    ),
                ),
                ("act", models.CharField(max_length=40)),
                ("about", models.CharField(blank=True, max_length=200)),
                ("detail", models.JSONField(blank=True, default=dict)),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={"verbose_name_plural": "audit entries", "ordering": ["-id"]},
        ),
        migrations.RunPython(write_roles, migrations.RunPython.noop),
        migrations.RunPython(bind_tokens, migrations.RunPython.noop),
    ]
