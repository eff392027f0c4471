"""Django in this process, on PostgreSQL (durable) and Valkey of its own, and the CPU that work there takes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.pairs.lookup import load_embedded
from benchmarks.pairs.processes import read_cpu_exactly


def start_django(var: str) -> Any:
    """The schema is there afterwards. `stop()` of what this returns ends the services."""
    services = load_embedded().start_services(Path(var))
    os.environ.update(DATABASE_URL=services.database_url, REDIS_URL=services.redis_url, DATABASE_POOL="0")
    os.environ["RISK_BUDGET"] = "100000000"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    return services


class Meter:
    """CPU seconds of this process, all threads, and of the database's sessions, since it was made."""

    def __init__(self) -> None:
        self.sessions = read_cpu_exactly(find_sessions())
        self.wall, self.process = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """CPU and wall, in seconds. A session that began meanwhile counts from its beginning, one that ended not at all."""
        process, wall = time.process_time() - self.process, time.perf_counter() - self.wall
        sessions = read_cpu_exactly(find_sessions())
        return process + sum(cpu - self.sessions.get(pid, 0.0) for pid, cpu in sessions.items()), wall


def find_sessions() -> Iterable[int]:
    """The database's processes that serve somebody."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
        return [pid for (pid,) in cursor.fetchall()]
