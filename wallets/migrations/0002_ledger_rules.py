"""What the database itself holds the ledger to: rows are never changed or deleted, and each transaction balances in every asset."""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION wallets_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: book a correction instead' USING ERRCODE = 'restrict_violation', TABLE = TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON wallets_ledgertransaction FOR EACH ROW EXECUTE FUNCTION wallets_refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON wallets_ledgerentry FOR EACH ROW EXECUTE FUNCTION wallets_refuse_change();
"""
APPEND_ONLY_UNDONE = """
DROP TRIGGER append_only ON wallets_ledgertransaction;
DROP TRIGGER append_only ON wallets_ledgerentry;
DROP FUNCTION wallets_refuse_change();
"""
# Looked at when the transaction of the database commits, by when all entries are there.
DOUBLE_ENTRY = """
CREATE FUNCTION wallets_entries_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM wallets_ledgerentry WHERE transaction_id = NEW.transaction_id GROUP BY asset HAVING sum(amount) <> 0
    ) THEN
        RAISE EXCEPTION 'ledger transaction % does not sum to zero in every asset', NEW.transaction_id
            USING ERRCODE = 'check_violation', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER double_entry AFTER INSERT ON wallets_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wallets_entries_balance();
"""
DOUBLE_ENTRY_UNDONE = """
DROP TRIGGER double_entry ON wallets_ledgerentry;
DROP FUNCTION wallets_entries_balance();
"""


class Migration(migrations.Migration):
    dependencies = [("wallets", "0001_initial")]

    operations = [
        migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_UNDONE),
        migrations.RunSQL(DOUBLE_ENTRY, DOUBLE_ENTRY_UNDONE),
    ]
