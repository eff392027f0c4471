"""A process that runs and does nothing is ended, and starts again."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from kombu.asynchronous.timer import Timer

from config.celery import Heartbeat
from core.heartbeat import FOLDER, heartbeat_write
from operations.embedded.process import Child
from operations.embedded.pulse import HANGS_AFTER, HELD_UP, LOOKS_EVERY, AnswerPulse, Pulse, clear_beats, read_beat


def looks(pulse: Pulse, seconds: float, begin: float) -> list[bool]:
    """What it finds at each look in that time."""
    return [pulse.has_stopped(begin + number * LOOKS_EVERY) for number in range(1, int(seconds / LOOKS_EVERY) + 1)]


def test_what_changes_is_at_work_and_what_has_not_begun_is_not_judged() -> None:
    counting = iter(range(1_000))
    assert not any(looks(Pulse(lambda: next(counting)), 10 * HANGS_AFTER, 1_000.0))
    assert not any(looks(Pulse(lambda: None), 10 * HANGS_AFTER, 1_000.0))


def test_what_does_not_change_hangs_once_each_time() -> None:
    found = looks(Pulse(lambda: 7), 3 * HANGS_AFTER, 1_000.0)
    assert found.count(True) == 2
    assert found.index(True) == HANGS_AFTER / LOOKS_EVERY


def test_a_machine_that_slept_ends_nothing() -> None:
    pulse = Pulse(lambda: 7)
    assert not any(looks(pulse, HANGS_AFTER - LOOKS_EVERY, 1_000.0))
    assert not pulse.has_stopped(1_000.0 + HANGS_AFTER + HELD_UP)
    assert not any(looks(pulse, HANGS_AFTER - LOOKS_EVERY, 1_000.0 + HANGS_AFTER + HELD_UP))


def test_a_server_is_at_work_as_long_as_it_answers() -> None:
    answers = [False, True, True, False, False, True]
    first, second = object(), object()
    processes = [first] * 4 + [second] * 2
    read = AnswerPulse(lambda: answers.pop(0), lambda: processes.pop(0))
    assert [read() for _ in range(6)] == [None, 1, 2, 2, None, 1]


def test_a_process_that_hangs_is_ended_and_starts_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1_000.0]
    monkeypatch.setattr("operations.embedded.process.time.monotonic", lambda: now[0])
    child = Child("sleeper", [sys.executable, "-c", "import signal; signal.pause()"], tmp_path / "log", pulse=Pulse(lambda: 7))
    child.start()
    first = child.process
    assert first is not None

    def pass_time(until: Callable[[str], bool]) -> str:
        while True:
            now[0] += LOOKS_EVERY
            if (message := child.mend() or "") and until(message):
                return message

    try:
        assert "gave no sign of work for 60 s" in pass_time(bool)
        assert first.wait(30) == -signal.SIGKILL
        pass_time(lambda message: "started again" in message)
        assert child.running
        assert child.process is not first
    finally:
        child.kill()
        child.await_end(30)


def test_a_heartbeat_is_written_only_where_somebody_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    heartbeat_write()
    folder = tmp_path / "beats"
    clear_beats(folder)
    monkeypatch.setenv(FOLDER, str(folder))
    assert read_beat(folder, os.getpid()) is None
    heartbeat_write()
    assert read_beat(folder, os.getpid()) is not None
    clear_beats(folder)
    assert read_beat(folder, os.getpid()) is None


def test_a_worker_that_has_lost_its_broker_is_not_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "beats"
    clear_beats(folder)
    monkeypatch.setenv(FOLDER, str(folder))
    consumer = SimpleNamespace(timer=Timer())
    step = Heartbeat(consumer)
    step.start(consumer)
    assert read_beat(folder, os.getpid()) is not None
    assert len(consumer.timer.queue) == 1
    step.stop(consumer)
    assert read_beat(folder, os.getpid()) is None
    assert all(entry.entry.canceled for entry in consumer.timer.queue)
