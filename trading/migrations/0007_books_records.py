"""What books and records promise: claims with run, trigger and release, dust by name, fees whose worth may be unknown, budgets that
nobody set. What is stored is kept; what was never written down is worked out from what was."""

from decimal import Decimal

import django.db.models.deletion
from django.db import migrations, models

import trading.models

OWN_EQUITY = "UPDATE trading_riskbudget SET \"limit\" = NULL WHERE scope = 'bot' AND \"limit\" = 10 ^ 15::numeric"
OWN_EQUITY_UNDONE = 'UPDATE trading_riskbudget SET "limit" = 10 ^ 15::numeric WHERE "limit" IS NULL'
CLAIMED_FOR = """
UPDATE trading_riskallocation AS claim SET run_id = placed.run_id, symbol = placed.symbol, trigger_id = placed.trigger_id
FROM trading_order AS placed WHERE placed.id = claim.order_id
"""
# Of what a claim used, what is still in the position is that of the newest purchases: the oldest are sold first.
GIVEN_BACK = """
WITH bought AS (
    SELECT claim.id, claim.used, coalesce(position.cost, 0) AS cost, position.updated_at AS sold_at,
        sum(claim.used) OVER (PARTITION BY claim.bot_id, claim.symbol ORDER BY claim.id DESC) - claim.used AS newer
    FROM trading_riskallocation AS claim
    LEFT JOIN trading_position AS position ON position.bot_id = claim.bot_id AND position.symbol = claim.symbol
), kept AS (
    SELECT id, sold_at, least(used, greatest(cost - newer, 0)) AS used FROM bought
)
UPDATE trading_riskallocation AS claim SET
    released = greatest(claim.amount - claim.open - claim.used, 0) + claim.used - kept.used,
    released_at = CASE WHEN claim.open > 0 OR kept.used > 0 THEN NULL
        WHEN claim.used > 0 THEN greatest(kept.sold_at, claim.closed_at) ELSE claim.closed_at END,
    status = CASE WHEN claim.status = 'used' AND kept.used = 0 THEN 'released' ELSE claim.status END,
    used = kept.used
FROM kept WHERE kept.id = claim.id
"""
AVERAGES = """
UPDATE trading_positionsnapshot AS snapshot SET
    average_entry = CASE WHEN quantity = 0 THEN 0 ELSE round((value - unrealised) / quantity, 18) END,
    run_id = coalesce(
        (SELECT point.run_id FROM trading_equitypoint AS point WHERE point.bot_id = snapshot.bot_id AND point.ts = snapshot.ts), ''
    )
"""
NOTHING = migrations.RunSQL.noop
# PostgreSQL changes no table of which a deferred check is still to come, and the claims have just been given their runs.
CHECK_NOW = "SET CONSTRAINTS ALL IMMEDIATE"


ADD_TO_CLAIMS = [
    migrations.AddField(
        "riskallocation",
        "run",
        models.ForeignKey(
            null=True, on_delete=django.db.models.deletion.CASCADE, related_name="allocations", to="trading.botrun"
        ),
    ),
    migrations.AddField("riskallocation", "symbol", models.CharField(max_length=32, default=""), preserve_default=False),
    migrations.AddField(
        "riskallocation",
        "trigger_id",
        models.CharField(blank=True, default="", help_text="The candle or tick that it was decided on.", max_length=64),
        preserve_default=False,
    ),
    migrations.AddField(
        "riskallocation", "released", trading.models.amount_field(default=Decimal(0), help_text="What has been given back.")
    ),
    migrations.AddField(
        "riskallocation",
        "released_at",
        models.DateTimeField(help_text="When the last of it was given back.", null=True),
    ),
    migrations.AlterField(
        "riskallocation",
        "used",
        trading.models.amount_field(default=Decimal(0), help_text="At cost, what the order bought and the bot still holds."),
    ),
    migrations.AlterField(
        "riskallocation", "closed_at", models.DateTimeField(help_text="When the order was over.", null=True)
    ),
    migrations.RunSQL(CLAIMED_FOR, NOTHING),
    migrations.RunSQL(GIVEN_BACK, NOTHING),
    migrations.RunSQL(CHECK_NOW, NOTHING),
    migrations.AlterField(
        "riskallocation",
        "run",
        models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="allocations", to="trading.botrun"),
    ),
    migrations.AddIndex(
        "riskallocation",
        models.Index(fields=["bot", "id"], name="allocation_held", condition=models.Q(("used__gt", 0))),
    ),
]
ADD_TO_SNAPSHOTS = [
    migrations.AddField("positionsnapshot", "run_id", models.CharField(max_length=16, default=""), preserve_default=False),
    migrations.AddField(
        "positionsnapshot",
        "average_entry",
        trading.models.amount_field(default=Decimal(0), help_text="What a unit had cost, fees included, in quote."),
        preserve_default=False,
    ),
    migrations.RunSQL(AVERAGES, NOTHING),
]


class Migration(migrations.Migration):
    dependencies = [("trading", "0006_security_trade_live")]

    operations = [
        migrations.AddField(
            "botrun",
            "left",
            models.JSONField(
                blank=True, default=list, help_text="What was still held, or open, when it ended: how much, its worth, and why."
            ),
        ),
        migrations.AlterField(
            "botrun",
            "end_reason",
            models.CharField(
                blank=True,
                help_text="stopped, closed, partly_closed (see left), failed, finished (a replay)",
                max_length=32,
            ),
        ),
        migrations.AddField(
            "position",
            "dust",
            models.BooleanField(default=False, help_text="Too little for the venue to take an order for: no position."),
        ),
        migrations.AlterField(
            "fill",
            "fee",
            trading.models.amount_field(null=True, help_text="In quote, at the time of the fill; empty: its worth is not known."),
        ),
        migrations.AddField(
            "fill",
            "fee_valued",
            models.CharField(
                blank=True,
                help_text="How a fee in another asset was valued: the prices; unvalued: there was none.",
                max_length=120,
            ),
        ),
        migrations.AlterField(
            "riskbudget",
            "limit",
            trading.models.amount_field(null=True, help_text="Empty: none is set, so a bot may have its equity at risk."),
        ),
        migrations.AddConstraint(
            "riskbudget",
            models.CheckConstraint(
                condition=models.Q(("limit__isnull", False), ("scope", "bot"), models.Q(("mode", "live"), _negated=True), _connector="OR"),
                name="budget_limit_named_for_live",
            ),
        ),
        migrations.RunSQL(OWN_EQUITY, OWN_EQUITY_UNDONE),
        *ADD_TO_CLAIMS,
        *ADD_TO_SNAPSHOTS,
        migrations.AddIndex("blockevent", models.Index(fields=["ts", "reason"], name="block_by_time")),
        migrations.AddIndex("blockevent", models.Index(fields=["run_id", "-id"], name="block_by_run")),
    ]
