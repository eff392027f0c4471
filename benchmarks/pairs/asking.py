"""The probe of a run over the API: the request, the run, and the question for its status, in one process on a real database."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pairs.computing import keep_memory, make_columns
from benchmarks.pairs.probes import Answer
from benchmarks.pairs.services import Meter, start_django

CANDLES = 45_000
REPEATS = 10
CONFIG = {
    "strategy": "sma_cross",
    "venue": "bench",
    "symbols": ["BTC-USD"],
    "interval": "1m",
    "params": {"fast": 10, "slow": 50},
    "cash": "10000",
    "fee_bps": 10,
}


class Post:
    """POST /api/v1/backtests until the run is completed. The task is executed where a worker would be told of it, so that its CPU
    is this process's; the broker's part is left out."""

    def __init__(self, var: str, rounds: int) -> None:
        self.var, self.services = Path(var), start_django(var)

    def prepare(self) -> Answer:
        from django.test import Client

        importlib.import_module("config.celery").app.conf.task_always_eager = True
        keep_memory()
        import_candles(self.var / "candles.csv")
        self.client = Client(SERVER_NAME="127.0.0.1", HTTP_AUTHORIZATION=f"Bearer {make_token()}")
        self.measure({})
        return {}

    def measure(self, request: Answer) -> Answer:
        meter = Meter()
        for _ in range(REPEATS):
            run_id = self.call("post", "backtests", 202, CONFIG)["run_id"]
            run = self.call("get", f"backtests/{run_id}", 200)
            if run["status"] != "completed":
                raise RuntimeError(f"The run is {run['status']}: {run}")
        cpu, wall = meter.read()
        trades = self.call("get", f"backtests/{run_id}/results", 200)["trades"]
        return {"cpu": cpu / REPEATS, "wall": wall / REPEATS, "found": trades}

    def call(self, method: str, path: str, expected: int, body: Any = None) -> Any:
        answer = getattr(self.client, method)(f"/api/v1/{path}", body, content_type="application/json")
        if answer.status_code != expected:
            raise RuntimeError(f"{path} answers {answer.status_code}: {answer.content.decode()}")
        return answer.json()

    def close(self) -> None:
        self.services.stop()


def import_candles(file: Path) -> None:
    """By the command that an operator uses."""
    from django.core.management import call_command

    columns = np.column_stack([column.round(2) for column in make_columns(CANDLES).values()])
    formats = ["%d", *["%.2f"] * 4, "%d"]
    np.savetxt(file, columns, fmt=formats, delimiter=",", header="time,open,high,low,close,volume", comments="")
    call_command("import_candles", str(file), venue="bench", symbol="BTC-USD", interval="1m", json=True)


def make_token() -> str:
    from django.contrib.auth import get_user_model

    services: Any = importlib.import_module("access.services")
    user = get_user_model().objects.create_superuser("bench", password="bench-desk-only")
    return str(services.token_create(user=user, scopes="read,trade", days=None)[1])
