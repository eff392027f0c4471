"""What wallets were worth, the right to see it, and the ledger by time."""

import django.db.models.deletion
from django.db import migrations, models

from access.roles import roles_write
from wallets.models import money_field


def write_roles(apps, schema_editor):
    roles_write(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0003_limits_to_objects"),
        ("wallets", "0009_elsewhere"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="ledgertransaction",
            index=models.Index(fields=["wallet", "ts"], name="transaction_by_time"),
        ),
        migrations.CreateModel(
            name="ValueSnapshot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "wallet",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="values", to="wallets.wallet"),
                ),
                ("currency", models.CharField(max_length=16)),
                ("ts", models.DateTimeField()),
                ("value", money_field(help_text="Of all that had a price.")),
                (
                    "paid_in",
                    money_field(
                        help_text="What was paid in since the beginning, less what was paid out, each at its price of then."
                    ),
                ),
                (
                    "parts",
                    models.JSONField(default=dict, help_text="By asset, its amount and its price; null where nobody knew one."),
                ),
                (
                    "unpriced",
                    models.JSONField(
                        default=list, help_text="Assets without a price, which are not in the value, nor in what was paid in."
                    ),
                ),
                (
                    "upto",
                    models.BigIntegerField(
                        default=0, help_text="The newest transaction of the wallet that had been booked by then."
                    ),
                ),
            ],
            options={"ordering": ["wallet", "currency", "-ts"]},
        ),
        migrations.AddConstraint(
            model_name="valuesnapshot",
            constraint=models.UniqueConstraint(fields=["wallet", "currency", "ts"], name="value_once_a_step"),
        ),
        migrations.RunPython(write_roles, migrations.RunPython.noop),
    ]
