"""What every test stands on: private PostgreSQL and Valkey (or the given ones), set up before Django reads its settings."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.running import PASSWORD, RunningDesk

PROJECT = Path(__file__).resolve().parent.parent
CHROMIUM = Path("/usr/bin/chromium")
URLS = ("DATABASE_URL", "REDIS_URL")
# Which process of a parallel run started the services that the environment names.
STARTED_BY = "QUARTERDECK_TEST_SERVICES"


def settle_environment() -> None:
    """Nothing of the developer's own desk reaches a test: its own var/, no .env file, and services of its own unless given."""
    var = Path(tempfile.mkdtemp(prefix="quarterdeck-test-"))
    (var / "static").mkdir()
    atexit.register(shutil.rmtree, var, ignore_errors=True)
    # Tests start processes on databases of other names, which are to hear them all the same: hence the prefix.
    own = {"VAR": str(var), "ENV_FILE": os.devnull, "REDIS_PREFIX": f"test-{os.getpid()}"}
    os.environ.update(own, DJANGO_SETTINGS_MODULE="config.settings")
    if all(os.environ.get(name) for name in URLS) and STARTED_BY not in os.environ:
        for name in URLS:
            check_reachable(name)
        return
    if any(os.environ.get(name) for name in URLS) and STARTED_BY not in os.environ:
        raise pytest.UsageError("Set both DATABASE_URL and REDIS_URL, or neither.")
    if os.environ.get("REQUIRE_SERVICES"):
        raise pytest.UsageError("REQUIRE_SERVICES is set, so DATABASE_URL and REDIS_URL must name services that can be reached.")
    start_embedded(var)


def check_reachable(name: str) -> None:
    parts = urlsplit(os.environ[name])
    default = 5432 if name == "DATABASE_URL" else 6379
    if not parts.hostname:
        return
    try:
        socket.create_connection((parts.hostname, parts.port or default), timeout=5).close()
    except OSError as error:
        raise pytest.UsageError(
            f"{name} names {parts.hostname}:{parts.port or default}, which cannot be reached: {error}"
        ) from error


def start_embedded(var: Path) -> None:
    """Each process of a parallel run has services of its own, so that brokers and channels do not mix."""
    from operations.embedded import start_services

    services = start_services(var, durable=False)
    atexit.register(services.stop)
    os.environ.update(DATABASE_URL=services.database_url, REDIS_URL=services.redis_url)
    os.environ[STARTED_BY] = str(os.getpid())


def set_up_django() -> None:
    import django
    from django.conf import settings

    # Pages render without a collectstatic before.
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    # Every answer of the API is held to its document, whichever test asks.
    settings.MIDDLEWARE.insert(0, "tests.contract.conformance.CheckAnswers")
    if suffix := os.environ.get("TEST_DB_SUFFIX"):
        settings.DATABASES["default"] |= {"TEST": {"NAME": f"test_{suffix}"}}
    django.setup()


# At import, because conftest files further down and test modules import models.
settle_environment()
set_up_django()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real candles beside the checkout."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real candles (../shared/data) are not on this machine")
    return folder


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # A browser's driver leaves an event loop running in its process, in which Django refuses to touch the database.
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)
    if CHROMIUM.exists() or os.environ.get("REQUIRE_BROWSER"):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason=f"no {CHROMIUM}: install Debian's chromium to run the browser tests"))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's chromium, without the calls that it makes home."""
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing, and REQUIRE_BROWSER asks for the browser tests.")
    quiet = ("quic", "background-networking", "component-update", "sync", "gpu")
    arguments = ["--no-sandbox", "--no-first-run", *(f"--disable-{feature}" for feature in quiet)]
    return browser_type_launch_args | {"executable_path": str(CHROMIUM), "args": arguments}


@pytest.fixture(scope="session")
def live_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDesk]:
    """A whole desk with its demo data, for tests through a browser or from outside. Sign in as admin with `running.PASSWORD`."""
    account = {"ADMIN_USER": "admin", "ADMIN_PASSWORD": PASSWORD, "DEMO": "1"}
    desk = RunningDesk(tmp_path_factory.mktemp("live") / "var", extra=account)
    try:
        yield desk.start()
    finally:
        desk.stop()
