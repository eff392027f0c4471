"""Stored columns in a storage that is not a local folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, default_storage

from backtests import selectors, services, tasks
from backtests.models import BacktestRun, Status
from market.models import CandleSeries
from market.services import series_delete
from market.tasks import candles_sweep


class Remote(Storage):
    """Files that have no path on this machine, as in an object store: what Django's interface asks for, and no more."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        return ContentFile(self.files[name])

    def _save(self, name: str, content: File[bytes]) -> str:
        self.files[name] = b"".join(content.chunks())
        return name

    def delete(self, name: str) -> None:
        self.files.pop(name, None)

    def exists(self, name: str) -> bool:
        return name in self.files

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        inside = [name.removeprefix(f"{path}/") for name in self.files if name.startswith(f"{path}/")]
        folders = {name.split("/")[0] for name in inside if "/" in name}
        return sorted(folders), [name for name in inside if "/" not in name]


@pytest.fixture
def remote(settings: Any) -> None:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.Remote"}}


@pytest.mark.usefixtures("remote")
def test_a_run_works_on_a_storage_without_paths(
    hold: Any, execute: Callable[..., BacktestRun], django_capture_on_commit_callbacks: Any
) -> None:
    hold()
    run = execute()
    assert run.status == Status.COMPLETED, run.error
    assert len(selectors.run_equity(run, points=50)) >= 50
    assert selectors.playback_state(run, datetime(2022, 1, 2, tzinfo=UTC))["candles"] == 600
    assert len(selectors.run_trades(run).rows) == run.trades
    with django_capture_on_commit_callbacks(execute=True):
        services.run_delete(run_id=run.run_id)
    assert not default_storage.listdir("backtests/runs")[0]


class NotAnswering(Exception):
    """What the libraries of object stores raise has no base that others know."""


class Unsteady(Remote):
    """An object store that can be cut off."""

    away = False

    def ask(self) -> None:
        if Unsteady.away:
            raise NotAnswering("Could not connect to the endpoint")

    def _save(self, name: str, content: File[bytes]) -> str:
        self.ask()
        return super()._save(name, content)

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        self.ask()
        return super()._open(name, mode)

    def delete(self, name: str) -> None:
        self.ask()
        super().delete(name)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        self.ask()
        return super().listdir(path)


@pytest.fixture
def unsteady(settings: Any) -> Iterator[None]:
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": f"{__name__}.Unsteady"}}
    yield
    Unsteady.away = False


@pytest.mark.usefixtures("unsteady")
def test_a_storage_that_is_away_is_said_and_leaves_no_file_behind(
    hold: Any, execute: Callable[..., BacktestRun], django_capture_on_commit_callbacks: Any
) -> None:
    hold()
    run = execute()
    Unsteady.away = True
    failed = execute()
    assert (failed.status, failed.error_code) == (Status.FAILED, "storage_away")
    assert "storage of candles and results does not answer" in failed.error
    with django_capture_on_commit_callbacks(execute=True):
        services.run_delete(run_id=run.run_id)
        series_delete(series_id=CandleSeries.objects.get().pk)
    tasks.artifacts_sweep()
    candles_sweep()
    Unsteady.away = False
    assert default_storage.listdir("backtests/runs")[0]
    tasks.artifacts_sweep()
    candles_sweep()
    assert not default_storage.listdir("backtests/runs")[0]
    assert not default_storage.listdir("candles")[0]
