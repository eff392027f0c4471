"""The life of an import that a worker does: every write to a `CandleImport` but those of `manage.py import_candles`.

queued -> running -> completed | refused | failed | cancelled. A worker takes an import by compare-and-set, and what it writes names
its attempt: one that was given up for lost and comes back changes nothing. As an import is all or nothing, one whose worker has
died is queued once more, and only the second time ended.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from secrets import token_hex
from typing import IO, Any, cast

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from access.people import Person
from access.rights import require_right
from core.errors import Conflict, DomainError, Invalid
from core.memory import held_bytes, limiting_memory
from core.storage import asking_storage
from core.watch import Interrupted, Watch
from core.work import oldest_message
from market import selectors, services
from market.candles.readers import too_large
from market.models import CandleImport

logger = logging.getLogger(__name__)
Status = CandleImport.Status

FOLDER = "imports"
MOST_WAITING = 20
"""Imports of the whole desk under way at once, each with its file on the disk."""
ATTEMPTS = 2
LOOK_SECONDS = 0.05
HEADROOM = 1 << 30
"""Beyond the limit that is watched, what a single step inside a library may take before its process is ended."""
FAULT = "Something went wrong inside Quarterdeck; it has been logged. Send the file again."
LOST = "The worker that read it died twice, which a file that is too large for its machine can cause. Nothing was stored."
GONE = "The file is gone from the storage. Send it again."
TOO_LONG = "The import took longer than {limit} s and was stopped. Split the file, or raise IMPORT_TIME_LIMIT_SECONDS."
TOO_MUCH = "The file needs more than {limit} MB of memory. Split it, or raise IMPORT_MAX_MEMORY_MB."


def import_queue(*, file: File[bytes], user: Person = None, **given: Any) -> CandleImport:
    """Keeps the file and queues its import; the caller starts it: `tasks.import_start`. `given` is what `import_new` takes.

    `Invalid` for what can be told without reading; `Conflict` while too many wait."""
    queued = services.import_new(**given, user=user)
    size = file.size or 0
    if not size:
        raise Invalid.at("file", "The file is empty.")
    if size > settings.IMPORT_MAX_BYTES:
        raise too_large()
    if under_way().count() >= MOST_WAITING:
        raise Conflict(f"{MOST_WAITING} imports are under way, which is the most at once. Try again when some are over.")
    # The row names the file before it is there, so that the sweep for orphans leaves it alone.
    queued.upload, queued.bytes_total = f"{FOLDER}/{token_hex(16)}", size
    queued.save()
    try:
        with asking_storage():
            default_storage.save(queued.upload, file)
    except BaseException:
        queued.delete()
        raise
    return queued


def import_execute(*, import_id: int, worker: str = "") -> None:
    """The worker's part: take the import if it is queued, read the file, store its candles. A fault is written to its row."""
    if not import_claim(import_id=import_id, worker=worker):
        return
    done = CandleImport.objects.get(pk=import_id)
    beat = partial(record_beat, done, held_bytes())
    try:
        with Watch(beat, seconds=settings.IMPORT_TIME_LIMIT_SECONDS) as watch:
            read_and_store(done, watch)
    except Interrupted as stop:
        end_interrupted(done, stop.reason)
    except Invalid as error:
        end_import(done, Status.REFUSED, message=str(error), error_code=error.code)
    except DomainError as error:
        end_import(done, Status.FAILED, message=error.in_full(), error_code=error.code)
    except FileNotFoundError:
        end_import(done, Status.FAILED, message=GONE, error_code="upload_gone")
    except MemoryError:
        end_interrupted(done, "memory")
    except Exception:
        logger.exception("import %s failed", import_id)
        end_import(done, Status.FAILED, message=FAULT, error_code="internal_error")


def import_claim(*, import_id: int, worker: str) -> bool:
    """Queued -> running, for exactly one worker."""
    now = timezone.now()
    queued = CandleImport.objects.filter(pk=import_id, status=Status.QUEUED)
    taken = {"worker": worker[:128], "started_at": now, "heartbeat_at": now, "bytes_read": 0}
    return queued.update(status=Status.RUNNING, attempt=F("attempt") + 1, **taken) == 1


def read_and_store(done: CandleImport, watch: Watch) -> None:
    started = time.monotonic()
    with limiting_memory(settings.IMPORT_MAX_MEMORY + HEADROOM), open_upload(done) as file:
        checked = services.import_read(done, cast("IO[bytes]", WatchedFile(file, watch)))
        watch.check()
        with transaction.atomic():
            if not owned_row(done).select_for_update().exists():
                raise Interrupted("lost")
            services.import_store(done, checked)
            done.seconds = round(time.monotonic() - started, 3)
            done.bytes_read, upload, done.upload = done.bytes_total, done.upload, ""
            done.save()
            transaction.on_commit(partial(delete_upload, upload))


@contextmanager
def open_upload(done: CandleImport) -> Iterator[IO[bytes]]:
    with asking_storage():
        file = default_storage.open(done.upload)
    with file:
        yield file


class WatchedFile(io.RawIOBase):
    """A file that tells its watch how far it has been read, and is read no further once there is a reason to stop."""

    def __init__(self, file: IO[bytes], watch: Watch) -> None:
        self.file, self.watch = file, watch

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.watch.check()
        data = self.file.read(size)
        self.watch.progress(max(self.watch.done, self.file.tell()))
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()


def owned_row(done: CandleImport) -> QuerySet[CandleImport]:
    """The row, as long as this attempt still owns it."""
    return CandleImport.objects.filter(pk=done.pk, attempt=done.attempt, status=Status.RUNNING)


def record_beat(done: CandleImport, before: int, read: int) -> str:
    """A sign of life with the progress; answers why to stop, if there is a reason. `before` is the memory that it began with."""
    if not owned_row(done).update(bytes_read=read, heartbeat_at=timezone.now()):
        # A row that is not there at all is one that this connection cannot see yet.
        return "lost" if CandleImport.objects.filter(pk=done.pk).exists() else ""
    if CandleImport.objects.filter(pk=done.pk, cancel_requested=True).exists():
        return "cancelled"
    return "memory" if held_bytes() - before > settings.IMPORT_MAX_MEMORY else ""


def end_interrupted(done: CandleImport, reason: str) -> None:
    if reason == "cancelled":
        end_import(done, Status.CANCELLED)
    elif reason == "time_limit":
        message = TOO_LONG.format(limit=settings.IMPORT_TIME_LIMIT_SECONDS)
        end_import(done, Status.FAILED, message=message, error_code="time_limit")
    elif reason == "memory":
        message = TOO_MUCH.format(limit=settings.IMPORT_MAX_MEMORY >> 20)
        end_import(done, Status.FAILED, message=message, error_code="out_of_memory")


def end_import(done: CandleImport, status: CandleImport.Status, **changes: Any) -> None:
    """The last write of an import that stored nothing; of no effect for a worker that no longer owns it."""
    if owned_row(done).update(status=status, upload="", **changes):
        logger.info("import %s %s", done.pk, status)
        delete_upload(done.upload)


def delete_upload(name: str) -> None:
    """What cannot be deleted now is left to `uploads_sweep`."""
    with suppress(OSError), asking_storage():
        default_storage.delete(name)


def import_cancel(*, import_id: int, user: Person = None) -> CandleImport:
    """A queued import is cancelled at once; a running one is asked to, and stops within a second. `Conflict` if it is over."""
    require_right(user, services.IMPORT_RIGHT)
    found = selectors.import_get(import_id=import_id)
    row = CandleImport.objects.filter(pk=import_id)
    if row.filter(status=Status.QUEUED).update(status=Status.CANCELLED, cancel_requested=True, upload=""):
        delete_upload(found.upload)
    elif not row.filter(status=Status.RUNNING).update(cancel_requested=True):
        raise Conflict(f"The import is {selectors.import_get(import_id=import_id).status}: there is nothing to cancel.")
    return selectors.import_get(import_id=import_id)


def import_wait(*, import_id: int, seconds: float) -> CandleImport:
    """The import once it is over, or as it is after that time. Between two looks, others have the connection."""
    until = time.monotonic() + seconds
    while (found := selectors.import_get(import_id=import_id)).under_way and time.monotonic() < until:
        if not connection.in_atomic_block:
            connection.close()
        time.sleep(LOOK_SECONDS)
    return found


def under_way() -> QuerySet[CandleImport]:
    return CandleImport.objects.filter(status__in=(Status.QUEUED, Status.RUNNING))


def imports_sweep_lost(*, all_taken: bool = False) -> list[int]:
    """Ends or queues again what has no worker any more; the imports to hand to the broker. Any number of sweepers may run."""
    now = timezone.now()
    silent = now - timedelta(seconds=settings.RUN_LOST_AFTER_SECONDS)
    running = CandleImport.objects.filter(status=Status.RUNNING, heartbeat_at__lt=silent)
    again = [lost.pk for lost in running if import_give_up(lost, now)]
    late = oldest_message(all_taken=all_taken)
    overdue = CandleImport.objects.filter(status=Status.QUEUED, created_at__lt=late).exclude(heartbeat_at__gte=late)
    waiting = list(overdue.values_list("pk", flat=True))
    return again + [import_id for import_id in waiting if overdue.filter(pk=import_id).update(heartbeat_at=now)]


def import_give_up(lost: CandleImport, now: datetime) -> bool:
    """Takes the import from a worker that is silent, unless that has shown itself since. Whether it is queued again."""
    seen = owned_row(lost).filter(heartbeat_at=lost.heartbeat_at)
    too_long = lost.started_at and (now - lost.started_at).total_seconds() >= settings.IMPORT_TIME_LIMIT_SECONDS
    if lost.attempt < ATTEMPTS and not lost.cancel_requested and not too_long:
        logger.warning("import %s: its worker %s is silent; it is queued again", lost.pk, lost.worker)
        return bool(seen.update(status=Status.QUEUED, heartbeat_at=now))
    ended: dict[str, Any] = {"status": Status.FAILED, "message": LOST, "error_code": "worker_lost"}
    if too_long:
        ended |= {"message": TOO_LONG.format(limit=settings.IMPORT_TIME_LIMIT_SECONDS), "error_code": "time_limit"}
    if seen.update(upload="", **({"status": Status.CANCELLED} if lost.cancel_requested else ended)):
        logger.warning("import %s: its worker %s is silent; it is ended", lost.pk, lost.worker)
        delete_upload(lost.upload)
    return False


def uploads_sweep() -> int:
    """Deletes files that no import names any more, as a crash leaves them. Answers how many."""
    # The files first: one that comes in between is named already.
    files = list_uploads()
    named = set(CandleImport.objects.exclude(upload="").values_list("upload", flat=True))
    orphans = [name for name in files if name not in named]
    for name in orphans:
        delete_upload(name)
    return len(orphans)


def list_uploads() -> list[str]:
    try:
        with asking_storage():
            return [f"{FOLDER}/{name}" for name in default_storage.listdir(FOLDER)[1]]
    except (FileNotFoundError, NotImplementedError):
        return []
