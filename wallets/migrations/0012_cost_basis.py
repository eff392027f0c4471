"""How cost basis is reckoned, what people said that acquisitions cost, and the rights to both."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from access.roles import roles_write


def write_roles(apps, schema_editor):
    roles_write(apps)


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0003_limits_to_objects'),
        ('wallets', '0011_watched_wallets'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CostRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateField(help_text='The first day on which it holds.', unique=True)),
                ('method', models.CharField(choices=[('fifo', 'FIFO: the oldest lot first'), ('lifo', 'LIFO: the newest lot first'), ('hifo', 'HIFO: the dearest lot first'), ('average', 'average cost of all lots')], default='fifo', max_length=7)),
                ('scope', models.CharField(choices=[('wallet', 'each wallet has lots of its own'), ('all', 'all wallets have their lots together')], default='wallet', max_length=6)),
                ('time_zone', models.CharField(default='UTC', help_text='In which days and tax years begin, such as Europe/Berlin or America/New_York.', max_length=64)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'cost basis rule',
                'ordering': ['-since'],
            },
        ),
        migrations.CreateModel(
            name='ToldCost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asset', models.CharField(max_length=16)),
                ('quantity', models.DecimalField(decimal_places=18, max_digits=38)),
                ('basis', models.DecimalField(decimal_places=18, help_text='What all of it cost, fees included.', max_digits=38)),
                ('currency', models.CharField(help_text='Of the basis. It counts while this is the reporting currency.', max_length=16)),
                ('acquired_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('transaction', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='told_costs', to='wallets.ledgertransaction')),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['transaction', 'asset'], name='told_cost_by_transaction')],
                'constraints': [models.CheckConstraint(condition=models.Q(('basis__gte', 0), ('quantity__gt', 0)), name='told_cost_of_something')],
            },
        ),
        migrations.RunPython(write_roles, migrations.RunPython.noop),
    ]
