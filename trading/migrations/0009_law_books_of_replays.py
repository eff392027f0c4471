"""Each run of a replay has books of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trading", "0008_orders_exit_blocked"), ("wallets", "0005_law_made_up_money")]

    operations = [
        migrations.AddField(
            "botrun",
            "books",
            models.OneToOneField(
                to="wallets.wallet",
                on_delete=models.PROTECT,
                null=True,
                blank=True,
                related_name="replay",
                help_text="Of a replay: its own.",
            ),
        ),
    ]
