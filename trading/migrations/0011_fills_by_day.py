"""What fills come to by day is kept by the database, beside each fill that is written: a year of a million fills is then read at once.
One rule for whoever writes fills, and for a fee whose worth is found later."""

import django.db.models.deletion
from django.db import migrations, models

import trading.models

# A bot's fills are written one statement after the other, and a wallet's row is locked by the booking in the same statement: nobody
# waits for anybody here who does not wait there already. Of what is changed, the new is counted first and the old taken back.
COUNTED = """
CREATE FUNCTION trading_count_fill(fill trading_fill, sign integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    placed record;
    on_day date := (fill.ts AT TIME ZONE 'UTC')::date;
    quote text := split_part(fill.symbol, '-', 2);
    sold integer := CASE WHEN fill.profit IS NULL THEN 0 ELSE sign END;
    gained integer := CASE WHEN fill.profit > 0 THEN sign ELSE 0 END;
    profit numeric := sign * COALESCE(fill.profit, 0);
    fee numeric := sign * COALESCE(fill.fee, 0);
    unknown integer := CASE WHEN fill.fee IS NULL THEN sign ELSE 0 END;
BEGIN
    SELECT one.mode, one.wallet_id, COALESCE(run.config->>'strategy', '') AS strategy INTO placed
    FROM trading_order AS one JOIN trading_botrun AS run ON run.id = one.run_id WHERE one.id = fill.order_id;
    IF placed.mode = 'replay' THEN
        RETURN;
    END IF;
    INSERT INTO trading_botday AS known (bot_id, mode, venue, symbol, strategy, day, currency, sales, won, realised, fees, unvalued,
        best, worst)
    VALUES (fill.bot_id, placed.mode, fill.venue, fill.symbol, placed.strategy, on_day, quote, sold, gained, profit, fee, unknown,
        CASE WHEN sign > 0 THEN fill.profit END, CASE WHEN sign > 0 THEN fill.profit END)
    ON CONFLICT (bot_id, mode, venue, symbol, strategy, day) DO UPDATE SET sales = known.sales + excluded.sales,
        won = known.won + excluded.won, realised = known.realised + excluded.realised, fees = known.fees + excluded.fees,
        unvalued = known.unvalued + excluded.unvalued, best = greatest(known.best, excluded.best),
        worst = least(known.worst, excluded.worst);
    INSERT INTO trading_walletday AS known (wallet_id, mode, venue, currency, fee_asset, day, sales, won, realised, fees, unvalued,
        paid)
    VALUES (placed.wallet_id, placed.mode, fill.venue, quote, fill.fee_asset, on_day, sold, gained, profit, fee, unknown,
        sign * fill.fee_paid)
    ON CONFLICT (wallet_id, mode, venue, currency, fee_asset, day) DO UPDATE SET sales = known.sales + excluded.sales,
        won = known.won + excluded.won, realised = known.realised + excluded.realised, fees = known.fees + excluded.fees,
        unvalued = known.unvalued + excluded.unvalued, paid = known.paid + excluded.paid;
    IF sign < 0 THEN
        UPDATE trading_botday AS known SET (best, worst) = (
            SELECT max(one.profit), min(one.profit) FROM trading_fill AS one
            WHERE one.bot_id = known.bot_id AND one.symbol = known.symbol
            AND one.ts >= on_day::timestamp AT TIME ZONE 'UTC' AND one.ts < (on_day + 1)::timestamp AT TIME ZONE 'UTC'
        ) WHERE (bot_id, mode, venue, symbol, strategy, day) = (fill.bot_id, placed.mode, fill.venue, fill.symbol, placed.strategy, on_day);
    END IF;
END $$;
CREATE FUNCTION trading_fill_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM trading_count_fill(NEW, 1);
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM trading_count_fill(OLD, -1);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER counted_by_day AFTER INSERT OR UPDATE OR DELETE ON trading_fill FOR EACH ROW EXECUTE FUNCTION trading_fill_counted();
"""
COUNTED_UNDONE = """
DROP TRIGGER counted_by_day ON trading_fill;
DROP FUNCTION trading_fill_counted();
DROP FUNCTION trading_count_fill(trading_fill, integer);
"""
COUNT_ALL = "SELECT count(trading_count_fill(fill, 1)) FROM trading_fill AS fill"
MODE = models.CharField(max_length=8, choices=[("replay", "Replay"), ("paper", "Paper"), ("testnet", "Testnet"), ("live", "Live")])


def day_sums():
    return [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("mode", MODE.clone()),
        ("day", models.DateField()),
        ("venue", models.CharField(max_length=32)),
        ("currency", models.CharField(help_text="The quote of its symbols.", max_length=16)),
        ("sales", models.IntegerField(help_text="Fills that sold.")),
        ("won", models.IntegerField(help_text="Sales with a profit above zero.")),
        ("realised", trading.models.amount_field(help_text="Profit of the sales, fees of both sides included.")),
        ("fees", trading.models.amount_field(help_text="As far as their worth is known.")),
        ("unvalued", models.IntegerField(help_text="Fills whose fee has no known worth.")),
    ]


class Migration(migrations.Migration):
    dependencies = [("trading", "0010_fill_once_a_side"), ("wallets", "0005_law_made_up_money")]

    operations = [
        migrations.CreateModel(
            "BotDay",
            [
                *day_sums(),
                ("strategy", models.CharField(help_text="That of the runs.", max_length=64)),
                ("symbol", models.CharField(max_length=32)),
                ("best", trading.models.amount_field(help_text="The highest profit of a single sale.", null=True)),
                ("worst", trading.models.amount_field(null=True)),
                ("bot", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="days", to="trading.bot")),
            ],
            options={
                "indexes": [models.Index(fields=["mode", "day"], name="bot_day_by_day")],
                "constraints": [
                    models.UniqueConstraint(fields=("bot", "mode", "venue", "symbol", "strategy", "day"), name="bot_day_once")
                ],
            },
        ),
        migrations.CreateModel(
            "WalletDay",
            [
                *day_sums(),
                ("fee_asset", models.CharField(max_length=16)),
                ("paid", trading.models.amount_field(help_text="Fees as the venue took them, in the fee's asset.")),
                (
                    "wallet",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="days", to="wallets.wallet"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["mode", "day"], name="wallet_day_by_day")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("wallet", "mode", "venue", "currency", "fee_asset", "day"), name="wallet_day_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(COUNTED, COUNTED_UNDONE),
        migrations.RunSQL(COUNT_ALL, migrations.RunSQL.noop),
    ]
