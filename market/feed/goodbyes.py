"""Connections that the venue has told it would end."""

from __future__ import annotations

import math
import time

from market.exchanges.base import PLANNED, Retryable


class Goodbyes:
    """A venue that says goodbye again before `rest` seconds are over is taken for one that fails."""

    def __init__(self, rest: float) -> None:
        self._rest, self._last = rest, -math.inf

    def believe_end(self, error: BaseException | None) -> bool:
        """Whether a stream ended as the venue had planned, so that the next one may be opened at once."""
        if not isinstance(error, Retryable) or error.code != PLANNED:
            return False
        before, self._last = self._last, time.monotonic()
        return self._last - before > self._rest
