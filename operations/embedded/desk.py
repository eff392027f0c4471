"""Opens a desk: services first, then preparation, and then the supervisor takes the place of this process."""

from __future__ import annotations

import os
import socket
import sys
import time
from contextlib import suppress
from typing import NoReturn

from operations.embedded.compiling import compile_ahead
from operations.embedded.errors import CannotStart
from operations.embedded.layout import VarFolder
from operations.embedded.lock import Lock
from operations.embedded.preparation import prepare_desk
from operations.embedded.process import interrupt_once, on_signals, wait_until
from operations.embedded.progress import timed_step
from operations.embedded.services import start_services
from operations.embedded.supervisor import Handover


def open_desk(layout: VarFolder, *, host: str, port: int, workers: int, embedded: bool, demo: bool, sandbox: bool) -> NoReturn:
    """Prepare everything and become the supervisor. Raises CannotStart with what stands in the way.

    `embedded` is False where the operator has given DATABASE_URL and REDIS_URL.
    """
    began = time.monotonic()
    on_signals(interrupt_once)
    layout.make()
    lock = only_desk(layout)
    listener = bind_socket(host, port)
    compiling = compile_ahead(layout)
    users = 0
    if embedded:
        if os.geteuid() == 0:
            print("You are root, which PostgreSQL refuses to be: it runs as `nobody`. An ordinary user is the safer choice.")
        with timed_step("PostgreSQL and Valkey"):
            users = start_services(layout.var).users.handle
    exchange = bind_sandbox(port + 1) if sandbox else None
    sandbox_port = exchange.getsockname()[1] if exchange else 0
    prepare_desk(layout, demo=demo, sandbox_port=sandbox_port)
    # The supervisor lives long and needs nothing of what was loaded for the preparation. An exec gives that memory back.
    handles = (lock.handle, listener.fileno(), users, compiling, exchange.fileno() if exchange else 0)
    handover = Handover(str(layout.var), host, port, workers, sandbox_port, began, *handles)
    for handle in handover.handles:
        os.set_inheritable(handle, True)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "operations.embedded.supervisor", handover.as_json()])  # noqa: S606


def only_desk(layout: VarFolder) -> Lock:
    """The lock that makes this the one desk on its folder."""
    lock = Lock(layout.run / "desk.lock")
    if not wait_until(lambda: lock.take(wait=False), 0.5):
        raise CannotStart(
            f"A desk runs on {layout.var} already (process {lock.pid()}). Use that one, stop it with `kill {lock.pid()}`, "
            "or start another one on a folder and port of its own: VAR=... PORT=..."
        )
    lock.write_pid()
    return lock


def bind_socket(host: str, port: int) -> socket.socket:
    """A socket on the address that the desk will serve. It listens at once, because until it does, the port is not surely ours."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        raise CannotStart(
            f"Port {port} of {host} cannot be used ({error.strerror}). Stop what uses it, or choose another one: PORT={port + 1}"
        ) from error
    return listener


def bind_sandbox(wanted: int) -> socket.socket:
    """A socket on `wanted`, or on any port if that is taken; on this machine only. It is held from before anybody is told of the
    port, so that nobody else can take it, and handed to the sandbox."""
    for port in (wanted, 0):
        found = socket.socket()
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            found.bind(("127.0.0.1", port))
            found.listen(128)
            return found
        found.close()
    raise CannotStart("There is no free port for the sandbox exchange. Start without it: SANDBOX=0")
