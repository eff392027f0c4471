"""What has to be in order before a desk opens: schema, first administrator, static files, demo data."""

from __future__ import annotations

import secrets
from pathlib import Path

from core import env
from operations.embedded.errors import CannotStart
from operations.embedded.layout import VarFolder
from operations.embedded.lock import hold_lock
from operations.embedded.progress import timed_step


def prepare_desk(layout: VarFolder, *, demo: bool, sandbox_port: int = 0) -> None:
    with timed_step("database schema"):
        migrate_database(layout)
    make_first_administrator()
    if static_files_changed():
        with timed_step("static files"):
            collect_static_files()
    load_demo(layout, wanted=demo)
    if sandbox_port:
        load_sandbox(layout, sandbox_port, wanted=demo)


def migrate_database(layout: VarFolder) -> None:
    from django.core.management import call_command

    with hold_lock(layout.run / "migrate.lock"):
        refuse_newer_desk()
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)


def refuse_newer_desk() -> None:
    """Raises CannotStart if a newer build has migrated the database. This build would write rows that the newer one does not
    understand, and read rows that it does not understand itself."""
    if newer := find_newer_migration():
        raise CannotStart(
            f"A newer Quarterdeck has used this desk: its database has the migration {newer}, which this build does not know. "
            "Update Quarterdeck, and start again."
        )


def find_newer_migration() -> str:
    """The newest migration of our apps that the database has and this build has not, as `app.name`; empty if there is none."""
    from django.apps import apps
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder

    ours = {config.label for config in apps.get_app_configs() if Path(config.path).parent == env.PROJECT}
    known = MigrationLoader(connection).disk_migrations
    applied = MigrationRecorder(connection).applied_migrations()
    unknown = [row for key, row in applied.items() if key[0] in ours and key not in known]
    newest = max(unknown, key=lambda row: (row.applied, row.pk), default=None)
    return f"{newest.app}.{newest.name}" if newest else ""


def make_first_administrator() -> None:
    """Makes an administrator if there is none: from ADMIN_USER and ADMIN_PASSWORD, or with a random password that is shown this
    once."""
    from django.contrib.auth import get_user_model

    users = get_user_model()
    if users.objects.filter(is_superuser=True).exists():
        return
    name, given = env.read_text("ADMIN_USER", "admin"), env.read_text("ADMIN_PASSWORD")
    password = given or secrets.token_urlsafe(12)
    with timed_step(f"administrator {name}"):
        users.objects.create_superuser(name, password=password)
    if not given:
        print(f"\n  Sign in as   {name}\n  password     {password}   (shown this once)\n", flush=True)


def static_files_changed() -> bool:
    """Whether a file of ours, or the set of installed packages, is newer than what was collected."""
    from django.conf import settings

    manifest = settings.STATIC_ROOT / "staticfiles.json"
    if not manifest.exists():
        return True
    sources = [*(settings.BASE_DIR / "static").rglob("*"), env.PROJECT / "deploy" / "requirements" / "runtime.txt"]
    return max(path.stat().st_mtime for path in sources) > manifest.stat().st_mtime


def collect_static_files() -> None:
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0, clear=False, skip_checks=True)


def load_demo(layout: VarFolder, *, wanted: bool) -> None:
    """Loads the demo data on the first start only. Somebody who deletes them, or started without them, does not get them again."""
    from market.models import CandleSeries

    mark = layout.var / "demo"
    if mark.exists():
        return
    if wanted and not CandleSeries.objects.exists():
        with timed_step("demo data"):
            load_demo_data()
    mark.write_text("decided\n")


def load_demo_data() -> None:
    from backtests import demo, tasks
    from market.services import demo_data_load

    demo_data_load()
    for run in demo.runs_create():
        tasks.run_start(run)


def load_sandbox(layout: VarFolder, port: int, *, wanted: bool) -> None:
    """Makes the sandbox's accounts, at the address that it has today. On the first start it also makes the bots of the
    demonstration."""
    from trading.demo import demo_bots_load, demo_drift_load, demo_watches_load, sandbox_accounts, sandbox_nodes

    accounts = sandbox_accounts(port)
    sandbox_nodes(port)
    mark = layout.var / "demo_bots"
    if mark.exists():
        return
    if wanted:
        with timed_step("demo bots"):
            demo_bots_load(accounts)
            demo_drift_load()
        with timed_step("demo wallets on chains"):
            demo_watches_load(port)
    mark.write_text("decided\n")
