from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0009_law_books_of_replays'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='fill',
            name='fill_once',
        ),
        migrations.AddConstraint(
            model_name='fill',
            constraint=models.UniqueConstraint(fields=('account', 'venue', 'symbol', 'trade_id', 'side'), name='fill_once'),
        ),
    ]
