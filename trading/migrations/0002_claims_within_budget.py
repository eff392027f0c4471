"""The last word on claims. A check constraint would also refuse what is no claim: a fill that cost more than was set aside for it,
while other orders' claims take up the rest, has happened and must be booked."""

from django.db import migrations

WITHIN = """
CREATE FUNCTION trading_refuse_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'budget_not_exceeded: more is claimed than risk budget % has left', NEW.id
        USING ERRCODE = 'check_violation', CONSTRAINT = 'budget_not_exceeded', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER budget_not_exceeded BEFORE UPDATE ON trading_riskbudget FOR EACH ROW
    WHEN (NEW.claimed > OLD.claimed AND NEW.claimed + NEW.used > NEW."limit") EXECUTE FUNCTION trading_refuse_claim();
"""
WITHIN_UNDONE = """
DROP TRIGGER budget_not_exceeded ON trading_riskbudget;
DROP FUNCTION trading_refuse_claim();
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0001_initial")]

    operations = [
        migrations.RemoveConstraint(model_name="riskbudget", name="budget_not_exceeded"),
        migrations.RunSQL(WITHIN, WITHIN_UNDONE),
    ]
