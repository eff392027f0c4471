"""An older build leaves a desk alone that a newer one has migrated."""

from __future__ import annotations

from collections.abc import Callable

from tests.running import RunningDesk, wait_for

MIGRATED = """
from django.db.migrations.recorder import MigrationRecorder
from django.db import connection
for app, name in (("trading", "0998_of_the_next"), ("wallets", "0999_of_the_next"), ("celery_results", "0999_not_ours")):
    MigrationRecorder(connection).record_applied(app, name)
"""


def test_an_older_build_refuses_a_newer_desk(new_desk: Callable[..., RunningDesk]) -> None:
    desk = new_desk()
    assert desk.command("shell", "-v0", "-c", MIGRATED).returncode == 0
    for command in (("desk",), ("shell", "-v0", "-c", "print('wrote')")):
        refused = desk.command(*command)
        assert refused.returncode == 1
        assert "wrote" not in refused.stdout
        assert "Traceback" not in refused.stderr
        assert refused.stderr.count("\n") == 1
        assert "wallets.0999_of_the_next" in refused.stderr
        assert "Update Quarterdeck" in refused.stderr
    # The keeper gives up its lock a moment before it has gone.
    wait_for(lambda: not desk.processes(), "nothing is left")
