"""The process that runs PostgreSQL and Valkey of one var/ folder for as long as anybody uses them.

`services.start_services` starts it. On its standard output it says "ready", or what stands in the way.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event

from operations.embedded import postgres, valkey
from operations.embedded.errors import CannotStart
from operations.embedded.layout import VarFolder
from operations.embedded.lock import Lock
from operations.embedded.process import Child, wait_until

START_SECONDS = 120
STOP_SECONDS = 15


def start_servers(layout: VarFolder, *, durable: bool) -> list[Child]:
    """Starts both servers, and waits until they answer."""
    broker = valkey.valkey_server(layout, durable=durable)
    broker.start()
    postgres.prepare_data(layout)
    database = postgres.postgres_server(layout, durable=durable)
    database.start()
    await_ready(broker, lambda: valkey.is_ready(layout))
    await_ready(database, lambda: postgres.is_ready(layout, database))
    return [database, broker]


def await_ready(child: Child, ready: Callable[[], bool]) -> None:
    if not wait_until(lambda: ready() or not child.running, START_SECONDS) or not child.running:
        raise CannotStart(f"{child.name} did not start. See the end of {child.log}.")


def keep_servers(children: list[Child], users: Lock, stopped: Event) -> None:
    """Restarts what ends, until nobody holds a shared lock on `users`, or until it is told to stop."""
    while not stopped.wait(0.2) and not users.take(wait=False):
        for child in children:
            if message := child.mend():
                log_message(message)


def stop_servers(children: list[Child]) -> None:
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.await_end(STOP_SECONDS)


def log_message(message: str) -> None:
    print(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()), message, file=sys.stderr, flush=True)


def answer_starter(message: str) -> None:
    """Tell the process that started us, which may be gone, and close the pipe."""
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), message.encode())
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def main(var: str, mode: str) -> int:
    """Runs the servers until nobody uses them. Answers the process's exit code."""
    layout = VarFolder(Path(var))
    stopped = Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    lock = Lock(layout.run / "keeper.lock")
    if not wait_until(lambda: lock.take(wait=False), 2):
        answer_starter("Another process is starting the services just now. Try again.")
        return 1
    lock.write_pid()
    try:
        children = start_servers(layout, durable=mode == "durable")
    except CannotStart as error:
        log_message(str(error))
        answer_starter(str(error))
        return 1
    log_message("database and broker run.")
    answer_starter("ready")
    users = Lock(layout.run / "users.lock")
    keep_servers(children, users, stopped)
    stop_servers(children)
    log_message("database and broker stopped.")
    # The end of a process does not release locks in this order, and whoever comes by the users' lock must not find us running.
    lock.release()
    users.release()
    return 0


if __name__ == "__main__":
    # It is not a child of the command that happened to start it: it outlives that command, and leaves no zombie to it.
    if os.fork() == 0:
        sys.exit(main(sys.argv[1], sys.argv[2]))
