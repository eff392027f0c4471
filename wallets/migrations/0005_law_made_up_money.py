"""Replays have books of their own, and money that is made up never falls below zero: the database refuses what would spend it."""

from django.db import migrations, models
from django.db.models import Q

# After the row is written: an insert that turns into an update proposes the change itself, which may well be negative. Where the
# amount is not negative, as almost always, the condition is all that this costs. What was negative before may rise.
NEVER_NEGATIVE = """
CREATE FUNCTION wallets_refuse_negative() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.amount >= OLD.amount THEN
            RETURN NULL;
        END IF;
    END IF;
    IF EXISTS (SELECT FROM wallets_wallet WHERE id = NEW.wallet_id AND kind <> 'exchange') THEN
        RAISE EXCEPTION 'the wallet has too little % for this: % would be missing', NEW.asset, -NEW.amount
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = 'balance_of_made_up_money_not_negative';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER never_negative AFTER INSERT OR UPDATE ON wallets_walletbalance
    FOR EACH ROW WHEN (NEW.amount < 0) EXECUTE FUNCTION wallets_refuse_negative();
"""
NEVER_NEGATIVE_UNDONE = """
DROP TRIGGER never_negative ON wallets_walletbalance;
DROP FUNCTION wallets_refuse_negative();
"""


class Migration(migrations.Migration):
    dependencies = [("wallets", "0004_books_unbooked")]

    operations = [
        migrations.AlterField(
            "wallet",
            "kind",
            models.CharField(
                max_length=8,
                choices=[("paper", "Paper"), ("exchange", "Exchange"), ("replay", "replay: the books of one run")],
            ),
        ),
        migrations.RemoveConstraint("wallet", "wallet_account_of_exchange_only"),
        migrations.AddConstraint(
            "wallet",
            models.CheckConstraint(
                condition=Q(kind__in=["paper", "replay"], account=None, maker__isnull=False, taker__isnull=False)
                | Q(kind="exchange", account__isnull=False),
                name="wallet_account_of_exchange_only",
            ),
        ),
        migrations.RunSQL(NEVER_NEGATIVE, NEVER_NEGATIVE_UNDONE),
    ]
