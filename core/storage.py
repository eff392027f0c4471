"""The storage of candles and results, which may be on another machine: whatever goes wrong there is one error, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import DomainError


class StorageAway(DomainError, OSError):
    """It does not answer, or takes nothing. Also an OSError, because whoever minds a full disk has to mind this as well."""

    code = "storage_away"


@contextmanager
def asking_storage() -> Iterator[None]:
    """Raises `StorageAway` for what a storage raises within: the libraries of object stores have no common error. A file that is
    not there, and what a storage cannot do at all, are answers."""
    try:
        yield
    except (FileNotFoundError, NotImplementedError, DomainError):
        raise
    except Exception as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise StorageAway(
            f"The storage of candles and results does not answer, or takes nothing ({reason}). Try again when it is well."
        ) from error
