"""What could not be asked of a venue when it should have been, and is asked again once the wait is over. All is called on the
loop."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import NamedTuple

from market.exchanges.base import ExchangeError, Refused, Retryable
from trading.live.threads import LOOP, called_from

Ask = Callable[[], Awaitable[None]]
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0


class Question(NamedTuple):
    """From when on (monotonic) it may be asked."""

    at: float
    ask: Ask


@called_from(LOOP)
class Patience:
    """What came to nothing is tried again after a second, and after twice as long each time, up to a minute."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.waits: dict[Hashable, tuple[float, float]] = {}
        """From when on (monotonic), and after how many seconds, by what is tried."""

    def put_off(self, what: Hashable) -> float:
        """It came to nothing once more. Returns how many seconds it waits."""
        _, before = self.waits.get(what, (0.0, FIRST_WAIT / 2))
        wait = min(2 * before, LONGEST_WAIT)
        self.waits[what] = (self.clock() + wait, wait)
        return wait

    def is_due(self, what: Hashable) -> bool:
        return what not in self.waits or self.clock() >= self.waits[what][0]

    def forget(self, what: Hashable) -> None:
        self.waits.pop(what, None)


@called_from(LOOP)
class Questions:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.waiting: dict[str, Question] = {}
        """By our client order id: one of each order."""

    def ask_later(self, client_order_id: str, error: ExchangeError, ask: Ask) -> None:
        """Once the wait that `error` names is over. What was refused is left to the next comparison."""
        if not isinstance(error, Refused):
            after = error.after if isinstance(error, Retryable) else 0.0
            self.waiting[client_order_id] = Question(self.clock() + after, ask)

    def take_due(self) -> list[Ask]:
        due = [name for name, one in self.waiting.items() if one.at <= self.clock()]
        return [self.waiting.pop(name).ask for name in due]
