"""Every length of time of the feed, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    backoff: tuple[float, ...] = (5.0, 10.0, 20.0, 40.0, 60.0)
    """The waits before each attempt to connect again. The last one is repeated without end."""
    jitter: float = 0.2
    """The share by which a wait is made longer or shorter, so that many processes do not come back at once."""
    silence: float = 30.0
    """A symbol is asked for by REST after so long without news of it."""
    hush: float = 3.0
    """All symbols are asked for by REST after so long without a message on the socket."""
    settle: float = 2.0
    """How long the stream has to bring what REST says, before it counts as mute."""
    poll: float = 3.0
    """Between questions for prices while there is no socket."""
    late: float = 3.0
    """How long after its end a closed candle may come before the venue is asked for it."""
    again: float = 5.0
    """Between attempts to back-fill, where the venue does not answer."""
    stale: float = 60.0
    """Without any price from anywhere for so long, the prices are stale."""
    change: float = 0.2
    """How long changes to what is wanted are gathered before the socket is opened anew."""
    tend: float = 0.5
    """Between looks at all of the above."""
    report: float = 1.0
    """Between two statuses while nothing but the counts changes."""

    def wait(self, attempt: int, chance: float) -> float:
        """Before the attempt (the first is 0), with jitter by a chance in [0, 1)."""
        seconds = self.backoff[min(attempt, len(self.backoff) - 1)]
        return seconds * (1 + self.jitter * (2 * chance - 1))
