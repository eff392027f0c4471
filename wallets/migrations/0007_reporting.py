"""The currency that the desk is valued in, and the rights to see and to choose it."""

import django.utils.timezone
from django.db import migrations, models

from access.roles import roles_write


def write_roles(apps, schema_editor):
    roles_write(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0003_limits_to_objects"),
        ("wallets", "0006_drifts"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reporting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "currency",
                    models.CharField(help_text="What wallets, venues and the desk are valued in: USD, USDT, EUR.", max_length=16),
                ),
                ("changed_by", models.CharField(blank=True, max_length=150)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={"verbose_name_plural": "reporting currency"},
        ),
        migrations.RunPython(write_roles, migrations.RunPython.noop),
    ]
