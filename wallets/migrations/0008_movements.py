"""Money that comes and goes by other ways than trading, as the venue tells it, and the rights to see it."""

import django.db.models.deletion
import django.utils.timezone
from decimal import Decimal
from django.db import migrations, models

from access.roles import roles_write


def write_roles(apps, schema_editor):
    roles_write(apps)


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0003_limits_to_objects'),
        ('wallets', '0007_reporting'),
    ]

    operations = [
        migrations.AlterField(
            model_name='ledgerentry',
            name='account',
            field=models.CharField(choices=[('assets', 'assets: what the wallet has'), ('trading', 'trading: what was given and taken in trades'), ('fees', 'fees: what the venue took'), ('capital', 'capital: what was put in and taken out'), ('income', 'income: what the venue gave')], max_length=8),
        ),
        migrations.AlterField(
            model_name='ledgertransaction',
            name='kind',
            field=models.CharField(choices=[('fill', 'Fill'), ('deposit', 'Deposit'), ('withdrawal', 'Withdrawal'), ('correction', 'Correction'), ('opening', 'Opening'), ('conversion', 'Conversion'), ('dust', 'Dust'), ('transfer', 'Transfer'), ('reward', 'Reward'), ('rebate', 'Rebate'), ('reversal', 'reversal: what the venue took back')], max_length=10),
        ),
        migrations.CreateModel(
            name='Movement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(help_text="The venue's id.", max_length=200)),
                ('listed', models.CharField(help_text="The venue's list that tells it.", max_length=32, verbose_name='list')),
                ('kind', models.CharField(choices=[('deposit', 'Deposit'), ('withdrawal', 'Withdrawal'), ('conversion', 'Conversion'), ('dust', 'Dust'), ('transfer', 'Transfer'), ('reward', 'Reward'), ('rebate', 'Rebate'), ('other', 'Other')], max_length=10)),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('done', 'Done'), ('failed', 'Failed'), ('other', 'Other')], max_length=8)),
                ('standing', models.CharField(choices=[('booked', 'Booked'), ('ready', 'not booked yet: nobody has done so'), ('waits', 'not booked yet: the venue has not done it'), ('failed', 'not booked: it failed, or was taken back'), ('before', 'not booked: the opening of the books holds it already'), ('twin', 'not booked: the venue tells it under another id too'), ('elsewhere', 'not booked: another wallet of the venue has it'), ('unknown', 'not booked: the desk does not know what it is')], max_length=10, verbose_name='booked')),
                ('ts', models.DateTimeField(blank=True, help_text="When it began, by the venue's clock; empty: it cannot be read.", null=True)),
                ('moved_at', models.DateTimeField(blank=True, help_text='When the balance changed; empty: it has not.', null=True)),
                ('fee', models.DecimalField(decimal_places=18, default=Decimal('0'), help_text='On top of the amounts.', max_digits=38)),
                ('fee_asset', models.CharField(blank=True, max_length=16)),
                ('network', models.CharField(blank=True, max_length=128)),
                ('address', models.CharField(blank=True, max_length=260)),
                ('txid', models.CharField(blank=True, max_length=256, verbose_name='transaction id')),
                ('elsewhere', models.CharField(blank=True, help_text='The other wallet of the venue whose money it was.', max_length=16)),
                ('words', models.CharField(blank=True, help_text='What the venue calls it.', max_length=256)),
                ('raw', models.TextField(blank=True, help_text='The row as it came, if it could not be read.')),
                ('reversals', models.PositiveSmallIntegerField(default=0, help_text='How often it was booked back.')),
                ('first_seen', models.DateTimeField(default=django.utils.timezone.now)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('booked', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.ledgertransaction')),
                ('twin', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='wallets.movement')),
                ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='movements', to='wallets.wallet')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='MovementCursor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('listed', models.CharField(max_length=32, verbose_name='list')),
                ('since', models.DateTimeField(help_text='From when on it is asked for next time.')),
                ('asked_at', models.DateTimeField(blank=True, help_text='When the venue last answered.', null=True)),
                ('problem', models.CharField(blank=True, help_text='Why it is not read; empty: it is.', max_length=300)),
                ('offered', models.BooleanField(default=True, help_text='Whether this environment of the venue has it.')),
                ('wallet', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='movement_cursors', to='wallets.wallet')),
            ],
            options={
                'ordering': ['listed'],
            },
        ),
        migrations.CreateModel(
            name='MovementLeg',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asset', models.CharField(max_length=16)),
                ('amount', models.DecimalField(decimal_places=18, max_digits=38)),
                ('movement', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='legs', to='wallets.movement')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.AddIndex(
            model_name='movement',
            index=models.Index(fields=['wallet', '-id'], name='movement_by_wallet'),
        ),
        migrations.AddIndex(
            model_name='movement',
            index=models.Index(condition=models.Q(('txid', ''), _negated=True), fields=['wallet', 'txid'], name='movement_by_txid'),
        ),
        migrations.AddConstraint(
            model_name='movement',
            constraint=models.UniqueConstraint(fields=('wallet', 'reference'), name='movement_once'),
        ),
        migrations.AddConstraint(
            model_name='movementcursor',
            constraint=models.UniqueConstraint(fields=('wallet', 'listed'), name='movement_cursor_once'),
        ),
        migrations.RunPython(write_roles, migrations.RunPython.noop),
    ]
