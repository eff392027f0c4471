"""However a desk ends, nothing of it is left, and it starts again."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from operations.embedded import start_services
from operations.embedded.layout import VarFolder
from operations.embedded.lock import Lock, is_held
from tests.running import PROJECT, RunningDesk, wait_for

NewDesk = Callable[..., RunningDesk]


def nothing_left(desk: RunningDesk, seconds: float) -> None:
    wait_for(lambda: not desk.processes(), "nothing is left", seconds)


def test_it_ends_whole_and_starts_again_with_its_data(new_desk: NewDesk) -> None:
    desk = new_desk().start()
    assert desk.output.count("shown this once") == 1
    assert len(desk.processes()) > 5

    desk.signal(signal.SIGINT)
    assert desk.await_end() == 0
    nothing_left(desk, 60)

    desk.start()
    assert "password" not in desk.output
    desk.signal(signal.SIGKILL)
    nothing_left(desk, 60)

    # As under make, which stays behind as the parent: killed in its turn, it takes the desk along.
    desk.start(["/bin/sh", "-c", f"{sys.executable} manage.py desk --with-parent; exit"])
    desk.signal(signal.SIGKILL)
    nothing_left(desk, 60)


@pytest.fixture
def compiling(new_desk: NewDesk, tmp_path: Path) -> RunningDesk:
    """A desk on a machine that has compiled nothing yet, at work on it, with both processes."""
    desk = new_desk(extra={"NUMBA_CACHE_DIR": str(tmp_path / "kernels")})
    desk.process = desk.spawn([sys.executable, "manage.py", "desk"])
    wait_for(lambda: desk.pid_of("warm beside") > 0, "it compiles")
    return desk


def test_what_it_compiles_while_it_prepares_ends_with_it(compiling: RunningDesk) -> None:
    assert "The desk is open" not in compiling.output
    compiling.signal(signal.SIGKILL)
    nothing_left(compiling, 60)


def test_what_is_still_compiled_once_it_is_open_ends_with_it(compiling: RunningDesk) -> None:
    wait_for(lambda: "The desk is open" in compiling.output, "it is open")
    assert compiling.pid_of("warm live")
    compiling.signal(signal.SIGKILL)
    nothing_left(compiling, 60)


def test_it_starts_over_what_a_dead_one_left(new_desk: NewDesk) -> None:
    """After a crash of the machine: process ids that now belong to somebody else, and sockets that nobody serves."""
    desk = new_desk()
    assert desk.command("migrate", "-v0").returncode == 0
    nothing_left(desk, 60)
    run, data = desk.var / "run", desk.var / "postgres" / "18"
    stranger = str(os.getpid())
    (data / "postmaster.pid").write_text(f"{stranger}\n{data}\n1\n5432\n{run}/postgres\n\n 1 1\nready   \n")
    (run / "postgres" / ".s.PGSQL.5432.lock").write_text(f"{stranger}\n")
    for lock in ("desk.lock", "keeper.lock"):
        (run / lock).write_text(stranger)
    assert desk.start().answers()


def test_a_start_that_was_cut_off_while_the_database_was_made_is_made_again(new_desk: NewDesk) -> None:
    desk = new_desk()
    half = desk.var / "postgres" / "new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    assert desk.command("migrate", "-v0").returncode == 0


def test_data_of_another_major_version_is_refused_plainly(new_desk: NewDesk) -> None:
    desk = new_desk()
    (desk.var / "postgres" / "17").mkdir(parents=True)
    refused = desk.command("migrate")
    assert refused.returncode == 1
    assert "PostgreSQL 17" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_path_too_long_for_a_socket_works_and_stays_private(new_desk: NewDesk) -> None:
    desk = new_desk("/".join(["a-rather-long-folder-name"] * 6))
    shown = desk.command("shell", "-v0", "-c", "from django.conf import settings as s; print(s.DATABASES['default']['HOST'])")
    assert shown.returncode == 0, shown.stderr
    folder = os.path.dirname(shown.stdout.strip())
    assert len(folder) < 100
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700


@pytest.mark.parametrize("command", [["help"], ["check"], ["makemigrations", "--check", "--dry-run"], ["shell", "--help"]])
def test_commands_without_need_of_services_start_none(new_desk: NewDesk, command: list[str]) -> None:
    desk = new_desk()
    assert desk.command(*command).returncode == 0
    assert not (desk.var / "run").exists()


def test_two_commands_share_the_services_and_the_last_one_ends_them(new_desk: NewDesk) -> None:
    desk = new_desk()
    assert desk.command("migrate", "-v0").returncode == 0
    connect = "from django.db import connection as c; c.ensure_connection()"
    wait_and_say = f"import sys; {connect}; print('up', flush=True); sys.stdin.read()"
    commands = [
        subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-v0", "-c", wait_and_say],
            cwd=PROJECT,
            env=desk.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    first, second = commands
    for command in commands:
        assert command.stdout
        assert command.stdout.readline() == b"up\n"
    assert len([line for line in desk.processes().values() if "operations.embedded.keeper" in line]) == 1

    first.kill()
    first.communicate()
    more = desk.command("shell", "-v0", "-c", f"{connect}; print('still')")
    assert more.stdout.strip() == "still"
    assert desk.pid_of("operations.embedded.keeper")
    second.communicate(b"")
    nothing_left(desk, 60)


@pytest.fixture
def one_core() -> Iterator[None]:
    """Processes that take turns on one core: who is woken runs before who woke it goes on. Where a system cannot bind them to one,
    they take what they get."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    yield
    os.sched_setaffinity(0, allowed)


def test_who_was_waiting_for_the_end_of_the_services_never_finds_them_running(one_core: None, tmp_path: Path) -> None:
    """It would believe that they run, and go on without them."""
    run = VarFolder(tmp_path).run
    for _ in range(4):
        start_services(tmp_path, durable=False).release()
        wait_for(lambda: is_held(run / "users.lock"), "the keeper sees that nobody is left", 60)
        users, keeper = Lock(run / "users.lock"), Lock(run / "keeper.lock")
        users.take(shared=True)
        ended = keeper.take(wait=False)
        users.release()
        keeper.release()
        assert ended
