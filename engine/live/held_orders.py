"""Orders that were refused, by the venue or by us, and when they are tried again: ever more seldom, until the venue takes them or a
person has been told. An exit stays wanted all the while; an entry is a new decision each time. Times are milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from engine.live.types import Refusal

HOUR = 3_600_000
DELAYS: dict[str, tuple[int, ...]] = {
    "desk": (0, 2, 5, 10, 20, 30),
    "passing": (0, 2, 5, 10, 20, 40, 80, 160, 300),
    "lasting": (5, 60, 300),
    "outside": (1, 5, 60, 300, 600),
}
"""Seconds until an order is tried again, by how often it was refused; 0: at the next price. `desk`: we refused it ourselves for
now, and no venue was asked. `passing`: the venue did, for now. `lasting`: the same order would be refused again. `outside`: the
venue had taken it, and it ended all the same: somebody else cancelled it."""
LONGEST = 1_000 * max(max(one) for one in DELAYS.values())
PATIENCE = {"desk": 6, "passing": 6, "lasting": 2, "outside": 3}
"""After so many refusals the order counts as blocked: a person is told."""
MOST_TRIES = 12
"""That orders of one kind, in one symbol, which are refused for good are tried within an hour, whoever wants them."""
PROMPT_TRIES = 6
"""Of those: before their time, because what kept them may have gone."""
ENTRY, OUTSIDE = "entry", "outside"
"""The kinds of all purchases, and of exits that others cancel; else a sale's is the type of its order."""


@dataclass(slots=True)
class RefusedTries:
    """When orders were tried that were refused for good, by the symbol's number and their kind: until the venue takes one."""

    times: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    last: dict[tuple[int, str], HeldOrder] = field(default_factory=dict)
    """The exit that was refused last, whatever has become of the wish."""

    def note(self, of: tuple[int, str], now: int) -> None:
        self.times[of] = [*self.times.get(of, ()), now][-MOST_TRIES:]

    def count(self, of: tuple[int, str], now: int) -> int:
        """How many there were within the hour."""
        return sum(now - one <= HOUR for one in self.times.get(of, ()))

    def may_go(self, of: tuple[int, str], held: HeldOrder, now: int, on_way: int = 0) -> bool:
        """Whatever it was refused for the last time: it may be refused for good now. `on_way`: orders of which that is not known
        yet."""
        return now >= held.until and self.count(of, now) + on_way < MOST_TRIES

    def may_hasten(self, of: tuple[int, str], held: HeldOrder, now: int) -> bool:
        """Whether it may be tried before its time, since what kept it may have gone."""
        return held.lasting and self.count(of, now) <= PROMPT_TRIES

    def find_last(self, of: tuple[int, str], now: int) -> HeldOrder | None:
        """As what a new exit of the kind waits; None: none was refused for good within the hour."""
        return replace(self.last.get(of, HeldOrder("lasting"))) if self.count(of, now) else None

    def forget(self, of: tuple[int, str]) -> None:
        """The venue has taken one."""
        self.times.pop(of, None)
        self.last.pop(of, None)

    def forget_symbol(self, s: int) -> None:
        """What is tried next is another order."""
        for of in [of for of in self.times if of[0] == s]:
            self.forget(of)

    def forget_future(self, now: int) -> None:
        """What was noted by a clock that has been put back."""
        self.times = {of: [one for one in times if one <= now] for of, times in self.times.items()}


@dataclass(slots=True)
class HeldOrder:
    """An order that was refused, and when it is tried again. It is one until the venue has taken it, or some of it was filled."""

    kind: str = "passing"
    """Of `DELAYS`."""
    code: str = ""
    cause: str = ""
    """In a person's words."""
    count: int = 1
    """Refusals since the venue last took it, or cancellings by others since it last stood there for an hour."""
    until: int = 0
    """When it may be tried again; 0: at the next price."""
    told: bool = False
    """Of an entry: whether a block has said that it waits."""

    @property
    def lasting(self) -> bool:
        return self.kind == "lasting"

    @property
    def outside(self) -> bool:
        return self.kind == OUTSIDE

    @property
    def blocked(self) -> bool:
        return self.count >= PATIENCE[self.kind]


def name_tries(of: tuple[int, str], kind: str) -> tuple[int, str]:
    """By which the tries of an order are counted that was refused in that way. `of`: its symbol's number and its own kind."""
    return (of[0], OUTSIDE) if kind == OUTSIDE else of


def hold_order(before: HeldOrder | None, refusal: Refusal, now: int) -> HeldOrder:
    """The order that was held like `before`, or not at all, after one more refusal."""
    kind = refusal.kind if refusal.kind in DELAYS else "lasting"
    count = before.count + 1 if before else 1
    told = before.told if before else False
    return HeldOrder(kind, refusal.code, refusal.cause, count, find_next_try(kind, count, now), told)


def find_next_try(kind: str, count: int, now: int) -> int:
    delay = DELAYS[kind][min(count, len(DELAYS[kind])) - 1]
    return now + 1_000 * delay if delay else 0
