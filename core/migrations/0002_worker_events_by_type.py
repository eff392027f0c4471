"""Events of one type are found by an index, however many of other types there are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0001_event_store")]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["type", "-id"], name="event_by_type"),
        ),
    ]
