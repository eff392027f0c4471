"""Limits of people and tokens to some bots, wallets or accounts, and the rights to set them for administrators."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from access.roles import roles_write

KINDS = [("bot", "Bot"), ("wallet", "Wallet"), ("account", "exchange account")]


def write_roles(apps, schema_editor):
    roles_write(apps)


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("access", "0002_security_access"),
    ]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="limits",
            field=models.JSONField(
                blank=True, default=dict, help_text="By kind, the ids of the objects that it may act on alone."
            ),
        ),
        migrations.CreateModel(
            name="ObjectLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, max_length=8)),
                (
                    "key",
                    models.CharField(
                        help_text="As its page and the API show it; of an exchange account, its number.",
                        max_length=16,
                        verbose_name="id",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="object_limits",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "limit to an object",
                "verbose_name_plural": "limits to objects",
                "ordering": ["person", "kind", "key"],
                "constraints": [models.UniqueConstraint(fields=("person", "kind", "key"), name="object_limit_once")],
            },
        ),
        migrations.RunPython(write_roles, migrations.RunPython.noop),
    ]
