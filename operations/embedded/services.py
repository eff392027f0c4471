"""Attaches to the embedded services, and starts them if they do not run yet."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from core.env import PROJECT
from operations.embedded.errors import CannotStart
from operations.embedded.layout import VarFolder
from operations.embedded.lock import Lock, hold_lock, is_held
from operations.embedded.process import wait_until


@dataclass
class Services:
    """PostgreSQL and Valkey. They run at least until `stop`, or until this process ends."""

    layout: VarFolder
    users: Lock
    durable: bool

    @property
    def database_url(self) -> str:
        return self.layout.database_url

    @property
    def redis_url(self) -> str:
        return self.layout.redis_url

    def running(self) -> bool:
        return is_held(self.layout.run / "keeper.lock")

    def ensure(self) -> None:
        """Starts them if nobody has. Raises CannotStart with the reason."""
        with hold_lock(self.layout.run / "start.lock"):
            if not self.running():
                start_keeper(self.layout, durable=self.durable)

    def release(self) -> None:
        """Gives them up. They end if we were the last to use them."""
        self.users.release()

    def stop(self) -> None:
        """Gives them up, and waits for their end if we were the last to use them."""
        last = self.users.take(wait=False)
        self.users.release()
        if last:
            wait_until(lambda: not self.running(), 20)


def start_services(folder: Path, *, durable: bool = True) -> Services:
    """PostgreSQL and Valkey with their data under `folder`, shared with whoever uses the same folder.

    `durable=False` gives up safety against a power cut for speed, which is for tests.
    """
    layout = VarFolder(folder.absolute())
    layout.make()
    users = Lock(layout.run / "users.lock")
    users.take(shared=True)
    services = Services(layout, users, durable)
    try:
        services.ensure()
    except CannotStart:
        users.release()
        raise
    return services


def start_keeper(layout: VarFolder, *, durable: bool) -> None:
    """Starts the keeper and waits until both servers answer. Raises CannotStart with what it says."""
    layout.make()
    with (layout.log / "services.log").open("ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "operations.embedded.keeper", str(layout.var), "durable" if durable else "fast"],
            cwd=PROJECT,
            env=os.environ | {"QUARTERDECK_VAR": str(layout.var)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    answer = keeper.communicate()[0].decode()
    if answer != "ready":
        raise CannotStart(answer or f"The database and the broker did not start. See {layout.log / 'services.log'}.")
