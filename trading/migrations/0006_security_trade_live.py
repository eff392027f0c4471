from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("trading", "0005_adapters_unread_orders")]

    operations = [
        migrations.AlterModelOptions(
            name="bot",
            options={"ordering": ["name"], "permissions": [("trade_live", "Can let bots trade real money")]},
        ),
    ]
