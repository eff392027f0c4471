from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("trading", "0004_worker_fills_by_time")]

    operations = [
        migrations.AlterModelOptions(
            name="bot",
            options={"ordering": ["name"], "permissions": [("trade_live", "Can let bots trade real money")]},
        ),
    ]
