"""Sweeps on real Celery workers: any number of them, and one that dies in the middle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from backtests import tasks
from backtests.models import ENDED, Status, Sweep, SweepChunk, SweepTrial
from backtests.sweeps import services
from core.work import send_jobs
from engine.types import Candles
from tests.backtests.fixtures import CONFIG
from tests.backtests.test_worker import gate, kill, wait, worker

__all__ = ["gate", "worker"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
CHUNKS = 6


def sweep_of(strategy: str) -> Sweep:
    space = {"fast": "5:20:5", "slow": "10:40:10"}
    return services.sweep_create(config={**CONFIG, "strategy": strategy, "params": {}, "space": space})


def rows(sweep: Sweep) -> list[tuple[Any, ...]]:
    return list(SweepTrial.objects.filter(sweep=sweep).order_by("index").values_list("params", "final_equity", "sharpe", "trades"))


def ended(sweep: Sweep) -> Callable[[], bool]:
    return lambda: Sweep.objects.filter(pk=sweep.pk, status__in=ENDED).exists()


def test_a_killed_worker_s_chunk_is_done_again_with_the_same_results(
    hold: Callable[..., Candles], worker: Any, gate: Path, tmp_path: Path, settings: Any
) -> None:
    hold(count=9_600)
    log = tmp_path / "worker.log"
    first = worker()
    sweep = sweep_of("gated")
    tasks.sweep_start(sweep)
    running = SweepChunk.objects.filter(sweep=sweep, status=Status.RUNNING)
    wait(running.exists, log)
    kill(first)
    SweepChunk.objects.filter(sweep=sweep).update(heartbeat_at=F("heartbeat_at") - timedelta(hours=1))
    gate.touch()
    worker()
    worker()
    send_jobs(tasks.sweep_chunk_execute, services.sweeps_sweep_lost().waiting)
    tasks.sweep_send(sweep.sweep_id)  # the messages that the dead worker had taken
    wait(ended(sweep), log)
    sweep.refresh_from_db()
    assert (sweep.status, sweep.error) == (Status.COMPLETED, "")
    assert sorted(sweep.chunks.values_list("attempt", flat=True)) == [1] * (CHUNKS - 1) + [2]
    alone = services.sweep_run(sweep_id=sweep_of("sma_cross").sweep_id)
    assert rows(sweep) == rows(alone)
    assert sweep.summary == alone.summary
