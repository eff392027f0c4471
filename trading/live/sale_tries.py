"""How often a bot that closes asks for the sale of what it holds. Everything is called in the bot's thread."""

from __future__ import annotations

import time
from collections.abc import Callable

from trading.live.threads import BOT, called_from


@called_from(BOT)
class SaleTries:
    """When a bot that closes may try again to sell what it holds: what the venue refuses is tried less and less often."""

    LONGEST = 300.0
    FREE = 2
    """Tries that need not wait."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock, self.count, self.due = clock, 0, 0.0

    def take_turn(self) -> bool:
        """Whether it may be tried now; then the next try has to wait."""
        now = self.clock()
        if now < self.due:
            return False
        self.count += 1
        self.due = now + (min(self.LONGEST, 2.0 ** min(self.count, 9)) if self.count >= self.FREE else 0.0)
        return True
