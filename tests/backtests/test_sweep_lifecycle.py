"""A sweep from its configuration to its summary. One worker or several give the same result."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.utils import timezone

from backtests import services as runs
from backtests.models import Status, Sweep, SweepChunk, SweepTrial
from backtests.sweeps import config as sweep_config
from backtests.sweeps import selectors, services, work
from core.errors import Conflict, Invalid, NotFound
from engine.overfitting import expected_maximum_sharpe
from engine.types import Candles
from tests.backtests.fixtures import CONFIG

GRID = {**CONFIG, "params": {}, "space": {"fast": "5:20:5", "slow": "10:40:10"}}
"""4 x 4 points, of which fast 10, 15, 20 with slow 10 and 20 with slow 20 are refused."""
SAME = ("index", "params", "final_equity", "total_return", "sharpe", "sortino", "calmar", "max_drawdown", "trades")


def made(**changes: Any) -> Sweep:
    return services.sweep_create(config={**GRID, **changes})


def done(**changes: Any) -> Sweep:
    return services.sweep_run(sweep_id=made(**changes).sweep_id)


def rows(sweep: Sweep) -> list[tuple[Any, ...]]:
    return list(SweepTrial.objects.filter(sweep=sweep).order_by("index").values_list(*SAME))


@pytest.fixture(autouse=True)
def market(hold: Callable[..., Candles]) -> Candles:
    """A month, so that there are daily returns to speak of."""
    return hold(count=9_600)


class TestOneWorker:
    def test_every_valid_point_is_tried_once(self) -> None:
        sweep = done()
        assert sweep.status == Status.COMPLETED
        assert (sweep.trials_total, sweep.trials_done, sweep.skipped) == (12, 12, 4)
        points = [row[1] for row in rows(sweep)]
        assert points == [{"fast": f, "slow": s} for f in (5, 10, 15, 20) for s in (10, 20, 30, 40) if f < s]
        assert sweep.chunks.count() == 6

    def test_a_trial_is_the_run_of_its_parameters_to_the_digit(self) -> None:
        sweep = done(params={}, slippage_bps=2, exits={"stop_loss": 0.02})
        for trial in SweepTrial.objects.filter(sweep=sweep, index__in=[0, 7]):
            run = runs.run_create(config=sweep_config.trial_config(sweep.config, trial.params))
            results = runs.run_execute(run_id=run.run_id).results
            assert results is not None
            assert f"{trial.final_equity:.8f}" == results["final_equity"]
            for name in ("total_return", "sharpe", "sortino", "calmar", "max_drawdown", "skewness", "kurtosis", "trades"):
                assert getattr(trial, name) == results[name]
            assert sweep.fingerprint == results["fingerprint"]
            assert sweep.code_hash == results["code_hash"]

    def test_the_summary_names_the_best_and_what_luck_would_give(self) -> None:
        sweep = done()
        summary = sweep.summary
        assert summary is not None
        sharpes = [row[4] for row in rows(sweep)]
        assert summary["best"]["sharpe"] == max(sharpes)
        assert summary["trials"] == 12
        expected = expected_maximum_sharpe(12, float(np.var(sharpes, ddof=1)) / 365) * math.sqrt(365)
        assert summary["expected_max_sharpe"] == pytest.approx(expected, rel=1e-9)
        assert 0 <= summary["deflated_sharpe"] <= 1
        assert f"With 12 trials a best Sharpe ratio of {expected:.2f} is what luck alone gives" in summary["verdict"]
        assert {"trials_made", "short_span"} <= {warning["code"] for warning in summary["warnings"]}

    @pytest.mark.parametrize("objective", sweep_config.OBJECTIVES)
    def test_best_is_best_by_the_objective(self, objective: str) -> None:
        sweep = done(objective=objective)
        assert sweep.summary is not None
        place = SAME.index(objective)
        assert sweep.summary["best"][objective] == max(row[place] for row in rows(sweep) if row[place] is not None)

    def test_a_random_search_is_decided_by_its_seed(self) -> None:
        space = {"fast": "2:30", "slow": "40:200"}
        first, again, other = (rows(done(space=space, method="random", trials=9, seed=seed)) for seed in (1, 1, 2))
        assert len(first) == 9
        assert first == again
        assert first != other

    def test_nothing_given_searches_the_declared_ranges_of_what_is_free(self) -> None:
        sweep = made(params={"slow": 40}, space=None)
        assert sweep.space == {"fast": list(range(5, 25))}
        assert sweep.config["params"] == {"slow": 40}

    def test_the_stored_config_is_complete(self) -> None:
        sweep = made(method="random", trials=5, seed=4, objective="calmar")
        again = services.sweep_create(config=sweep.config)
        assert again.config == sweep.config
        assert [chunk.points for chunk in again.chunks.all()] == [chunk.points for chunk in sweep.chunks.all()]

    def test_fixed_parameters_need_not_go_with_the_defaults_of_the_searched(self) -> None:
        assert made(params={"fast": 60}, space={"slow": "70:90:10"}).trials_total == 3

    def test_portfolios_are_swept_too(self, hold: Callable[..., Candles]) -> None:
        hold("LTC-BTC", count=9_600, seed=5)
        sweep = done(symbols=["ETH-BTC", "LTC-BTC"], sizing={"kind": "fraction", "value": 0.5})
        assert sweep.status == Status.COMPLETED
        assert sweep.candles_total == 19_200


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "field", "words"),
        [
            ({"space": {"fats": "5:25:1"}}, "space.fats", "Did you mean 'fast'"),
            ({"space": {"fast": "25:5:1"}}, "space.fast", "after its stop"),
            ({"space": {"fast": "5:25:0"}}, "space.fast", "above 0"),
            ({"space": {"fast": "5:5000:1", "slow": "10:5000:1"}}, "space", "at most 20,000"),
            ({"space": {"fast": "50:60:1", "slow": "20:30:1"}}, "space", "refuses"),
            ({"params": {"fast": 5}}, "space.fast", "fixed in params"),
            ({"params": {"fsat": 5}}, "params.fsat", "Did you mean 'fast'"),
            ({"params": {"fast": "x"}, "space": {"slow": "30:50:10"}}, "params.fast", "whole number"),
            ({"params": [1]}, "params", "object"),
            ({"space": "all"}, "space", "object"),
            ({"method": "genetic"}, "method", "grid, random"),
            ({"method": "random", "trials": 20_001}, "trials", "20000"),
            ({"method": "random", "trials": 0}, "trials", "from 1"),
            ({"trials": 10}, "trials", "random"),
            ({"objective": "sharp"}, "objective", "Did you mean 'sharpe'"),
            ({"strategy": "sma_crss"}, "strategy", "Did you mean 'sma_cross'"),
            ({"symbols": ["ETH-BTX"]}, "symbols", "ETH-BTC"),
            ({"spaces": {}}, "spaces", "not a setting"),
            ({"space": {"slow": "8000:9900:1900"}}, "start", "at least 9903"),
            ({"cash": 0}, "cash", "above 0"),
        ],
    )
    def test_each_fault_is_named_and_nothing_is_stored(self, changes: dict[str, Any], field: str, words: str) -> None:
        with pytest.raises(Invalid) as refusal:
            made(**changes)
        assert words in " ".join(refusal.value.fields[field])
        assert not Sweep.objects.exists()

    def test_all_faults_at_once(self) -> None:
        with pytest.raises(Invalid) as refusal:
            made(cash=-1, objective="luck", space={"fast": "9:1:1", "slow": "x"})
        assert {"cash", "objective", "space.fast", "space.slow"} <= refusal.value.fields.keys()

    @pytest.mark.parametrize("config", [None, [], "sweep", 3])
    def test_what_is_no_configuration_at_all(self, config: Any) -> None:
        with pytest.raises(Invalid):
            services.sweep_create(config=config)

    def test_unknown_sweeps(self) -> None:
        for act in (services.sweep_cancel, services.sweep_delete, services.sweep_retry):
            with pytest.raises(NotFound):
                act(sweep_id="no\x00ne")


class TestFaults:
    def test_a_strategy_that_raises_fails_the_sweep_and_says_with_what(self, strategies: None) -> None:
        sweep = done(strategy="raising_with", space={"number": "1:3:1"})
        assert (sweep.status, sweep.error_code) == (Status.FAILED, "strategy_failed")
        assert sweep.error == "With number=2: Raising with raised ZeroDivisionError: no good"
        assert sweep.trials_done == len(rows(sweep)) == 1

    def test_candles_that_change_in_between_fail_it(self, hold: Callable[..., Candles]) -> None:
        sweep = made()
        services.chunk_execute(sweep_id=sweep.sweep_id, index=0)
        work.clear_benches()
        hold(count=9_700, seed=9)
        services.chunk_execute(sweep_id=sweep.sweep_id, index=1)
        sweep.refresh_from_db()
        assert (sweep.status, sweep.error_code) == (Status.FAILED, "candles_changed")
        assert services.sweep_retry(sweep_id=sweep.sweep_id).status == Status.QUEUED


class TestCancelAndAfter:
    def test_cancelled_in_the_middle_keeps_what_was_found(self) -> None:
        sweep = made()
        services.chunk_execute(sweep_id=sweep.sweep_id, index=0)
        services.sweep_cancel(sweep_id=sweep.sweep_id)
        services.chunk_execute(sweep_id=sweep.sweep_id, index=1)
        sweep.refresh_from_db()
        assert sweep.status == Status.CANCELLED
        assert sweep.trials_done == len(rows(sweep)) == 2
        assert sweep.summary is not None
        assert sweep.summary["trials"] == 2
        with pytest.raises(Conflict):
            services.sweep_cancel(sweep_id=sweep.sweep_id)

    def test_retried_it_does_only_what_is_missing_and_comes_to_the_same(self) -> None:
        sweep = made()
        services.chunk_execute(sweep_id=sweep.sweep_id, index=0)
        services.sweep_cancel(sweep_id=sweep.sweep_id)
        services.sweep_retry(sweep_id=sweep.sweep_id)
        assert services.chunk_indices(sweep.sweep_id) == [1, 2, 3, 4, 5]
        sweep = services.sweep_run(sweep_id=sweep.sweep_id)
        assert rows(sweep) == rows(done())
        with pytest.raises(Conflict):
            services.sweep_retry(sweep_id=sweep.sweep_id)

    def test_only_what_has_ended_can_be_deleted(self) -> None:
        sweep = made()
        with pytest.raises(Conflict):
            services.sweep_delete(sweep_id=sweep.sweep_id)
        services.sweep_run(sweep_id=sweep.sweep_id)
        services.sweep_delete(sweep_id=sweep.sweep_id)
        assert not SweepTrial.objects.exists()


class TestLostWorkers:
    def lost(self, sweep: Sweep, index: int = 0) -> SweepChunk:
        """A chunk that a worker took, and that worker dead."""
        assert services.chunk_claim(sweep_id=sweep.sweep_id, index=index, worker="dead")
        chunk = SweepChunk.objects.get(sweep=sweep, index=index)
        SweepChunk.objects.filter(pk=chunk.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
        return SweepChunk.objects.select_related("sweep").get(pk=chunk.pk)

    def test_a_lost_chunk_is_done_again_with_the_same_results(self) -> None:
        sweep = made()
        self.lost(sweep)
        assert services.sweeps_sweep_lost().waiting == [(sweep.sweep_id, 0)]
        assert services.sweeps_sweep_lost().waiting == []
        sweep = services.sweep_run(sweep_id=sweep.sweep_id)
        assert sweep.status == Status.COMPLETED
        assert rows(sweep) == rows(done())

    def test_a_worker_that_comes_back_changes_nothing(self) -> None:
        sweep = made()
        late = self.lost(sweep)
        services.sweeps_sweep_lost()
        sweep = services.sweep_run(sweep_id=sweep.sweep_id)
        before = rows(sweep)
        assert services.record_beat(late, 1) == "lost"
        services.chunk_complete(late, [], 1.0)
        sweep.refresh_from_db()
        assert rows(sweep) == before
        assert sweep.trials_done == 12

    def test_the_third_death_on_the_same_trials_fails_the_sweep(self) -> None:
        sweep = made()
        for _ in range(3):
            self.lost(sweep)
            services.sweeps_sweep_lost()
        sweep.refresh_from_db()
        assert (sweep.status, sweep.error_code) == (Status.FAILED, "worker_lost")
        assert "3 times" in sweep.error

    def test_a_sweep_whose_last_worker_died_before_completing_it_is_completed(self) -> None:
        sweep = services.sweep_run(sweep_id=made().sweep_id)
        Sweep.objects.filter(pk=sweep.pk).update(status=Status.RUNNING, summary=None, finished_at=None)
        services.sweeps_sweep_lost()
        sweep.refresh_from_db()
        assert sweep.status == Status.COMPLETED
        assert sweep.summary is not None

    def test_chunks_whose_messages_are_lost_are_sent_again_but_not_all_the_time(self) -> None:
        sweep = made()
        Sweep.objects.filter(pk=sweep.pk).update(created_at=timezone.now() - timedelta(minutes=10))
        assert services.sweeps_sweep_lost().waiting == [(sweep.sweep_id, index) for index in range(6)]
        assert services.sweeps_sweep_lost().waiting == []

    def test_a_chunk_that_a_dead_worker_took_along_does_not_wait_for_the_rest_of_the_sweep(self) -> None:
        """No message waits any more, but other chunks of the sweep are still worked on."""
        sweep = made()
        minute = timezone.now() - timedelta(minutes=1)
        for index in range(4):
            services.chunk_claim(sweep_id=sweep.sweep_id, index=index, worker="alive")
        Sweep.objects.filter(pk=sweep.pk).update(created_at=minute)
        assert services.sweeps_sweep_lost(all_taken=False).waiting == []
        assert services.sweeps_sweep_lost(all_taken=True).waiting == [(sweep.sweep_id, 4), (sweep.sweep_id, 5)]
        assert services.sweeps_sweep_lost(all_taken=True).waiting == []
        SweepChunk.objects.filter(sweep=sweep, index=5).update(heartbeat_at=minute)
        assert services.sweeps_sweep_lost(all_taken=True).waiting == [(sweep.sweep_id, 5)]

    def test_chunks_that_wait_their_turn_are_sent_once_only(self) -> None:
        """On a long sweep, whose messages wait at the broker for longer than a lost one would have."""
        sweep = made()
        services.chunk_claim(sweep_id=sweep.sweep_id, index=0, worker="alive")
        Sweep.objects.filter(pk=sweep.pk).update(created_at=timezone.now() - timedelta(hours=1))
        assert services.sweeps_sweep_lost(all_taken=False).waiting == []


@pytest.mark.services
class TestManyWorkers:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_chunks_are_done_once_and_the_sweep_completed_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ends: list[bool] = []
        end = services.sweep_end

        def counted(*given: Any, **changes: Any) -> bool:
            ends.append(end(*given, **changes))
            return ends[-1]

        monkeypatch.setattr(services, "sweep_end", counted)
        sweep = made()

        work.warm_up()  # kernels must not be loaded by two threads at once

        def take(order: range) -> None:
            for index in order:
                services.chunk_execute(sweep_id=sweep.sweep_id, index=index)
            connection.close()

        threads = [
            threading.Thread(target=take, args=(order,)) for order in (range(6), range(5, -1, -1), range(6), range(5, -1, -1))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sweep.refresh_from_db()
        assert sweep.status == Status.COMPLETED
        assert sweep.trials_done == 12
        assert set(sweep.chunks.values_list("attempt", flat=True)) == {1}
        assert ends.count(True) == 1
        assert rows(sweep) == rows(done())


class TestReading:
    def test_trials_page_in_order_of_any_column(self) -> None:
        sweep = done()
        for sort in ("", "index", "-sharpe", "sharpe", "trades", "-trades", "max_drawdown"):
            whole = selectors.sweep_trials(sweep, sort=sort, limit=100).rows
            paged: list[Any] = []
            cursor: str | None = ""
            while cursor is not None:
                page = selectors.sweep_trials(sweep, sort=sort, cursor=cursor, limit=5)
                paged, cursor = paged + page.rows, page.next
            assert paged == whole
            assert len(whole) == 12

    def test_undefined_figures_come_last_both_ways(self) -> None:
        sweep = done()
        SweepTrial.objects.filter(sweep=sweep, index__in=[2, 5]).update(sharpe=None)
        for sort in ("sharpe", "-sharpe"):
            paged: list[Any] = []
            cursor: str | None = ""
            while cursor is not None:
                page = selectors.sweep_trials(sweep, sort=sort, cursor=cursor, limit=3)
                paged, cursor = paged + page.rows, page.next
            assert [row["index"] for row in paged[-2:]] == [2, 5]
            assert len(paged) == 12

    @pytest.mark.parametrize(
        ("given", "field"),
        [({"sort": "sharp"}, "sort"), ({"cursor": "x"}, "cursor"), ({"cursor": "99"}, "cursor"), ({"limit": 0}, "limit")],
    )
    def test_bad_pages(self, given: dict[str, Any], field: str) -> None:
        with pytest.raises(Invalid) as refusal:
            selectors.sweep_trials(done(), **given)
        assert field in refusal.value.fields

    def test_the_heat_map_has_every_trial_in_its_place(self) -> None:
        sweep = done()
        found = selectors.sweep_heatmap(sweep)
        assert (found["x"], found["y"], found["metric"], found["best_over"]) == ("fast", "slow", "sharpe", [])
        for row, slow in enumerate(found["y_values"]):
            for column, fast in enumerate(found["x_values"]):
                cell = found["cells"][row][column]
                assert (cell is None) == (fast >= slow)
                if cell:
                    trial = SweepTrial.objects.get(sweep=sweep, index=cell["trial"])
                    assert trial.params == {"fast": fast, "slow": slow}
                    assert cell["value"] == trial.sharpe

    def test_cells_are_the_best_over_the_other_parameters_and_it_says_so(self) -> None:
        space = {"higher": "15m,1h", "trend": "5:10:5", "lookback": "5:15:5", "threshold": "0.001,0.002"}
        sweep = done(strategy="momentum", space=space)
        found = selectors.sweep_heatmap(sweep, x="trend", y="higher", metric="total_return")
        assert found["best_over"] == ["lookback", "threshold"]
        assert found["note"] == "Each cell is the best over lookback and threshold."
        for row, higher in enumerate(found["y_values"]):
            for column, trend in enumerate(found["x_values"]):
                trials = [
                    t for t in SweepTrial.objects.filter(sweep=sweep) if t.params["higher"] == higher and t.params["trend"] == trend
                ]
                assert found["cells"][row][column]["value"] == max(trial.total_return for trial in trials)
                assert found["cells"][row][column]["trials"] == 6

    def test_one_parameter_makes_one_row(self) -> None:
        found = selectors.sweep_heatmap(done(params={"slow": 40}, space={"fast": "5:20:5"}))
        assert (found["x"], found["y"], len(found["cells"])) == ("fast", None, 1)

    @pytest.mark.parametrize("given", [{"x": "fats"}, {"y": "x"}, {"x": "fast", "y": "fast"}, {"metric": "luck"}])
    def test_bad_axes(self, given: dict[str, str]) -> None:
        with pytest.raises(Invalid) as refusal:
            selectors.sweep_heatmap(done(), **given)
        assert set(refusal.value.fields) <= {"x", "y", "metric"}

    def test_while_it_runs_the_summary_is_of_what_is_there(self) -> None:
        sweep = made()
        assert selectors.sweep_detail(sweep)["summary"] is None
        services.chunk_execute(sweep_id=sweep.sweep_id, index=0)
        detail = selectors.sweep_detail(selectors.sweep_get(sweep.sweep_id))
        assert (detail["status"], detail["trials_done"], detail["summary"]["trials"]) == ("running", 2, 2)
