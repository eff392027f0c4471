"""A real Celery worker: it survives a strategy that never returns, and a run survives its worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from backtests import selectors, services, tasks
from backtests.models import BacktestRun, Status
from config.celery import app
from engine.strategies import registry
from tests.backtests.fixtures import CONFIG

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]

PROJECT = Path(__file__).resolve().parents[2]
PATIENCE = 120  # seconds; a new machine compiles the kernels first
GATED = '''
import os, time
from pathlib import Path
from engine.strategies.sma_cross import SmaCross

class Gated(SmaCross):
    """Waits for a file to appear."""
    name, title, description = "gated", "Gated", "For tests."

    def signals(self, candles, columns):
        while not Path(os.environ["GATE"]).exists():
            time.sleep(0.02)
        return super().signals(candles, columns)
'''


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The strategy `gated`, installed as another package would install one; it goes on once this file exists."""
    package = tmp_path / "package"
    (package / "gated-1.dist-info").mkdir(parents=True)
    (package / "gated.py").write_text(GATED)
    (package / "gated-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: gated\nVersion: 1\n")
    (package / "gated-1.dist-info" / "entry_points.txt").write_text("[quarterdeck.strategies]\ngated = gated:Gated\n")
    monkeypatch.syspath_prepend(package)
    monkeypatch.setenv("PYTHONPATH", str(package))
    monkeypatch.setenv("GATE", str(tmp_path / "gate"))
    registry.find_strategies.cache_clear()
    yield tmp_path / "gate"
    registry.find_strategies.cache_clear()


def database_url() -> str:
    """The test database's address."""
    at = connection.settings_dict
    login = f"{at['USER']}:{at['PASSWORD']}" if at["PASSWORD"] else at["USER"]
    if str(at["HOST"]).startswith("/"):
        return f"postgresql://{login}@/{at['NAME']}?host={at['HOST']}"
    return f"postgresql://{login}@{at['HOST']}:{at['PORT'] or 5432}/{at['NAME']}"


@pytest.fixture
def worker(storage_folder: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts workers; whatever they started dies with the test."""
    app.control.purge()
    started: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "config", "worker", "-c", "1", "--without-gossip", "--without-mingle"],
                cwd=PROJECT,
                env={**os.environ, "DATABASE_URL": database_url(), "MEDIA_ROOT": str(storage_folder), **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        kill(process)
    connection.close()


def kill(process: subprocess.Popen[bytes]) -> None:
    """The worker and its children, without a chance to say goodbye."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def wait(condition: Callable[[], Any], log: Path) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, log.read_text()[-4_000:]
        time.sleep(0.02)
    return found


def start(**changes: Any) -> str:
    run = services.run_create(config={**CONFIG, **changes})
    tasks.run_start(run)
    return run.run_id


def reached(run_id: str, *statuses: str) -> Callable[[], BacktestRun | None]:
    return lambda: run if (run := selectors.run_get(run_id)).status in statuses else None


ENDED = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)


def test_a_worker_outlives_a_strategy_that_never_returns(hold: Any, worker: Any, gate: Path, tmp_path: Path) -> None:
    hold()
    log = tmp_path / "worker.log"
    process = worker(RUN_TIME_LIMIT_SECONDS="1")
    endless, good = start(strategy="gated"), start()
    failed = wait(reached(endless, *ENDED), log)
    assert (failed.status, failed.error_code) == (Status.FAILED, "time_limit")
    done = wait(reached(good, *ENDED), log)
    assert (done.status, done.worker) == (Status.COMPLETED, failed.worker)
    assert process.poll() is None


def test_a_run_whose_worker_is_killed_is_found_and_can_be_retried(
    hold: Any, worker: Any, gate: Path, tmp_path: Path, settings: Any
) -> None:
    hold()
    log = tmp_path / "worker.log"
    first = worker()
    run_id = start(strategy="gated")
    wait(reached(run_id, Status.RUNNING), log)
    kill(first)
    settings.RUN_LOST_AFTER_SECONDS = 1
    assert wait(lambda: services.runs_sweep_lost().lost, log) == [run_id]
    lost = selectors.run_get(run_id)
    assert (lost.status, lost.error_code, lost.results) == (Status.FAILED, "worker_lost", None)
    gate.touch()
    worker()
    tasks.run_start(services.run_retry(run_id=run_id))
    done = wait(reached(run_id, *ENDED), log)
    assert (done.status, done.attempt) == (Status.COMPLETED, 2)
    assert done.trades == len(selectors.run_trades(done, limit=500).rows)


def test_a_running_run_is_cancelled_by_its_worker(hold: Any, worker: Any, gate: Path, tmp_path: Path) -> None:
    hold()
    log = tmp_path / "worker.log"
    worker()
    run_id = start(strategy="gated")
    wait(reached(run_id, Status.RUNNING), log)
    asked = time.monotonic()
    services.run_cancel(run_id=run_id)
    assert wait(reached(run_id, *ENDED), log).status == Status.CANCELLED
    assert time.monotonic() - asked < 10
