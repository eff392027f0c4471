"""What holds while a desk is open."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from urllib.request import urlopen

from operations.embedded.layout import VarFolder
from operations.embedded.pulse import read_beat
from tests.running import RunningDesk, wait_for


def restarted(desk: RunningDesk, words: str) -> None:
    """Kill the process with these words in its command line; another one comes in its place, and the desk answers again."""
    wait_for(lambda: desk.pid_of(words) > 0, words)
    before = desk.pid_of(words)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: desk.pid_of(words) not in {0, before}, f"another {words}")
    wait_for(desk.answers, "the desk answers again")


def test_it_is_ready(desk: RunningDesk) -> None:
    with urlopen(f"{desk.url}/api/v1/health/ready") as response:
        assert json.load(response)["status"] == "ok"


def test_what_is_compiled_already_is_left_alone(desk: RunningDesk) -> None:
    assert not (desk.var / "log" / "engine.log").exists()
    assert "is compiled for this machine" not in desk.output


def test_the_sign_in_page_is_served_with_its_stylesheet(desk: RunningDesk) -> None:
    with urlopen(f"{desk.url}/") as page:
        html = page.read().decode()
    assert page.url.endswith("/sign-in/?next=/")
    stylesheet = html.split('rel="stylesheet"')[1].split('href="')[1].split('"')[0]
    with urlopen(desk.url + stylesheet) as css:
        assert css.status == 200


def test_a_second_desk_is_refused_and_told_who_runs(desk: RunningDesk) -> None:
    refused = desk.command("desk")
    assert refused.returncode == 1
    assert f"process {desk.pid}" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_port_in_use_is_told_before_anything_starts(desk: RunningDesk, new_desk: Callable[..., RunningDesk]) -> None:
    other = new_desk()
    other.port = desk.port
    refused = other.command("desk")
    assert refused.returncode == 1
    assert f"Port {desk.port}" in refused.stderr
    assert f"PORT={desk.port + 1}" in refused.stderr
    assert not (other.var / "postgres" / "18").exists()


def test_commands_use_its_database(desk: RunningDesk) -> None:
    made = desk.command("shell", "-v0", "-c", "from django.contrib.auth.models import Group; Group.objects.create(name='crew')")
    assert made.returncode == 0, made.stderr
    seen = desk.command("shell", "-v0", "-c", "from django.contrib.auth.models import Group; print(Group.objects.get(name='crew'))")
    assert seen.stdout.strip() == "crew"
    assert desk.answers()


def test_worker_schedules_and_stream_tell_again_and_again_that_they_are_at_work(desk: RunningDesk) -> None:
    beats = VarFolder(desk.var).beats

    def beat(words: str) -> float:
        return read_beat(beats, desk.pid_of(words)) or 0.0

    for words in ("celery --app config worker", "beat", "manage stream"):
        wait_for(lambda words=words: beat(words) > 0, f"a heartbeat of {words}")  # type: ignore[misc]
        first = beat(words)
        wait_for(lambda words=words, first=first: beat(words) > first, f"another heartbeat of {words}")  # type: ignore[misc]


def test_a_killed_child_comes_back(desk: RunningDesk) -> None:
    for words in ("daphne", "beat", "celery --app config worker"):
        restarted(desk, words)


def test_a_killed_database_comes_back(desk: RunningDesk) -> None:
    restarted(desk, "bin/postgres")


def test_a_killed_broker_comes_back(desk: RunningDesk) -> None:
    restarted(desk, "valkey-server")


def test_the_killed_keeper_of_both_comes_back(desk: RunningDesk) -> None:
    restarted(desk, "operations.embedded.keeper")


def test_a_killed_worker_takes_its_pool_along(desk: RunningDesk) -> None:
    words = "celery --app config worker"
    wait_for(lambda: len([line for line in desk.processes().values() if words in line]) == 2, "a worker with its pool")
    before = {pid for pid, line in desk.processes().items() if words in line}
    os.kill(min(before), signal.SIGKILL)
    wait_for(lambda: not before & desk.processes().keys(), "the pool has gone with its worker")


def test_the_doctor_finds_it_well(desk: RunningDesk) -> None:
    def well() -> bool:
        return desk.command("doctor").returncode == 0

    wait_for(well, "a well desk, its worker started")
    report = json.loads(desk.command("doctor", "--json").stdout)
    assert report["ok"] is True
    names = {check["name"] for check in report["checks"]}
    assert {
        "Desk",
        "Database",
        "Schema",
        "Clock",
        "Broker",
        "Workers",
        "Schedules",
        "Channel layer",
        "Static files",
        "Disk",
    } <= names


def test_the_doctor_names_faults_and_remedies(new_desk: Callable[..., RunningDesk]) -> None:
    """Where no desk is open."""
    sick = new_desk().command("doctor")
    assert sick.returncode == 1
    assert "Traceback" not in sick.stderr
    for line in ("FAULT   Desk", "FAULT   Database", "FAULT   Broker", "make run"):
        assert line in sick.stdout
