"""Handing jobs to the workers."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest

from config.celery import app
from core import work
from market.tasks import candles_sweep


def test_a_broker_that_hangs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """It takes connections and never answers: whoever starts a run or an import goes on, and the sweeper sends it again."""
    monkeypatch.setattr(work, "SEND_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(app.conf, "broker_write_url", f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        began = time.monotonic()
        work.send_jobs(candles_sweep, [()])
    assert time.monotonic() - began < 5
    assert "will be sent again" in caplog.text
