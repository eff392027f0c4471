from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('trading', '0007_books_records'),
    ]

    operations = [
        migrations.AddField(
            model_name='position',
            name='exit_blocked',
            field=models.CharField(blank=True, default='', help_text='Why it cannot be sold although it should be; empty where that is not so.', max_length=300),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='position',
            name='exit_blocked_at',
            field=models.DateTimeField(help_text='Since when.', null=True),
        ),
    ]
