"""How far something is that is done once and that people wait for: whoever does it says so in the broker, for all to tell."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import orjson

from core.broker import PATIENT, Unanswered, ask_broker

KEPT_SECONDS = 15
"""Nobody hears of it any more once it has not been told for so long."""


@dataclass(frozen=True, slots=True)
class Progress:
    done: int
    of: int

    @property
    def percent(self) -> int:
        return min(100, 100 * self.done // self.of)


def progress_put(what: str, found: Progress) -> None:
    """It is told again and again, so one that is lost does not matter."""
    with suppress(Unanswered):
        packed = orjson.dumps([found.done, found.of])
        ask_broker("progress_put", lambda broker: broker.set(progress_key(what), packed, ex=KEPT_SECONDS))


def progress_end(what: str) -> None:
    with suppress(Unanswered):
        ask_broker("progress_put", lambda broker: broker.delete(progress_key(what)))


def progress_get(what: str) -> Progress | None:
    """None where nobody is at it."""
    with suppress(Unanswered):
        packed = ask_broker("progress_get", lambda broker: broker.get(progress_key(what)), patience=PATIENT)
        return Progress(*orjson.loads(packed)) if isinstance(packed, bytes) else None
    return None


def progress_key(what: str) -> str:
    return f"progress:{what}"
