"""The life of a run: it is claimed once and ends once, and what its strategy does affects no other run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from backtests import artifacts, execution, selectors, services, tasks
from backtests.models import BacktestRun, Status
from config.celery import app
from core.errors import Conflict, NotFound
from core.work import all_taken, send_jobs
from engine.types import Candles
from market.models import CandleSeries
from market.services import series_delete
from tests.backtests.fixtures import CONFIG, results_of

Execute = Callable[..., BacktestRun]


def queued(**changes: Any) -> BacktestRun:
    return services.run_create(config={**CONFIG, **changes})


def stored(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in (folder / "backtests").rglob("*") if path.is_file()}


def test_a_run_ends_completed_with_everything_stored(run: BacktestRun, candles: Candles) -> None:
    assert (run.status, run.error, run.attempt) == (Status.COMPLETED, "", 1)
    assert run.candles_processed == run.candles_total == len(candles) == 600
    assert results_of(run)["candles"] == 600
    assert results_of(run)["fingerprint"] == run.fingerprint
    assert run.trades == results_of(run)["trades"] == len(selectors.run_trades(run, limit=500).rows) > 5
    assert run.total_return == pytest.approx(float(results_of(run)["final_equity"]) / 10_000 - 1)
    assert run.started_at
    assert run.finished_at
    assert run.created_at <= run.started_at <= run.finished_at


def test_the_same_run_twice_is_the_same_to_the_byte(run: BacktestRun, execute: Execute, storage_folder: Path) -> None:
    again = execute(name="another name")
    assert again.results_digest == run.results_digest
    assert execution.canonical_json(results_of(again)) == execution.canonical_json(results_of(run))
    for table in ("equity", "orders", "fills", "trades", "indicators_0"):
        one, two = (storage_folder / one.artifact / f"{table}.arrow" for one in (run, again))
        assert one.read_bytes() == two.read_bytes()


def test_another_parameter_is_another_result(run: BacktestRun, execute: Execute) -> None:
    assert execute(params={"fast": 6, "slow": 20}).results_digest != run.results_digest


def test_runs_on_the_same_candles_share_their_copy(run: BacktestRun, execute: Execute) -> None:
    assert execute(params={"fast": 6, "slow": 20}).candles_folder == run.candles_folder


def test_rules_of_the_instrument_are_kept_with_the_run(hold: Any, execute: Execute) -> None:
    hold(rules={"lot_size": "0.5", "tick_size": "0.01"})
    run = execute()
    assert run.config["rules"] == {"ETH-BTC": {"tick": "0.01", "lot": "0.5", "min_notional": "0"}}
    assert all(float(row["quantity"]) % 0.5 == 0 for row in selectors.run_trades(run).rows)


def test_an_interval_that_is_not_stored_is_made_of_a_lower_one(candles: Candles, execute: Execute) -> None:
    run = execute(interval="15m")
    assert (run.status, run.candles_total) == (Status.COMPLETED, 200)


def test_a_run_is_taken_by_one_worker_only(candles: Candles) -> None:
    run = queued()
    assert services.run_claim(run_id=run.run_id, worker="one")
    assert not services.run_claim(run_id=run.run_id, worker="two")
    assert selectors.run_get(run.run_id).worker == "one"


def test_a_second_message_for_a_run_does_nothing(run: BacktestRun) -> None:
    assert services.run_execute(run_id=run.run_id).attempt == 1


@pytest.mark.usefixtures("strategies", "candles")
@pytest.mark.parametrize(
    ("strategy", "words"),
    [("raising", "ZeroDivisionError"), ("misshapen", "shape (600,)")],
)
def test_a_failing_strategy_fails_its_run_and_no_other(execute: Execute, strategy: str, words: str, storage_folder: Path) -> None:
    run = execute(strategy=strategy, params={})
    assert (run.status, run.error_code) == (Status.FAILED, "strategy_failed")
    assert words in run.error
    assert "Traceback" not in run.error
    assert run.results is None
    assert stored(storage_folder) == set()
    assert execute().status == Status.COMPLETED


@pytest.mark.usefixtures("strategies", "candles")
def test_a_strategy_that_never_returns_is_stopped(execute: Execute, settings: Any) -> None:
    settings.RUN_TIME_LIMIT_SECONDS = 0.2
    run = execute(strategy="endless", params={})
    assert (run.status, run.error_code) == (Status.FAILED, "time_limit")
    assert "longer than 0.2 s" in run.error
    settings.RUN_TIME_LIMIT_SECONDS = 600
    assert execute().status == Status.COMPLETED


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("strategies")
def test_a_running_run_is_cancelled_even_in_a_strategy_that_never_returns(hold: Any) -> None:
    hold()
    run = queued(strategy="endless", params={})
    # Asked for as soon as the worker has it, by the worker's own database: from another connection it looks the same.
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION ask() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.cancel_requested := NEW.status = 'running'; RETURN NEW; END $$;"
            "CREATE TRIGGER ask BEFORE UPDATE ON backtests_backtestrun "
            "FOR EACH ROW WHEN (OLD.status = 'queued') EXECUTE FUNCTION ask()"
        )
    try:
        run = services.run_execute(run_id=run.run_id)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION ask() CASCADE")
    assert (run.status, run.error) == (Status.CANCELLED, "")


def test_an_internal_fault_is_logged_and_told_without_detail(
    candles: Candles, execute: Execute, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr(execution, "compute_run", fail)
    run = execute()
    assert (run.status, run.error_code) == (Status.FAILED, "internal_error")
    assert "secret" not in run.error
    assert any(record.exc_info for record in caplog.records)


def test_a_folder_that_takes_no_files_is_said_without_its_place(candles: Candles, execute: Execute, storage_folder: Path) -> None:
    (storage_folder / "backtests").write_text("a file where the folder should be")
    run = execute()
    assert (run.status, run.error_code) == (Status.FAILED, "storage_away")
    assert "(Not a directory)" in run.error
    assert str(storage_folder) not in run.error


def test_candles_that_went_away_fail_the_run(hold: Any) -> None:
    hold()
    run = queued()
    series_delete(series_id=CandleSeries.objects.get().pk)
    run = services.run_execute(run_id=run.run_id)
    assert (run.status, run.error_code) == (Status.FAILED, "not_found")
    assert "ETH-BTC" in run.error


def test_a_queued_run_is_cancelled_at_once(candles: Candles) -> None:
    run = queued()
    assert services.run_cancel(run_id=run.run_id).status == Status.CANCELLED
    assert services.run_execute(run_id=run.run_id).status == Status.CANCELLED


def test_an_ended_run_cannot_be_cancelled(run: BacktestRun) -> None:
    with pytest.raises(Conflict, match="completed"):
        services.run_cancel(run_id=run.run_id)


def test_a_cancelled_run_can_be_retried(candles: Candles) -> None:
    run = queued()
    services.run_cancel(run_id=run.run_id)
    again = services.run_retry(run_id=run.run_id)
    assert (again.status, again.cancel_requested, again.finished_at) == (Status.QUEUED, False, None)
    assert services.run_execute(run_id=run.run_id).status == Status.COMPLETED


def test_a_completed_run_cannot_be_retried(run: BacktestRun) -> None:
    with pytest.raises(Conflict, match="failed or cancelled"):
        services.run_retry(run_id=run.run_id)


def test_run_again_and_clone_make_runs_of_their_own(run: BacktestRun) -> None:
    again = services.run_execute(run_id=services.run_rerun(run_id=run.run_id).run_id)
    assert (again.cloned_from, again.results_digest) == (run, run.results_digest)
    clone = services.run_clone(run_id=run.run_id, changes={"params": {"fast": 7, "slow": 20}}, name="seven")
    assert (clone.cloned_from, clone.name, clone.config["params"]) == (run, "seven", {"fast": 7, "slow": 20})


def test_deleting_a_run_deletes_its_files(
    run: BacktestRun, execute: Execute, storage_folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    other = execute()
    with django_capture_on_commit_callbacks(execute=True):
        services.run_delete(run_id=run.run_id)
    with pytest.raises(NotFound):
        selectors.run_get(run.run_id)
    assert {name.split("/")[2] for name in stored(storage_folder)} == {
        Path(other.artifact).name,
        Path(other.candles_folder).name,
    }
    with django_capture_on_commit_callbacks(execute=True):
        services.run_delete(run_id=other.run_id)
    assert stored(storage_folder) == set()


def test_an_active_run_cannot_be_deleted(candles: Candles) -> None:
    run = queued()
    with pytest.raises(Conflict, match="Cancel it first"):
        services.run_delete(run_id=run.run_id)


def silent(run: BacktestRun, **changes: Any) -> None:
    """The run as a worker that died some time ago left it."""
    services.run_claim(run_id=run.run_id, worker="gone")
    long_ago = timezone.now() - timedelta(minutes=5)
    BacktestRun.objects.filter(pk=run.pk).update(heartbeat_at=long_ago, **changes)


def test_the_sweeper_finds_a_lost_run_and_it_can_be_retried(candles: Candles) -> None:
    run = queued()
    silent(run)
    assert services.runs_sweep_lost().lost == [run.run_id]
    lost = selectors.run_get(run.run_id)
    assert (lost.status, lost.error_code) == (Status.FAILED, "worker_lost")
    assert "can be retried" in lost.error
    assert services.runs_sweep_lost().lost == []
    services.run_retry(run_id=run.run_id)
    done = services.run_execute(run_id=run.run_id)
    assert (done.status, done.attempt) == (Status.COMPLETED, 2)


def test_the_sweeper_leaves_a_living_run_alone(candles: Candles) -> None:
    run = queued()
    services.run_claim(run_id=run.run_id, worker="here")
    assert services.runs_sweep_lost() == services.SweptRuns(lost=[], waiting=[])


def test_a_lost_run_that_was_to_be_cancelled_is_cancelled(candles: Candles) -> None:
    run = queued()
    silent(run, cancel_requested=True)
    services.runs_sweep_lost()
    assert selectors.run_get(run.run_id).status == Status.CANCELLED


def test_a_lost_run_past_its_time_limit_says_so(candles: Candles) -> None:
    run = queued()
    silent(run, started_at=timezone.now() - timedelta(hours=1))
    services.runs_sweep_lost()
    assert selectors.run_get(run.run_id).error_code == "time_limit"


def test_a_worker_given_up_for_lost_changes_nothing_when_it_comes_back(candles: Candles, storage_folder: Path) -> None:
    run = queued()
    silent(run)
    stale = selectors.run_get(run.run_id)
    services.runs_sweep_lost()
    services.run_retry(run_id=run.run_id)
    done = services.run_execute(run_id=run.run_id)
    before = stored(storage_folder)
    artifacts.write_tables("backtests/runs/stale", {"equity": artifacts.Artifact(done.artifact, done.candles_folder).equity})
    services.end_run(stale, Status.FAILED, error="too late", artifact="backtests/runs/stale")
    assert services.record_beat(stale, 1) == "lost"
    assert selectors.run_get(run.run_id).status == Status.COMPLETED
    assert stored(storage_folder) == before


def test_a_run_whose_message_is_lost_is_queued_again_once(candles: Candles) -> None:
    run = queued()
    assert services.runs_sweep_lost().waiting == []
    BacktestRun.objects.update(created_at=timezone.now() - timedelta(minutes=10))
    assert services.runs_sweep_lost().waiting == [run.run_id]
    assert services.runs_sweep_lost().waiting == []


def test_a_run_that_a_dead_worker_took_along_is_queued_again_as_soon_as_the_worker_would_be_given_up(candles: Candles) -> None:
    run = queued()
    BacktestRun.objects.update(created_at=timezone.now() - timedelta(seconds=31))
    assert services.runs_sweep_lost(all_taken=False).waiting == []
    assert services.runs_sweep_lost(all_taken=True).waiting == [run.run_id]
    assert services.runs_sweep_lost(all_taken=True).waiting == []


@pytest.mark.services
def test_whether_messages_wait_is_asked_of_the_broker(candles: Candles) -> None:
    app.control.purge()
    assert all_taken()
    send_jobs(tasks.run_execute, [(queued().run_id,)])
    assert not all_taken()
    app.control.purge()


def test_files_that_no_run_names_are_swept(run: BacktestRun, storage_folder: Path) -> None:
    kept = stored(storage_folder)
    table = artifacts.Artifact(run.artifact, run.candles_folder).equity
    artifacts.write_tables(f"{artifacts.RUNS}/{run.run_id}-7-aaaa", {"equity": table})
    artifacts.write_tables(f"{artifacts.CANDLES}/nobody", {"0": table})
    active = queued()
    artifacts.write_tables(f"{artifacts.RUNS}/{active.run_id}-1-bbbb", {"equity": table})
    assert services.artifacts_sweep() == 2
    assert stored(storage_folder) == kept | {f"{artifacts.RUNS}/{active.run_id}-1-bbbb/equity.arrow"}
