"""An import as a job of a worker: its limits, cancelling, workers that die, and the files that it leaves."""

from __future__ import annotations

import gzip
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from core.errors import Conflict, NotFound
from core.memory import limiting_memory
from market import import_jobs, selectors, services
from market.models import CandleImport, CandleSeries
from tests.market.files import HEADER, candles, csv

pytestmark = pytest.mark.django_db
Status = CandleImport.Status
ROW = "2022-01-01T00:00:00Z,1,1,1,1,1\n"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media" / "imports"


def queued(data: bytes | None = None, **more: Any) -> CandleImport:
    file = ContentFile(csv(candles(50)) if data is None else data)
    given = {"filename": "x.csv", "venue": "test", "symbol": "AAA-USD", "interval": "1m", **more}
    return import_jobs.import_queue(file=file, **given)


def worked(found: CandleImport) -> CandleImport:
    import_jobs.import_execute(import_id=found.pk, worker="one")
    return selectors.import_get(import_id=found.pk)


def many_rows(count: int) -> bytes:
    return f"{HEADER}\n{ROW * count}".encode()


def uploads(media: Path) -> list[str]:
    return sorted(path.name for path in media.iterdir())


def test_the_file_waits_in_the_storage_and_is_deleted_when_the_import_is_over(
    media: Path, django_capture_on_commit_callbacks: Any
) -> None:
    found = queued()
    assert uploads(media) == [found.upload.removeprefix("imports/")]
    with django_capture_on_commit_callbacks(execute=True):
        done = worked(found)
    assert (done.status, done.added, done.attempt, done.worker, done.upload) == ("completed", 50, 1, "one", "")
    assert done.bytes_read == done.bytes_total == len(csv(candles(50)))
    assert uploads(media) == []


def test_a_second_message_does_nothing() -> None:
    done = worked(queued())
    again = worked(done)
    assert (again.status, again.attempt) == ("completed", 1)


def test_a_file_that_is_no_table_is_refused(media: Path) -> None:
    done = worked(queued(bytes(range(256))))
    assert (done.status, done.error_code) == ("refused", "invalid")
    assert "not a file of candles" in done.message
    assert uploads(media) == []


def test_rows_are_limited_whatever_the_file_packs(settings: Any) -> None:
    settings.IMPORT_MAX_ROWS = 1_000
    packed = gzip.compress(many_rows(2_000))
    done = worked(queued(packed))
    assert (done.status, done.message) == ("refused", "The file has more than 1,000 rows. Split it, or raise IMPORT_MAX_ROWS.")


@pytest.mark.django_db(transaction=True)
def test_memory_is_limited_whatever_the_file_packs(settings: Any, media: Path) -> None:
    settings.IMPORT_MAX_MEMORY = 8 << 20
    packed = gzip.compress(many_rows(1_500_000))
    assert len(packed) < 1 << 20
    done = worked(queued(packed))
    assert (done.status, done.error_code) == ("failed", "out_of_memory")
    assert "Split it, or raise IMPORT_MAX_MEMORY_MB" in done.message
    assert uploads(media) == []


def test_the_limit_of_memory_ends_with_the_work() -> None:
    with pytest.raises(MemoryError), limiting_memory(4 << 20):
        bytearray(64 << 20)
    assert len(bytearray(64 << 20)) == 64 << 20


def test_time_is_limited(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IMPORT_TIME_LIMIT_SECONDS = 0.001
    done = worked(queued(many_rows(200_000)))
    assert (done.status, done.error_code) == ("failed", "time_limit")
    assert not CandleSeries.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_running_import_is_cancelled_and_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = queued()
    read = import_jobs.WatchedFile.read

    def cancel_and_read(self: import_jobs.WatchedFile, size: int = -1) -> bytes:
        """As if a person cancelled it while it is read; the watch sees it within a beat."""
        if not CandleImport.objects.get(pk=found.pk).cancel_requested:
            import_jobs.import_cancel(import_id=found.pk)
            self.watch._ended.wait(2)
        return read(self, size)

    monkeypatch.setattr(import_jobs.WatchedFile, "read", cancel_and_read)
    done = worked(found)
    assert done.status == "cancelled"
    assert not CandleSeries.objects.exists()


def silent(found: CandleImport, **more: Any) -> None:
    """As a worker leaves it that took it and died."""
    assert import_jobs.import_claim(import_id=found.pk, worker="dead")
    CandleImport.objects.filter(pk=found.pk).update(heartbeat_at=timezone.now() - timedelta(seconds=31), **more)


def test_an_import_whose_worker_died_is_queued_once_more_and_then_ended(media: Path) -> None:
    found = queued()
    silent(found)
    assert import_jobs.imports_sweep_lost() == [found.pk]
    assert import_jobs.imports_sweep_lost() == []
    silent(found)
    assert import_jobs.imports_sweep_lost() == []
    ended = selectors.import_get(import_id=found.pk)
    assert (ended.status, ended.error_code, ended.attempt) == ("failed", "worker_lost", 2)
    assert "Nothing was stored" in ended.message
    assert uploads(media) == []


def test_a_worker_that_comes_back_after_it_was_given_up_stores_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = queued()
    check = services.import_read

    def lose(*given: Any) -> Any:
        CandleImport.objects.filter(pk=found.pk).update(status=Status.QUEUED)
        return check(*given)

    monkeypatch.setattr(services, "import_read", lose)
    assert worked(found).status == "queued"
    assert not CandleSeries.objects.exists()


def test_a_cancelled_import_whose_worker_died_is_cancelled() -> None:
    found = queued()
    silent(found, cancel_requested=True)
    assert import_jobs.imports_sweep_lost() == []
    assert selectors.import_get(import_id=found.pk).status == "cancelled"


def test_an_import_whose_message_is_lost_is_sent_again_once() -> None:
    found = queued()
    assert import_jobs.imports_sweep_lost() == []
    CandleImport.objects.update(created_at=timezone.now() - timedelta(seconds=31))
    assert import_jobs.imports_sweep_lost() == []
    assert import_jobs.imports_sweep_lost(all_taken=True) == [found.pk]
    assert import_jobs.imports_sweep_lost(all_taken=True) == []


def test_a_files_name_looks_like_no_other() -> None:
    assert queued(filename="../../a\u202evsc.exe\x07\0").filename == "avsc.exe"


def test_a_file_that_is_gone_is_said(media: Path) -> None:
    found = queued()
    (media / found.upload.removeprefix("imports/")).unlink()
    done = worked(found)
    assert (done.status, done.error_code) == ("failed", "upload_gone")


def test_only_so_many_files_wait(monkeypatch: pytest.MonkeyPatch, media: Path) -> None:
    monkeypatch.setattr(import_jobs, "MOST_WAITING", 2)
    queued(), queued()
    with pytest.raises(Conflict, match="2 imports are under way"):
        queued()
    assert len(uploads(media)) == CandleImport.objects.count() == 2


def test_files_that_no_import_names_are_swept(media: Path) -> None:
    found = queued()
    (media / "orphan").write_bytes(b"x")
    assert import_jobs.uploads_sweep() == 1
    assert uploads(media) == [found.upload.removeprefix("imports/")]


def test_there_is_nothing_to_cancel_where_nothing_is() -> None:
    with pytest.raises(NotFound):
        import_jobs.import_cancel(import_id=7)
    done = worked(queued())
    with pytest.raises(Conflict, match="completed"):
        import_jobs.import_cancel(import_id=done.pk)
