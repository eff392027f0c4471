"""What must have come in without being booked is counted beside the balance that it is a part of."""

from decimal import Decimal

from django.db import migrations

import wallets.models


class Migration(migrations.Migration):
    dependencies = [("wallets", "0003_venues_of_the_registry")]

    operations = [
        migrations.AddField(
            "walletbalance",
            "unbooked",
            wallets.models.money_field(
                default=Decimal(0),
                help_text="The part of an exchange wallet's amount that must have come in, and that nobody has booked.",
            ),
        ),
    ]
