"""Fills whose fee has no known worth are looked for every minute, and there are few of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trading", "0011_fills_by_day")]

    operations = [
        migrations.AddIndex(
            "fill",
            models.Index(condition=models.Q(("fee__isnull", True)), fields=["venue", "bot"], name="fill_unvalued"),
        ),
    ]
