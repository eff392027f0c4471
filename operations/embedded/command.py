"""The services that one `manage.py` command needs while it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from core import env
from operations.embedded.errors import CannotStart
from operations.embedded.layout import VarFolder
from operations.embedded.lock import hold_lock, is_held
from operations.embedded.preparation import refuse_newer_desk
from operations.embedded.services import start_services

# These commands need neither database nor broker.
WITHOUT_SERVICES = {
    *("help", "version", "check", "collectstatic", "findstatic", "diffsettings", "spectacular", "makemigrations", "sandbox"),
    *("makemessages", "compilemessages", "squashmigrations", "optimizemigration", "startapp", "startproject"),
}
# These commands start the services in their own way, or check whether they run.
SEES_TO_SERVICES = {"desk", "doctor"}


@contextmanager
def services_for_command(arguments: Sequence[str]) -> Iterator[None]:
    """Set DATABASE_URL and REDIS_URL for a command line, before Django reads its settings.

    If the operator has given them, they are used as they are. Otherwise the embedded services of var/ are shared with whoever
    runs them, or run for as long as the command does. Raises CannotStart with the reason.
    """
    command = arguments[0] if arguments else "help"
    if command != "desk":
        # A command needs only one connection. A pool would only make it wait long for a server that is not there.
        os.environ.setdefault("DATABASE_POOL", "0")
    if not needs_services(command, arguments) or given_services():
        yield
        return
    layout = VarFolder(env.var_folder())
    use_embedded(layout)
    if command in SEES_TO_SERVICES:
        layout.make()
        yield
        return
    services = start_services(layout.var)
    try:
        if command != "migrate":
            bring_schema_up_to_date(layout)
        yield
    finally:
        services.release()


def given_services() -> bool:
    """Whether the operator has named services. Raises CannotStart where only one of two is named."""
    given = [name for name in ("DATABASE_URL", "REDIS_URL") if env.read_text(name)]
    if len(given) == 1:
        raise CannotStart(f"{given[0]} is set alone. Set both DATABASE_URL and REDIS_URL, or neither.")
    return bool(given)


def needs_services(command: str, arguments: Sequence[str]) -> bool:
    return command not in WITHOUT_SERVICES and not command.startswith("-") and not {"-h", "--help"} & set(arguments)


def use_embedded(layout: VarFolder) -> None:
    os.environ["DATABASE_URL"] = layout.database_url
    os.environ["REDIS_URL"] = layout.redis_url


def bring_schema_up_to_date(layout: VarFolder) -> None:
    """Migrate if no desk has yet, so that a command works in a fresh clone. Raises CannotStart if a newer build has migrated."""
    if is_held(layout.run / "desk.lock"):
        return
    with hold_lock(layout.run / "migrate.lock"):
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection
        from django.db.migrations.executor import MigrationExecutor

        refuse_newer_desk()
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            print("Preparing the database ...", file=sys.stderr)
            call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
        connection.close()
