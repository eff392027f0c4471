"""The event store is `core`'s: its table has been taken over by then."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trading", "0002_claims_within_budget"), ("core", "0001_event_store")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel(name="Event")]),
        migrations.AlterField(
            model_name="bot",
            name="limits",
            field=models.JSONField(default=dict, help_text="Its risk limits: see trading.setup.limits."),
        ),
        migrations.AlterField(
            model_name="bot",
            name="schedule",
            field=models.JSONField(blank=True, default=dict, help_text="When entries are allowed: see trading.setup.limits."),
        ),
    ]
