"""Reconciliation: its runs, the differences that they find, and the rights to both."""

import django.db.models.deletion
import django.utils.timezone
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models

from access.roles import roles_write


def write_roles(apps, schema_editor):
    roles_write(apps)


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0003_limits_to_objects'),
        ('wallets', '0005_law_made_up_money'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ReconciliationRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run_id', models.CharField(max_length=16, unique=True)),
                ('trigger', models.CharField(choices=[('page', 'Page'), ('api', 'Api'), ('command', 'Command'), ('schedule', 'Schedule'), ('start', 'start: of a stream worker'), ('gap', 'gap: of the user stream')], max_length=8)),
                ('state', models.CharField(choices=[('running', 'Running'), ('clean', 'clean: nothing differs but what is ignored'), ('drift', 'Drift'), ('partial', 'partial: not everything could be asked'), ('failed', 'failed: nothing could be compared')], default='running', max_length=8)),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('started_by', models.CharField(blank=True, max_length=150)),
                ('alert', models.JSONField(blank=True, default=dict, help_text='From which value or share of the wallet a drift is an alert.')),
                ('hold', models.JSONField(blank=True, default=dict, help_text="From which one the wallet's bots hold.")),
                ('not_asked', models.JSONField(blank=True, default=list, help_text='What the venue was not asked, or did not say, and why.')),
                ('clean_until', models.DateTimeField(blank=True, help_text='Up to when the fills of both sides agree.', null=True)),
                ('drifts', models.IntegerField(default=0, help_text='How many differences it found, ignored ones included.')),
                ('value', models.DecimalField(decimal_places=18, default=Decimal('0'), help_text="What they are worth together, in the wallet's currency.", max_digits=38)),
                ('error', models.CharField(blank=True, max_length=300)),
                ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reconciliations', to='wallets.wallet')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Drift',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('about', models.CharField(choices=[('balance', 'balance: what the account has'), ('held', 'held: what is set aside for orders'), ('order', 'order: one that is open on one side only'), ('position', 'position: what bots hold, and the account does not have')], max_length=8)),
                ('asset', models.CharField(max_length=16)),
                ('name', models.CharField(blank=True, help_text='Of an order: its number at the venue, or our id.', max_length=80)),
                ('ours', models.DecimalField(decimal_places=18, max_digits=38)),
                ('theirs', models.DecimalField(decimal_places=18, max_digits=38)),
                ('value', models.DecimalField(decimal_places=18, help_text="Of the difference, in the wallet's currency; empty: it has no price.", max_digits=38, null=True)),
                ('cause', models.CharField(choices=[('fill_missed', 'fill missed'), ('fill_twice', 'fill booked twice'), ('fee_asset', 'fee in another asset'), ('movement', 'deposit or withdrawal not booked'), ('conversion', 'conversion'), ('dust', 'dust sweep'), ('manual_trade', 'manual trade'), ('rebate', 'rebate'), ('rounding', 'rounding'), ('order_unknown', 'order unknown to us'), ('order_gone', 'order gone at the venue'), ('unknown', 'unknown')], help_text='Of its largest part.', max_length=16)),
                ('evidence', models.JSONField(default=list, help_text='Its parts: cause, amount, and the rows that sum to it.')),
                ('state', models.CharField(choices=[('open', 'Open'), ('ignored', 'ignored: until its end date, or until it changes'), ('resolved', 'resolved: by a person'), ('closed', 'closed: it went away')], default='open', max_length=8)),
                ('holds', models.BooleanField(default=False, help_text="Whether the wallet's bots make no entries while it is open.")),
                ('alerted', models.BooleanField(default=False, help_text='Whether somebody was told.')),
                ('first_seen', models.DateTimeField(default=django.utils.timezone.now)),
                ('last_seen', models.DateTimeField(default=django.utils.timezone.now)),
                ('times_seen', models.IntegerField(default=1)),
                ('act', models.CharField(blank=True, choices=[('book', 'book what is missing'), ('adopt', 'adopt what the venue says'), ('ignore', 'Ignore'), ('correct', 'correct by an entry')], help_text='What a person did about it.', max_length=8)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('until', models.DateTimeField(blank=True, help_text='Of an ignored one: when it is open again.', null=True)),
                ('ended_at', models.DateTimeField(blank=True, help_text='When it was resolved, ignored or gone.', null=True)),
                ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='drifts', to='wallets.wallet')),
                ('run', models.ForeignKey(help_text='The last that saw it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='found', to='wallets.reconciliationrun')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.AddIndex(
            model_name='reconciliationrun',
            index=models.Index(fields=['wallet', '-id'], name='reconciliation_by_wallet'),
        ),
        migrations.AddConstraint(
            model_name='reconciliationrun',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('wallet',), name='reconciliation_once'),
        ),
        migrations.AddIndex(
            model_name='drift',
            index=models.Index(fields=['state', '-id'], name='drift_by_state'),
        ),
        migrations.AddIndex(
            model_name='drift',
            index=models.Index(fields=['wallet', '-id'], name='drift_by_wallet'),
        ),
        migrations.AddIndex(
            model_name='drift',
            index=models.Index(condition=models.Q(('holds', True), ('state', 'open')), fields=['wallet'], name='drift_holding'),
        ),
        migrations.AddConstraint(
            model_name='drift',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['open', 'ignored'])), fields=('wallet', 'about', 'asset', 'name'), name='drift_once'),
        ),
        migrations.AddConstraint(
            model_name='drift',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'ignored'), _negated=True), ('until__isnull', False), _connector='OR'), name='drift_ignored_until'),
        ),
        migrations.RunPython(write_roles, migrations.RunPython.noop),
    ]
