"""The demonstration runs, and the metrics of runs."""

from __future__ import annotations

import pytest
from django.test import Client

from backtests import demo, services
from backtests.models import BacktestRun, Status
from market.services import demo_data_load

pytestmark = pytest.mark.django_db


@pytest.fixture
def demonstration() -> list[BacktestRun]:
    demo_data_load()
    return demo.runs_create()


def test_every_demonstration_run_completes_without_looking_ahead(demonstration: list[BacktestRun]) -> None:
    done = [services.run_execute(run_id=run.run_id) for run in demonstration]
    assert [(run.name, run.status, run.error) for run in done] == [(run.name, Status.COMPLETED, "") for run in demonstration]
    assert {run.results["honesty"]["look_ahead"]["verdict"] for run in done if run.results} == {"clean"}
    assert all(run.trades for run in done)


def test_metrics_count_runs_by_status_and_time_them(client: Client, demonstration: list[BacktestRun]) -> None:
    services.run_execute(run_id=demonstration[0].run_id)
    told = client.get("/metrics").content.decode()
    assert 'backtests_total{status="completed"} 1.0' in told
    assert f'backtests_total{{status="queued"}} {len(demonstration) - 1}.0' in told
    assert "backtest_duration_seconds_count 1.0" in told
    assert 'backtest_duration_seconds_bucket{le="+Inf"} 1.0' in told
    assert 'backtest_duration_seconds_bucket{le="3600.0"} 1.0' in told
