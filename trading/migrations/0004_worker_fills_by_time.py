"""The day's fills of a bot are found by an index: its daily loss is summed on the way of an order."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trading", "0003_events_to_core")]

    operations = [
        migrations.AddIndex(
            model_name="fill",
            index=models.Index(fields=["bot", "ts"], name="fill_by_bot_time"),
        ),
    ]
