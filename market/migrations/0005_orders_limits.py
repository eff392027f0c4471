from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('market', '0004_takes_stops'),
    ]

    operations = [
        migrations.AddField(
            model_name='instrument',
            name='limits',
            field=models.JSONField(blank=True, default=dict, help_text="The venue's other rules on the size and price of an order: see market.size_rules."),
        ),
    ]
