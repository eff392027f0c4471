"""The long-lived process of a desk. It keeps web, worker and schedules alive, and ends them and the services when it ends."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from core.heartbeat import FOLDER
from operations.embedded.errors import CannotStart
from operations.embedded.layout import VarFolder
from operations.embedded.lock import Lock
from operations.embedded.process import Child, interrupt_once, on_signals, rotate_log, wait_until
from operations.embedded.progress import timed_step
from operations.embedded.pulse import AnswerPulse, Pulse, clear_beats, read_beat
from operations.embedded.services import Services

LOOK_EVERY = 0.2
ROTATE_EVERY = 60.0
WEB_SECONDS = 120
STOP_SECONDS = 5
RETRY_SERVICES_AFTER = 5.0


@dataclass(frozen=True)
class Handover:
    """What the process that prepared the desk passes on. `lock`, `listener`, `users`, `compiling` and `exchange` are open file
    descriptors. Without `users` there are no services, without `compiling` there is nothing to compile, and without `exchange`, the
    socket of the sandbox exchange on port `sandbox`, there is no sandbox."""

    var: str
    host: str
    port: int
    workers: int
    sandbox: int
    began: float
    lock: int
    listener: int
    users: int
    compiling: int
    exchange: int

    @property
    def handles(self) -> list[int]:
        return [handle for handle in (self.lock, self.listener, self.users, self.compiling, self.exchange) if handle]

    def as_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass
class Supervisor:
    given: Handover
    layout: VarFolder
    services: Services | None
    children: list[Child] = field(default_factory=list)
    retry_at: float = 0.0

    def run(self) -> None:
        """Starts, watches until it is told to stop, and stops. Raises CannotStart if the web server does not come up."""
        on_signals(interrupt_once)
        try:
            self.start()
            self.watch()
        except KeyboardInterrupt:
            say_line("Stopping ...")
        finally:
            signal.signal(signal.SIGINT, lambda *_: self.kill())
            self.stop()

    def start(self) -> None:
        # They are asked to stop in this order, too.
        clear_beats(self.layout.beats)
        self.children = [self.schedules(), self.stream(), self.web(), self.worker(), *self.sandbox()]
        with timed_step("web, worker, stream, schedules"):
            for child in self.children:
                child.start()
            self.await_web()
        if self.given.compiling:
            print("\nThe engine is compiled for this machine, once: bots begin within a minute, the first backtests after them.")
        host = f"[{self.local_host}]" if ":" in self.local_host else self.local_host
        print(f"\nThe desk is open after {time.monotonic() - self.given.began:.1f} s: http://{host}:{self.given.port}/")
        print(f"Ctrl-C stops everything. Logs are in {self.layout.log}.\n", flush=True)

    def schedules(self) -> Child:
        return self.child("beat", "celery", "--app", "config", "beat", "--loglevel", "INFO", "--pidfile=")

    def web(self) -> Child:
        """The web server gets the bound socket, so that no request is refused while it restarts, and nobody takes the port
        meanwhile."""
        handle = self.given.listener
        web = self.child("web", "daphne", "--fd", str(handle), "config.asgi:application", pass_fds=[handle])
        web.pulse = Pulse(AnswerPulse(self.web_answers, lambda: web.process))
        return web

    def worker(self) -> Child:
        options = ["--pool", "prefork", "--concurrency", str(self.given.workers), "--without-gossip", "--without-mingle"]
        return self.child("worker", "celery", "--app", "config", "worker", "--loglevel", "INFO", *options)

    def stream(self) -> Child:
        return self.child("stream", "manage", "stream")

    def sandbox(self) -> list[Child]:
        """The local exchange keeps what it knows of us in a file, so that it is the same one after a restart. Like the web server
        it gets the bound socket."""
        handle = self.given.exchange
        if not handle:
            return []
        keep = str(self.layout.var / "sandbox.json")
        return [self.child("sandbox", "manage", "sandbox", "--fd", str(handle), "--state", keep, pass_fds=[handle])]

    def child(self, name: str, module: str, *arguments: str, **options: Any) -> Child:
        child = Child(
            name=name,
            command=[sys.executable, "-m", module, *arguments],
            log=self.layout.log / f"{name}.log",
            environment=os.environ | {"QUARTERDECK_VAR": str(self.layout.var), FOLDER: str(self.layout.beats)},
            **options,
        )
        child.pulse = Pulse(lambda: read_beat(self.layout.beats, child.process.pid if child.process else 0))
        return child

    def await_web(self) -> None:
        web = next(child for child in self.children if child.name == "web")
        if not wait_until(lambda: self.web_answers() or not web.running, WEB_SECONDS, every=0.05) or not web.running:
            raise CannotStart(f"The web server did not start. See the end of {web.log}.")

    def web_answers(self) -> bool:
        client = HTTPConnection(self.local_host, self.given.port, timeout=1)
        try:
            client.request("GET", "/api/v1/health/live", headers={"X-Forwarded-Proto": "https"})
            return client.getresponse().status < 500
        except (OSError, HTTPException):
            return False
        finally:
            client.close()

    @property
    def local_host(self) -> str:
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.given.host, self.given.host)  # noqa: S104

    def watch(self) -> None:
        """Until interrupted: restarts what ends, and keeps logs short."""
        rotate_at = time.monotonic() + ROTATE_EVERY
        while True:
            time.sleep(LOOK_EVERY)
            self.mend_services()
            for child in self.children:
                if message := child.mend():
                    say_line(message)
            if time.monotonic() > rotate_at:
                rotate_at = time.monotonic() + ROTATE_EVERY
                for log in self.layout.log.glob("*.log"):
                    rotate_log(log)

    def mend_services(self) -> None:
        if self.services is None or time.monotonic() < self.retry_at or self.services.running():
            return
        say_line("Database and broker ended; they start again.")
        try:
            self.services.ensure()
        except CannotStart as error:
            self.retry_at = time.monotonic() + RETRY_SERVICES_AFTER
            say_line(str(error))

    def stop(self) -> None:
        """Stops first what makes work, then what that work stands on."""
        for child in self.children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            child.await_end(max(0.0, deadline - time.monotonic()))
        if self.services:
            self.services.stop()

    def kill(self) -> None:
        """At a second Ctrl-C, it no longer waits."""
        for child in self.children:
            child.kill()


def say_line(message: str) -> None:
    """On the terminal, if there still is one."""
    with suppress(OSError):
        print(time.strftime("%H:%M:%S"), message, flush=True)


def main(text: str) -> None:
    given = Handover(**json.loads(text))
    for handle in given.handles:
        os.set_inheritable(handle, False)
    layout = VarFolder(Path(given.var))
    users = Lock(layout.run / "users.lock", given.users) if given.users else None
    services = Services(layout, users, durable=True) if users else None
    try:
        Supervisor(given, layout, services).run()
    except CannotStart as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1])
