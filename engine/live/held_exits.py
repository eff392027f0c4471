"""Exits that were refused, by the venue or by us: they stay wanted, and are tried again, ever more seldom, until they are sold or a
person has been told. Times are milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.live.types import Refusal

HOUR = 3_600_000
DELAYS: dict[str, tuple[int, ...]] = {
    "desk": (0, 2, 5, 10, 20, 30),
    "passing": (0, 2, 5, 10, 20, 40, 80, 160, 300),
    "lasting": (5, 60, 300),
}
"""Seconds until an exit is tried again, by how often it was refused; 0: at the next price. `desk`: we refused it ourselves for now,
and no venue was asked. `passing`: the venue did, for now. `lasting`: the same order would be refused again."""
PATIENCE = {"desk": 6, "passing": 6, "lasting": 2}
"""After so many refusals the exit counts as blocked: a person is told."""
MOST_TRIES = 12
"""That an exit which is refused for good is tried within an hour."""
PROMPT_TRIES = 6
"""Of those: before their time, because what kept it may have gone."""


@dataclass(slots=True)
class HeldExit:
    """An exit that was refused, and when it is tried again. It is one until the venue has taken it, or sold something."""

    kind: str = "passing"
    """Of `DELAYS`."""
    code: str = ""
    cause: str = ""
    """In a person's words."""
    count: int = 1
    """Refusals since something was last sold."""
    until: int = 0
    """When it may be tried again; 0: at the next price."""
    tries: list[int] = field(default_factory=list)
    """When it was last refused for good."""

    def may_go(self, now: int) -> bool:
        if self.kind == "lasting" and len(self.tries) >= MOST_TRIES and now - self.tries[-MOST_TRIES] <= HOUR:
            return False
        return now >= self.until

    @property
    def blocked(self) -> bool:
        return self.count >= PATIENCE[self.kind]

    def renew(self) -> None:
        """The venue's rules have changed: it is another order now."""
        self.tries, self.until = [], 0

    def hasten(self, now: int) -> None:
        """What kept it may have gone."""
        recent = [one for one in self.tries if now - one < HOUR]
        if self.kind == "lasting" and len(recent) <= PROMPT_TRIES:
            self.until = min(self.until, now)


def hold_exit(before: HeldExit | None, refusal: Refusal, now: int) -> HeldExit:
    """The exit that was held like `before`, or not at all, after one more refusal."""
    kind = refusal.kind if refusal.kind in DELAYS else "lasting"
    count = before.count + 1 if before else 1
    delay = DELAYS[kind][min(count, len(DELAYS[kind])) - 1]
    tries = before.tries if before else []
    if kind == "lasting":
        tries = [*tries, now][-MOST_TRIES:]
    return HeldExit(kind, refusal.code, refusal.cause, count, now + 1_000 * delay if delay else 0, tries)
