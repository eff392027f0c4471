"""The life of a backtest run: every write to a `BacktestRun`.

queued -> running -> completed | failed | cancelled; failed and cancelled -> queued again by `run_retry`. A worker takes a run by
compare-and-set, and everything it writes names its attempt: one that was given up for lost and comes back changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from access.people import Person, signed_in_user
from access.rights import require_right
from backtests import artifacts, data, execution, selectors
from backtests.models import ACTIVE, ENDED, BacktestRun, Status
from core.errors import Cancelled, Conflict, DomainError, Invalid
from core.push import push_message
from core.storage import StorageAway
from core.watch import Interrupted, Watch
from core.work import oldest_message
from engine.types import Candles
from trading.setup.config import UNUSABLE, RunConfig, parse_config, read_config

logger = logging.getLogger(__name__)

PUSH_GROUP = "backtests"
"""What is pushed of runs and sweeps; `backtests.consumers` says who hears what."""
LONGEST_ERROR = 2_000
FAULT = "Something went wrong inside Quarterdeck; it has been logged. The run can be retried."
LOST = "The worker that ran this died or was cut off. The run can be retried."
TOO_LONG = (
    "The run took longer than {limit} s and was stopped. Shorten the span, mend the strategy, or raise RUN_TIME_LIMIT_SECONDS."
)


def run_create(*, config: Any, user: Person = None, name: str = "", cloned_from: BacktestRun | None = None) -> BacktestRun:
    """A queued run; `Invalid` with every faulty field. The caller starts it: `tasks.run_start`, or `run_execute` in process."""
    require_right(user, "backtests.add_backtestrun")
    parsed = run_check(config=config, name=name)
    return BacktestRun.objects.create(
        run_id=token_hex(8),
        name=parsed.name,
        config=parsed.to_json(),
        strategy=parsed.strategy,
        symbols=",".join(parsed.symbols),
        interval=parsed.interval,
        seed=parsed.seed,
        cloned_from=cloned_from,
        created_by=signed_in_user(user),
    )


def run_check(*, config: Any, name: str = "") -> RunConfig:
    """What `run_create` would run, without making it; `Invalid` with every faulty field."""
    parsed, form = read_config({**config, "name": name} if name and isinstance(config, Mapping) else config)
    if form.faults and parsed.symbols and not {"symbols", "symbol", "venue"} & form.faults.keys():
        try:
            data.find_market(parsed)
        except Invalid as error:
            form.merge(error, "symbols")
    form.refuse(UNUSABLE)
    return data.resolve_config(parsed)


def run_rerun(*, run_id: str, user: Person = None) -> BacktestRun:
    """The same again, as a new run: same configuration, same rules, the candles that are there now."""
    run = selectors.run_get(run_id)
    return run_create(config=run.config, user=user, name=run.name, cloned_from=run)


def run_clone(*, run_id: str, changes: Mapping[str, Any], user: Person = None, name: str = "") -> BacktestRun:
    """A new run with some settings changed, whole sections at a time; the venue's rules are read afresh."""
    run = selectors.run_get(run_id)
    config = {key: value for key, value in run.config.items() if key != "rules"} | dict(changes)
    return run_create(config=config, user=user, name=name or run.name, cloned_from=run)


def run_execute(*, run_id: str, worker: str = "") -> BacktestRun:
    """The worker's part: take the run if it is queued, compute it, store its results. A fault of the run is written to its row."""
    if not run_claim(run_id=run_id, worker=worker):
        return selectors.run_get(run_id)
    run = selectors.run_get(run_id)
    push_state(run, "run_progress", status=run.status)
    try:
        with Watch(partial(record_beat, run), seconds=settings.RUN_TIME_LIMIT_SECONDS) as watch:
            done = compute_and_store(run, watch)
        end_run(run, Status.COMPLETED, **done)
    except Interrupted as stop:
        end_interrupted(run, stop.reason)
    except Cancelled:
        end_interrupted(run, watch.reason)
    except DomainError as error:
        end_run(run, Status.FAILED, error=explain_error(error), error_code=error.code)
    except MemoryError:
        message = "There was not enough memory for this run. Shorten the span."
        end_run(run, Status.FAILED, error=message, error_code="out_of_memory")
    except Exception:
        logger.exception("run %s failed", run_id)
        end_run(run, Status.FAILED, error=FAULT, error_code="internal_error")
    return selectors.run_get(run_id)


def run_claim(*, run_id: str, worker: str) -> bool:
    """Queued -> running, for exactly one worker."""
    now = timezone.now()
    queued = BacktestRun.objects.filter(run_id=run_id, status=Status.QUEUED)
    changes = {"status": Status.RUNNING, "worker": worker[:128], "started_at": now, "heartbeat_at": now}
    return queued.update(**changes, attempt=F("attempt") + 1, candles_processed=0) == 1


def compute_and_store(run: BacktestRun, watch: Watch) -> dict[str, Any]:
    """Computes and stores the columns; answers what belongs into the row."""
    config = parse_config(run.config)
    candles = data.load_candles(config)
    total, fingerprint = sum(map(len, candles)), data.fingerprint_candles(candles)
    owned_row(run).update(candles_total=total, fingerprint=fingerprint)
    scale = total / max(map(len, candles))
    outcome = execution.compute_run(
        config,
        candles,
        fingerprint=fingerprint,
        on_progress=lambda done: watch.progress(min(round(done * scale), total)),
        check=watch.check,
    )
    folder = artifacts.new_folder(artifacts.RUNS, f"{run.run_id}-{run.attempt}")
    candles_folder = keep_candles(run, fingerprint, candles)
    artifacts.write_tables(folder, outcome.tables)
    return {"candles_processed": total, "artifact": folder, "candles_folder": candles_folder, **outcome_columns(outcome)}


def keep_candles(run: BacktestRun, fingerprint: str, candles: Sequence[Candles]) -> str:
    """The folder of the run's candles: one that a completed run on the same candles has, or a new one. The row names it before
    it is filled, so that the sweep for orphans leaves it alone."""
    twin = BacktestRun.objects.filter(fingerprint=fingerprint, status=Status.COMPLETED).exclude(candles_folder="")
    found = twin.values_list("candles_folder", flat=True).first()
    folder = found or artifacts.new_folder(artifacts.CANDLES, fingerprint[:16])
    owned_row(run).update(candles_folder=folder)
    if not found:
        artifacts.write_candles(folder, candles)
    return folder


def outcome_columns(outcome: execution.RunOutcome) -> dict[str, Any]:
    results = outcome.results
    return {
        "results": results,
        "results_digest": outcome.digest,
        "code_hash": outcome.code_hash,
        "seconds": outcome.seconds,
        **{name: results[name] for name in ("total_return", "sharpe", "max_drawdown", "trades")},
    }


def owned_row(run: BacktestRun) -> QuerySet[BacktestRun]:
    """The row, as long as this attempt still owns it."""
    return BacktestRun.objects.filter(pk=run.pk, attempt=run.attempt, status=Status.RUNNING)


def record_beat(run: BacktestRun, done: int) -> str:
    """A sign of life with the progress; answers why to stop, if there is a reason."""
    if owned_row(run).update(candles_processed=done, heartbeat_at=timezone.now()):
        row = BacktestRun.objects.only("cancel_requested", "candles_total").get(pk=run.pk)
        push_state(run, "run_progress", status=Status.RUNNING, candles_processed=done, candles_total=row.candles_total)
        return "cancelled" if row.cancel_requested else ""
    # A row that is not there at all is one that this connection cannot see yet.
    return "lost" if BacktestRun.objects.filter(pk=run.pk).exists() else ""


def end_run(run: BacktestRun, status: Status, **changes: Any) -> None:
    """The run's last write, all in one; of no effect for a worker that no longer owns the run."""
    if not owned_row(run).update(status=status, finished_at=timezone.now(), **changes):
        logger.warning("run %s, attempt %s: another took over, nothing was written", run.run_id, run.attempt)
        files_delete(changes.get("artifact", ""), "")
        return
    logger.info("run %s %s", run.run_id, status)
    push_state(run, "run_finished", status=status)


def end_interrupted(run: BacktestRun, reason: str) -> None:
    if reason == "cancelled":
        end_run(run, Status.CANCELLED, error="", error_code="")
    elif reason == "time_limit":
        message = TOO_LONG.format(limit=settings.RUN_TIME_LIMIT_SECONDS)
        end_run(run, Status.FAILED, error=message, error_code="time_limit")


def explain_error(error: DomainError) -> str:
    """The message, and what each field says."""
    return error.in_full().replace("\x00", "")[:LONGEST_ERROR]


def push_state(run: BacktestRun, kind: str, *, status: str, **progress: int) -> None:
    """Push to those who listen to the run, or to all runs. `run_progress` carries how far it is."""
    payload = {"run_id": run.run_id, "status": str(status), "attempt": run.attempt, **progress}
    if "candles_total" in progress:
        payload["share"] = progress["candles_processed"] / progress["candles_total"] if progress["candles_total"] else 0.0
    transaction.on_commit(partial(push_message, PUSH_GROUP, kind, **payload))


def run_cancel(*, run_id: str, user: Person = None) -> BacktestRun:
    """A queued run is cancelled at once; a running one is asked to, and stops within a second. `Conflict` if it has ended."""
    require_right(user, "backtests.change_backtestrun")
    run = selectors.run_get(run_id)
    row = BacktestRun.objects.filter(pk=run.pk)
    queued = row.filter(status=Status.QUEUED)
    if queued.update(status=Status.CANCELLED, cancel_requested=True, finished_at=timezone.now()):
        push_state(run, "run_finished", status=Status.CANCELLED)
    elif not row.filter(status=Status.RUNNING).update(cancel_requested=True):
        raise Conflict(f"The run is {selectors.run_get(run_id).status}: there is nothing to cancel.")
    return selectors.run_get(run_id)


def run_retry(*, run_id: str, user: Person = None) -> BacktestRun:
    """Queued once more, under the same run_id. `Conflict` unless it failed or was cancelled."""
    require_right(user, "backtests.change_backtestrun")
    run = selectors.run_get(run_id)
    again = BacktestRun.objects.filter(pk=run.pk, status__in=[Status.FAILED, Status.CANCELLED])
    blank: dict[str, Any] = {"error": "", "error_code": "", "worker": "", "started_at": None, "finished_at": None}
    if not again.update(status=Status.QUEUED, cancel_requested=False, candles_processed=0, heartbeat_at=timezone.now(), **blank):
        raise Conflict(f"The run is {run.status}: only a failed or cancelled run can be retried.")
    push_state(run, "run_progress", status=Status.QUEUED)
    return selectors.run_get(run_id)


def run_delete(*, run_id: str, user: Person = None) -> None:
    """The row and its files. `Conflict` while it is queued or running."""
    require_right(user, "backtests.delete_backtestrun")
    run = selectors.run_get(run_id)
    with transaction.atomic():
        deleted, _ = BacktestRun.objects.filter(pk=run.pk, status__in=ENDED).delete()
        if not deleted:
            raise Conflict(f"The run is {run.status}. Cancel it first, then delete it.")
        transaction.on_commit(partial(files_delete, run.artifact, run.candles_folder))


def files_delete(folder: str, candles_folder: str) -> None:
    """The run is deleted already. What cannot be deleted now is left to `artifacts_sweep`."""
    try:
        artifacts.delete_folder(folder)
        if not BacktestRun.objects.filter(candles_folder=candles_folder).exists():
            artifacts.delete_folder(candles_folder)
    except StorageAway as away:
        logger.warning("files of a deleted run stay until the next look for orphans: %s", away)


@dataclass(frozen=True, slots=True)
class SweptRuns:
    """run_ids that were found without a worker, and those that the caller should hand to the broker again."""

    lost: list[str]
    waiting: list[str]


def runs_sweep_lost(*, all_taken: bool = False) -> SweptRuns:
    """Running without a sign of life for RUN_LOST_AFTER_SECONDS: failed, `worker_lost`. Queued for long: to be queued again.
    Any number of sweepers may run at once."""
    now = timezone.now()
    silent = now - timedelta(seconds=settings.RUN_LOST_AFTER_SECONDS)
    running = BacktestRun.objects.filter(status=Status.RUNNING, heartbeat_at__lt=silent)
    lost = [run.run_id for run in running if run_give_up(run)]
    late = oldest_message(all_taken=all_taken)
    return SweptRuns(lost, [run_id for run_id in queued_ids(late) if stamp_queued(run_id, late)])


def run_give_up(run: BacktestRun) -> bool:
    """Ends a run whose worker is silent, unless it has shown itself since."""
    fields: dict[str, Any] = {"status": Status.FAILED, "error": LOST, "error_code": "worker_lost"}
    if run.cancel_requested:
        fields = {"status": Status.CANCELLED}
    elif run.started_at and (timezone.now() - run.started_at).total_seconds() >= settings.RUN_TIME_LIMIT_SECONDS:
        fields |= {"error": TOO_LONG.format(limit=settings.RUN_TIME_LIMIT_SECONDS), "error_code": "time_limit"}
    given_up = owned_row(run).filter(heartbeat_at=run.heartbeat_at).update(finished_at=timezone.now(), **fields) == 1
    if given_up:
        logger.warning("run %s, attempt %s: its worker %s is silent", run.run_id, run.attempt, run.worker)
        push_state(run, "run_finished", status=fields["status"])
    return given_up


def overdue_runs(late: datetime) -> QuerySet[BacktestRun]:
    """Runs that are queued since `late` or longer: their messages may be lost."""
    queued = BacktestRun.objects.filter(status=Status.QUEUED, created_at__lt=late)
    return queued.exclude(heartbeat_at__gte=late)


def queued_ids(late: datetime) -> list[str]:
    return list(overdue_runs(late).order_by("id").values_list("run_id", flat=True)[:100])


def stamp_queued(run_id: str, late: datetime) -> bool:
    return overdue_runs(late).filter(run_id=run_id).update(heartbeat_at=timezone.now()) == 1


def artifacts_sweep() -> int:
    """Deletes folders that no run names: of attempts that died, of runs deleted while the storage was away. Answers how many."""
    # The folders first, then the rows in one statement: a run that ends in between is still seen to own its folder.
    run_folders, candle_folders = list(artifacts.list_folders(artifacts.RUNS)), list(artifacts.list_folders(artifacts.CANDLES))
    rows = list(BacktestRun.objects.values_list("run_id", "status", "artifact", "candles_folder"))
    active = {run_id for run_id, status, _, _ in rows if status in ACTIVE}
    named = {folder for row in rows for folder in row[2:]}
    orphans = [folder for folder in run_folders if folder not in named and owner_of(folder) not in active]
    orphans += [folder for folder in candle_folders if folder not in named]
    for folder in orphans:
        artifacts.delete_folder(folder)
    return len(orphans)


def owner_of(folder: str) -> str:
    """The run_id in a folder's name, <run_id>-<attempt>-<token>."""
    return folder.rsplit("/", 1)[-1].split("-")[0]
