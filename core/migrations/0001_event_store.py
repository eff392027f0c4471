"""Takes the event store over from `trading`: any app writes events. A bot is named by its public id, so that events outlive it."""

import django.utils.timezone
from django.db import migrations, models

TAKE_OVER = """
ALTER TABLE trading_event RENAME TO core_event;
ALTER SEQUENCE trading_event_id_seq RENAME TO core_event_id_seq;
ALTER INDEX trading_event_pkey RENAME TO core_event_pkey;
ALTER TABLE core_event ADD COLUMN bot varchar(16) NOT NULL DEFAULT '';
UPDATE core_event SET bot = trading_bot.bot_id FROM trading_bot WHERE trading_bot.id = core_event.bot_id;
ALTER TABLE core_event ALTER COLUMN bot DROP DEFAULT;
ALTER TABLE core_event DROP COLUMN bot_id;
CREATE INDEX event_by_bot ON core_event (bot, id DESC);
"""
GIVE_BACK = """
ALTER TABLE core_event ADD COLUMN bot_id bigint NULL;
UPDATE core_event SET bot_id = trading_bot.id FROM trading_bot WHERE trading_bot.bot_id = core_event.bot;
ALTER TABLE core_event DROP COLUMN bot;
ALTER INDEX core_event_pkey RENAME TO trading_event_pkey;
ALTER SEQUENCE core_event_id_seq RENAME TO trading_event_id_seq;
ALTER TABLE core_event RENAME TO trading_event;
ALTER TABLE trading_event ADD CONSTRAINT trading_event_bot_id_e7559539_fk_trading_bot_id
    FOREIGN KEY (bot_id) REFERENCES trading_bot (id) DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX trading_event_bot_id_e7559539 ON trading_event (bot_id);
CREATE INDEX event_by_bot ON trading_event (bot_id, id DESC);
"""
"""The constraint comes after the update: a table with checks that are still to be made cannot be altered."""


def move_content_type(apps, old: str, new: str) -> None:
    """With the permissions and the admin's log of it."""
    types = apps.get_model("contenttypes", "ContentType").objects
    if not types.filter(app_label=new, model="event").exists():
        types.filter(app_label=old, model="event").update(app_label=new)


class Migration(migrations.Migration):
    initial = True
    dependencies = [("trading", "0002_claims_within_budget"), ("contenttypes", "0002_remove_content_type_name")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TAKE_OVER, GIVE_BACK)],
            state_operations=[
                migrations.CreateModel(
                    name="Event",
                    fields=[
                        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                        ("ts", models.DateTimeField(default=django.utils.timezone.now)),
                        ("type", models.CharField(max_length=24)),
                        ("source", models.CharField(max_length=40)),
                        ("bot", models.CharField(blank=True, help_text="bot_id of the bot that it is about.", max_length=16)),
                        ("run_id", models.CharField(blank=True, max_length=16)),
                        ("correlation_id", models.CharField(blank=True, max_length=32)),
                        ("payload", models.JSONField(default=dict)),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(fields=["correlation_id", "id"], name="event_chain"),
                            models.Index(fields=["bot", "-id"], name="event_by_bot"),
                        ],
                    },
                ),
            ],
        ),
        migrations.RunPython(
            lambda apps, editor: move_content_type(apps, "trading", "core"),
            lambda apps, editor: move_content_type(apps, "core", "trading"),
        ),
    ]
