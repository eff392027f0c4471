"""The life of a sweep and of its chunks; every write goes through here.

A sweep: queued -> running -> completed | failed | cancelled. Its trials lie in chunks, which any number of workers take by
compare-and-set. What a chunk found is written in one transaction that names its attempt and needs the sweep to be running still,
so a worker that was given up for lost and comes back changes nothing. Who completes the last chunk completes the sweep.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from math import ceil
from secrets import token_hex
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from access.people import Person, signed_in_user
from access.rights import require_right
from backtests.models import ACTIVE, ENDED, Status, Sweep, SweepChunk, SweepTrial
from backtests.services import FAULT, PUSH_GROUP, TOO_LONG, explain_error
from backtests.sweeps import work
from backtests.sweeps.config import SweepConfig, parse_sweep, trial_config
from backtests.sweeps.selectors import candles_expected, sweep_get
from backtests.sweeps.summary import summarise_sweep
from core.errors import Conflict, DomainError
from core.push import push_message
from core.watch import Interrupted, Watch
from core.work import oldest_message
from engine.metrics import decimal_text, round_figure
from engine.sweep import Trial
from trading.setup.config import parse_config as parse_run

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 3
MOST_SENT = 1_000
"""Chunks that one look hands to the broker again."""
CANDLES_A_CHUNK = 50_000_000
"""Candles times trials of one chunk: a fraction of a second of work, so that results keep coming."""
FEWEST_CHUNKS = 8
"""Where there are trials enough, so that a few workers end together."""
CHANGED = "The candles changed while the sweep ran, so its trials cannot be compared. Run it again on what is there now."
LOST = "A worker died {attempts} times on the same trials ({first} to {last}). The log of the workers says more."


def sweep_create(*, config: Any, user: Person = None, name: str = "") -> Sweep:
    """A queued sweep with its chunks; `Invalid` with every faulty field. To be started by `tasks.sweep_start` or `sweep_run`."""
    require_right(user, "backtests.add_sweep")
    parsed = parse_sweep({**config, "name": name} if name and isinstance(config, dict) else config)
    run = parsed.run
    with transaction.atomic():
        sweep = Sweep.objects.create(
            sweep_id=token_hex(8),
            name=run.name,
            config=parsed.to_json(),
            strategy=run.strategy,
            symbols=",".join(run.symbols),
            interval=run.interval,
            seed=run.seed,
            method=parsed.method,
            space=parsed.space,
            objective=parsed.objective,
            trials_total=len(parsed.points),
            skipped=parsed.skipped,
            created_by=signed_in_user(user),
        )
        SweepChunk.objects.bulk_create(chunks_of(sweep, parsed))
    return sweep


def chunks_of(sweep: Sweep, config: SweepConfig) -> list[SweepChunk]:
    size = max(1, min(CANDLES_A_CHUNK // max(1, candles_expected(config.run)), ceil(len(config.points) / FEWEST_CHUNKS), 500))
    starts = range(0, len(config.points), size)
    parts = [(start, config.points[start : start + size]) for start in starts]
    return [
        SweepChunk(sweep=sweep, index=index, first_trial=start, trials=len(points), points=points)
        for index, (start, points) in enumerate(parts)
    ]


def sweep_run(*, sweep_id: str, worker: str = "") -> Sweep:
    """Works off all chunks here and now, beside whatever workers there are."""
    for index in chunk_indices(sweep_id):
        chunk_execute(sweep_id=sweep_id, index=index, worker=worker)
    return sweep_get(sweep_id)


def chunk_indices(sweep_id: str) -> list[int]:
    """Of the chunks that wait for a worker."""
    waiting = SweepChunk.objects.filter(sweep__sweep_id=sweep_id, sweep__status__in=ACTIVE, status=Status.QUEUED)
    return list(waiting.order_by("index").values_list("index", flat=True))


def chunk_execute(*, sweep_id: str, index: int, worker: str = "") -> None:
    """The worker's part: take the chunk if it is queued, try its points, store the trials. Faults go to the sweep's row."""
    if not chunk_claim(sweep_id=sweep_id, index=index, worker=worker):
        return
    chunk = SweepChunk.objects.select_related("sweep").get(sweep__sweep_id=sweep_id, index=index)
    try:
        with Watch(partial(record_beat, chunk), seconds=settings.RUN_TIME_LIMIT_SECONDS) as watch:
            found, seconds = compute_chunk(chunk, watch)
        chunk_complete(chunk, found, seconds)
    except Interrupted as stop:
        if stop.reason == "time_limit":
            sweep_fail(chunk.sweep, TOO_LONG.format(limit=settings.RUN_TIME_LIMIT_SECONDS), "time_limit")
    except DomainError as error:
        sweep_fail(chunk.sweep, explain_error(error), error.code)
    except MemoryError:
        sweep_fail(chunk.sweep, "There was not enough memory for this sweep. Shorten the span.", "out_of_memory")
    except Exception:
        logger.exception("sweep %s, chunk %s failed", sweep_id, index)
        sweep_fail(chunk.sweep, FAULT, "internal_error")
    finally:
        if not chunk_indices(sweep_id):
            work.clear_benches()


def chunk_claim(*, sweep_id: str, index: int, worker: str) -> bool:
    """Queued -> running, for exactly one worker; the first one starts the sweep."""
    now = timezone.now()
    sweep = Sweep.objects.filter(sweep_id=sweep_id)
    queued = SweepChunk.objects.filter(sweep__in=sweep.filter(status__in=ACTIVE), index=index, status=Status.QUEUED)
    if queued.update(status=Status.RUNNING, attempt=F("attempt") + 1, worker=worker[:128], heartbeat_at=now) != 1:
        return False
    if sweep.filter(status=Status.QUEUED).update(status=Status.RUNNING, started_at=now, heartbeat_at=now, attempt=F("attempt") + 1):
        push_state(sweep_get(sweep_id), "sweep_progress")
    return True


def compute_chunk(chunk: SweepChunk, watch: Watch) -> tuple[list[Trial], float]:
    """The trials of the chunk, and the seconds they took."""
    sweep, started = chunk.sweep, perf_counter()
    desk = work.desk_for(sweep.sweep_id, parse_run(trial_config(sweep.config, chunk.points[0])))
    same_for_all(sweep, desk)
    watch.check()

    def go_on(done: int) -> None:
        watch.progress(done)
        watch.check()

    found = work.compute_trials(desk.bench, sweep.config["params"], chunk.points, go_on=go_on)
    return found, perf_counter() - started


def same_for_all(sweep: Sweep, desk: work.SweepBench) -> None:
    """The first chunk says which candles and code the sweep is on; `Conflict` for a chunk that has others."""
    row = Sweep.objects.filter(pk=sweep.pk)
    same = {"fingerprint": desk.fingerprint, "code_hash": desk.code_hash}
    if not row.filter(fingerprint="").update(**same, candles_total=desk.candles, days=desk.bench.days):
        there = row.values("fingerprint", "code_hash").get()
        if there["fingerprint"] != same["fingerprint"]:
            raise Conflict(CHANGED, code="candles_changed")
        if there["code_hash"] != same["code_hash"]:
            raise Conflict("The workers of this sweep run different versions of the code. Restart them all, then run it again.")


def owned_chunk(chunk: SweepChunk) -> QuerySet[SweepChunk]:
    """The row, as long as this attempt still owns it."""
    return SweepChunk.objects.filter(pk=chunk.pk, attempt=chunk.attempt, status=Status.RUNNING)


def record_beat(chunk: SweepChunk, done: int) -> str:
    """A sign of life; answers why to stop, if there is a reason."""
    if not owned_chunk(chunk).update(heartbeat_at=timezone.now()):
        # A row that is not there at all is one that this connection cannot see yet.
        return "lost" if SweepChunk.objects.filter(pk=chunk.pk).exists() else ""
    status = Sweep.objects.filter(pk=chunk.sweep_id).values_list("status", flat=True).first()
    return "cancelled" if status in ENDED else ""


def chunk_complete(chunk: SweepChunk, found: Sequence[Trial], seconds: float) -> None:
    """Trials, chunk and counts in one transaction, or nothing of it."""
    with transaction.atomic():
        # The sweep's row first: it puts the ends of chunks, cancelling and failing in one order.
        running = Sweep.objects.filter(pk=chunk.sweep_id, status=Status.RUNNING)
        counted = running.update(
            trials_done=F("trials_done") + len(found), seconds=F("seconds") + seconds, heartbeat_at=timezone.now()
        )
        if not counted or not owned_chunk(chunk).update(status=Status.COMPLETED):
            transaction.set_rollback(True)
            logger.warning(
                "sweep %s, chunk %s, attempt %s: not running any more, nothing was written", chunk.sweep, chunk.index, chunk.attempt
            )
            return
        SweepTrial.objects.bulk_create(rows_of(chunk, found), batch_size=1_000)
    sweep = Sweep.objects.get(pk=chunk.sweep_id)
    push_state(sweep, "sweep_progress")
    sweep_complete(sweep)


def rows_of(chunk: SweepChunk, found: Sequence[Trial]) -> list[SweepTrial]:
    """Figures as a run's results have them, to the digit."""
    ratios = ("total_return", "sharpe", "sortino", "calmar", "max_drawdown", "skewness", "kurtosis")
    return [
        SweepTrial(
            sweep_id=chunk.sweep_id,
            index=chunk.first_trial + number,
            params=point,
            final_equity=decimal_text(trial.final_equity) or 0,
            trades=trial.trades,
            **{name: round_figure(getattr(trial, name)) for name in ratios},
        )
        for number, (point, trial) in enumerate(zip(chunk.points, found, strict=True))
    ]


def sweep_complete(sweep: Sweep) -> bool:
    """Running -> completed once no chunk is left, for exactly one caller."""
    if SweepChunk.objects.filter(sweep=sweep).exclude(status=Status.COMPLETED).exists():
        return False
    return sweep_end(sweep, Status.COMPLETED)


def sweep_fail(sweep: Sweep, error: str, code: str) -> bool:
    return sweep_end(sweep, Status.FAILED, error=error, error_code=code)


def sweep_end(sweep: Sweep, status: Status, **changes: Any) -> bool:
    """Ends an active sweep with a summary of what was found until now; False where another was first."""
    with transaction.atomic():
        ended = Sweep.objects.filter(pk=sweep.pk, status__in=ACTIVE).update(status=status, finished_at=timezone.now(), **changes)
        if not ended:
            return False
        # From here on no chunk can add trials.
        SweepChunk.objects.filter(sweep=sweep, status__in=ACTIVE).update(status=Status.CANCELLED)
        sweep = Sweep.objects.get(pk=sweep.pk)
        Sweep.objects.filter(pk=sweep.pk).update(summary=summarise_sweep(sweep))
    logger.info("sweep %s %s", sweep.sweep_id, status)
    push_state(sweep, "sweep_finished")
    return True


def sweep_cancel(*, sweep_id: str, user: Person = None) -> Sweep:
    """At once: what was found stays, chunks under way stop within a second. `Conflict` if it has ended."""
    require_right(user, "backtests.change_sweep")
    sweep = sweep_get(sweep_id)
    if not sweep_end(sweep, Status.CANCELLED, cancel_requested=True):
        raise Conflict(f"The sweep is {sweep_get(sweep_id).status}: there is nothing to cancel.")
    return sweep_get(sweep_id)


def sweep_retry(*, sweep_id: str, user: Person = None) -> Sweep:
    """Queued once more for the trials that are missing. `Conflict` unless it failed or was cancelled."""
    require_right(user, "backtests.change_sweep")
    sweep = sweep_get(sweep_id)
    with transaction.atomic():
        over = Sweep.objects.filter(pk=sweep.pk, status__in=[Status.FAILED, Status.CANCELLED])
        blank: dict[str, Any] = {"error": "", "error_code": "", "finished_at": None, "summary": None, "cancel_requested": False}
        if not over.update(status=Status.QUEUED, heartbeat_at=timezone.now(), **blank):
            raise Conflict(f"The sweep is {sweep.status}: only a failed or cancelled one can be retried.")
        left = SweepChunk.objects.filter(sweep=sweep).exclude(status=Status.COMPLETED)
        left.update(status=Status.QUEUED, attempt=0, worker="", heartbeat_at=timezone.now())
        if not SweepTrial.objects.filter(sweep=sweep).exists():
            Sweep.objects.filter(pk=sweep.pk).update(fingerprint="", code_hash="")
    push_state(sweep_get(sweep_id), "sweep_progress")
    return sweep_get(sweep_id)


def sweep_delete(*, sweep_id: str, user: Person = None) -> None:
    """The sweep with its trials. `Conflict` while it is queued or running."""
    require_right(user, "backtests.delete_sweep")
    sweep = sweep_get(sweep_id)
    deleted, _ = Sweep.objects.filter(pk=sweep.pk, status__in=ENDED).delete()
    if not deleted:
        raise Conflict(f"The sweep is {sweep.status}. Cancel it first, then delete it.")


@dataclass(frozen=True, slots=True)
class LostChunks:
    """Chunks, as (sweep_id, index), that the caller should hand to the broker again."""

    waiting: list[tuple[str, int]]


def sweeps_sweep_lost(*, all_taken: bool = False) -> LostChunks:
    """Chunks whose worker is silent are queued again, or fail their sweep after MOST_ATTEMPTS; a sweep whose last worker died
    before it could complete it is completed. Any number of sweepers may run at once."""
    now = timezone.now()
    silent = now - timedelta(seconds=settings.RUN_LOST_AFTER_SECONDS)
    running = SweepChunk.objects.filter(status=Status.RUNNING, sweep__status__in=ACTIVE, heartbeat_at__lt=silent).select_related(
        "sweep"
    )
    waiting = [(chunk.sweep.sweep_id, chunk.index) for chunk in running if chunk_give_up(chunk)]
    for sweep in Sweep.objects.filter(status=Status.RUNNING).exclude(chunks__status__in=ACTIVE):
        sweep_complete(sweep)
    return LostChunks(waiting + overdue_chunks(all_taken=all_taken))


def chunk_give_up(chunk: SweepChunk) -> bool:
    """Queued again, unless the worker has shown itself since or it was tried often enough."""
    owned = owned_chunk(chunk).filter(heartbeat_at=chunk.heartbeat_at)
    if chunk.attempt >= MOST_ATTEMPTS:
        if owned.exists():
            last = chunk.first_trial + chunk.trials
            sweep_fail(chunk.sweep, LOST.format(attempts=chunk.attempt, first=chunk.first_trial + 1, last=last), "worker_lost")
        return False
    again = owned.update(status=Status.QUEUED, heartbeat_at=timezone.now()) == 1
    if again:
        logger.warning("sweep %s, chunk %s: its worker %s is silent; queued again", chunk.sweep.sweep_id, chunk.index, chunk.worker)
    return again


def overdue_chunks(*, all_taken: bool) -> list[tuple[str, int]]:
    """Queued chunks whose messages may be lost: each for itself if no message waits at the broker, and else where nothing of its
    sweep has moved for long. Each is stamped, so that one sweeper sends it."""
    late = oldest_message(all_taken=all_taken)
    queued = SweepChunk.objects.filter(status=Status.QUEUED, sweep__status__in=ACTIVE, sweep__created_at__lt=late)
    if not all_taken:
        queued = queued.exclude(sweep__heartbeat_at__gte=late).exclude(sweep__chunks__heartbeat_at__gte=late)
    oldest = queued.exclude(heartbeat_at__gte=late).order_by("sweep_id", "index").values_list("pk", "sweep__sweep_id", "index")
    unsent = SweepChunk.objects.filter(status=Status.QUEUED).exclude(heartbeat_at__gte=late)
    stamp = {"heartbeat_at": timezone.now()}
    return [(sweep_id, index) for pk, sweep_id, index in oldest[:MOST_SENT] if unsent.filter(pk=pk).update(**stamp)]


def push_state(sweep: Sweep, kind: str) -> None:
    """Push to those who listen to the sweep."""
    share = sweep.trials_done / sweep.trials_total if sweep.trials_total else 0.0
    payload = {
        "sweep_id": sweep.sweep_id,
        "status": sweep.status,
        "trials_done": sweep.trials_done,
        "trials_total": sweep.trials_total,
    }
    transaction.on_commit(partial(push_message, PUSH_GROUP, kind, **payload, share=share))
