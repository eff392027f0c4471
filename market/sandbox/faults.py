"""What goes wrong, by script.

Each fault is a rule, which a test, the control endpoint or a file gives to the `FaultScript`.

A rule is a JSON object: `{"fault": name, "venue", "path" or "stream", "at", "after", "for", "times", "share", ...}`.
It is in force from `at` ms (of the market's time) after it was given, for `for` ms or for `times` hits. It lets the first `after`
matches pass and hits a seeded `share` of the others. Without `for` and `times`, a fault of single requests or frames hits once, and
any other stays until it is taken away. `path` and `stream` are globs: `path` of a request's path, `stream` of a socket's path
(`ws/btcusdt@trade`, `ws-api/v3`, `coinbase/ws/user`) or of a frame's channel (`btcusdt@trade`, `user`).

requests: rate_limit (429) and ban (418), both with `retry_after` s; error (`status`, 503); slow (`delay` ms); timeout_before (the
    request is neither carried out nor answered); timeout_after (it is carried out but not answered); malformed (half an answer);
    strange (each list of rows has one more, of a kind that nobody has heard of, see `strange.py`);
    answer (it is not carried out, and answered with `status`, 200, and `body`, JSON or text); say (`set`, an object of places and
    values: the answer with other words in it, such as `{"orders.*.status": "QUEUED"}`)
frames: gap (one is lost, so the numbers jump); duplicate; reorder (one comes after the next one); malformed; strange; say
sockets: drop (cut off at once); close (closed with `code`, 1001); stall (connected but silent: its frames are lost)
both: outage (connections are cut, and new ones are refused)
orders: refuse (a `refusal` of REFUSALS; perhaps of one `symbol` or `side` only)
venue: clock_skew (`skew` ms); delist (`symbol`), halt (open orders stay) and relist; filters (`symbol`, and those of its filters
    that change: tick, lot, min_qty, max_qty, min_notional, market_max_qty, max_notional, max_position, max_orders, max_stops)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Any

VENUES = ("binance", "coinbase")
REQUESTS = (
    "rate_limit",
    "ban",
    "error",
    "slow",
    "timeout_before",
    "timeout_after",
    "malformed",
    "strange",
    "outage",
    "answer",
    "say",
)
FRAMES = ("gap", "duplicate", "reorder", "malformed", "strange", "stall", "drop", "close", "say")
ORDERS = ("refuse",)
MOMENTS = ("drop", "close", "delist", "halt", "relist", "filters")
"""Faults that strike by themselves when their time has come."""
LASTING = ("clock_skew", "outage", "stall")
NAMES = tuple(dict.fromkeys((*REQUESTS, *FRAMES, *ORDERS, *MOMENTS, *LASTING)))
COMMON = ("fault", "venue", "path", "stream", "at", "after", "for", "times", "share")
AMOUNT = re.compile(r"\d{1,12}(\.\d{1,8})?")
AMOUNTS = ("tick", "lot", "min_qty", "max_qty", "min_notional", "market_max_qty", "max_notional", "max_position")
COUNTS = ("max_orders", "max_stops")
REFUSALS = {"passing": "halted", "lasting": "max_position", "ours": "bad_request", "person": "insufficient_balance"}
"""A code of `RequestRefused` for each kind of refusal, by what may change it."""
OF_SYMBOLS = ("delist", "halt", "relist", "filters")
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "rate_limit": ("retry_after",),
    "ban": ("retry_after",),
    "error": ("status",),
    "answer": ("status", "body"),
    "say": ("set",),
    "slow": ("delay",),
    "close": ("code",),
    "clock_skew": ("skew",),
    "refuse": ("refusal", "symbol", "side"),
    "delist": ("symbol",),
    "halt": ("symbol",),
    "relist": ("symbol",),
    "filters": ("symbol", *AMOUNTS, *COUNTS),
}


NEEDED: Mapping[str, Mapping[str, str]] = {
    **{name: {"symbol": "BTC-USDT"} for name in OF_SYMBOLS},
    "refuse": {"refusal": "passing"},
    "answer": {"body": '{"code": -1013, "msg": "Filter failure: LOT_SIZE"}'},
    "say": {"set": '{"orders.*.status": "QUEUED"}'},
}


class BadFault(ValueError):
    """A rule cannot be followed. The message names the field and the remedy."""


@dataclass(slots=True)
class FaultRule:
    """One rule, and how often it has matched and hit. `since` is when it was given (ms of the market's time)."""

    fault: str
    since: int
    venue: str = "*"
    path: str = "*"
    stream: str = "*"
    at: int = 0
    after: int = 0
    last: int | None = None
    """For how many ms it is in force; None without an end."""
    times: int | None = None
    share: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    matched: int = 0
    hits: int = 0

    def is_in_force(self, now: int) -> bool:
        begun = now >= self.since + self.at
        over = self.last is not None and now >= self.since + self.at + self.last
        return begun and not over and (self.times is None or self.hits < self.times)

    def matches(self, venue: str, names: Iterable[str], glob: str) -> bool:
        return self.venue in ("*", venue) and any(fnmatchcase(name, glob) for name in names)

    @property
    def is_momentary(self) -> bool:
        """Whether it waits for its time, not for a request or a frame."""
        return self.fault in MOMENTS and not self.after


def read_rule(rule: Mapping[str, Any], now: int) -> FaultRule:
    """A rule from its JSON object, given at `now` (ms). `BadFault` says what is wrong with it."""
    name = rule.get("fault")
    if name not in NAMES:
        raise BadFault(f"fault: {name!r} is none. Use one of {', '.join(sorted(NAMES))}.")
    known = (*COMMON, *OPTIONS.get(name, ()))
    for key, value in rule.items():
        if key not in known:
            raise BadFault(f"{key}: the fault {name} has no such field. It has {', '.join(known)}.")
        if key in CHECKS:
            CHECKS[key](key, value)
    for needed, example in NEEDED.get(name, {}).items():
        if needed not in rule:
            raise BadFault(f"{needed}: the fault {name} needs one, such as {example}.")
    once = 1 if name not in LASTING and "for" not in rule else None
    return FaultRule(
        fault=name,
        since=now,
        venue=rule.get("venue", "*"),
        path=rule.get("path", "*"),
        stream=rule.get("stream", "*"),
        at=rule.get("at", 0),
        after=rule.get("after", 0),
        last=rule.get("for"),
        times=rule.get("times", once),
        share=float(rule.get("share", 1)),
        options={key: value for key, value in rule.items() if key not in COMMON},
    )


def _check_whole(key: str, value: Any) -> None:
    if type(value) is not int or (value < 0 and key != "skew"):
        raise BadFault(f"{key}: {value!r} is not a whole number of zero or more.")


def _check_text(key: str, value: Any) -> None:
    if not isinstance(value, str):
        raise BadFault(f"{key}: {value!r} is not text.")


def _check_venue(key: str, value: Any) -> None:
    if value not in (*VENUES, "*"):
        raise BadFault(f"{key}: {value!r} is none. Use one of {', '.join(VENUES)}, or leave it out for both.")


def _check_share(key: str, value: Any) -> None:
    if type(value) not in (int, float) or not 0 < value <= 1:
        raise BadFault(f"{key}: {value!r} is not a number above 0 and up to 1.")


def _check_status(key: str, value: Any) -> None:
    if type(value) is not int or not 200 <= value <= 599:
        raise BadFault(f"{key}: {value!r} is not an HTTP status from 200 to 599.")


def _check_places(key: str, value: Any) -> None:
    if not isinstance(value, dict) or not value:
        raise BadFault(f'{key}: {value!r} is no object of places and values, such as {{"orders.*.status": "QUEUED"}}.')


def _check_amount(key: str, value: Any) -> None:
    if not isinstance(value, str) or not AMOUNT.fullmatch(value) or not float(value):
        raise BadFault(f'{key}: {value!r} is not a decimal number above zero as text, such as "0.01".')


def _check_refusal(key: str, value: Any) -> None:
    if value not in REFUSALS:
        raise BadFault(f"{key}: {value!r} is none. Use one of {', '.join(REFUSALS)}.")


def _check_side(key: str, value: Any) -> None:
    if value not in ("buy", "sell"):
        raise BadFault(f"{key}: {value!r} is none. Use buy or sell, or leave it out for both.")


CHECKS: Mapping[str, Callable[[str, Any], None]] = {
    **dict.fromkeys(("at", "after", "for", "times", "retry_after", "delay", "code", "skew"), _check_whole),
    **dict.fromkeys(("path", "stream", "symbol"), _check_text),
    **dict.fromkeys(AMOUNTS, _check_amount),
    **dict.fromkeys(COUNTS, _check_whole),
    "refusal": _check_refusal,
    "side": _check_side,
    "venue": _check_venue,
    "share": _check_share,
    "status": _check_status,
    "set": _check_places,
}


class FaultScript:
    """All rules that were given. `clock` is the market's time (ms); the seed decides which matches a `share` hits."""

    def __init__(self, rules: Iterable[Mapping[str, Any]] = (), *, seed: int, clock: Callable[[], int]) -> None:
        self.clock, self._random = clock, Random(seed)  # noqa: S311 # repeatable by design
        self.rules: list[FaultRule] = []
        self.add(rules)

    def add(self, rules: Iterable[Mapping[str, Any]]) -> None:
        """Adds all of the rules, or none of them where one is bad: `BadFault`."""
        now = self.clock()
        self.rules += [read_rule(rule, now) for rule in rules]

    def clear(self) -> None:
        self.rules.clear()

    def match_request(self, venue: str, path: str) -> list[FaultRule]:
        """The faults that hit this request. Each counts the hit."""
        met = [rule for rule in self._list_in_force(REQUESTS, venue) if rule.stream == "*"]
        return [rule for rule in met if self._try_hit(rule, venue, (path,), rule.path)]

    def match_order(self, venue: str, symbol: str, side: str) -> str:
        """The code by which this order is refused; empty: it is not. Counts the hit."""
        for rule in self._list_in_force(ORDERS, venue):
            of_this = rule.options.get("symbol", symbol) == symbol and rule.options.get("side", side) == side
            if of_this and self._try_hit(rule, venue, (symbol,), "*"):
                return REFUSALS[rule.options["refusal"]]
        return ""

    def match_frame(self, venue: str, path: str, channel: str) -> list[FaultRule]:
        """The faults that hit this frame of a socket. Each counts the hit."""
        met = [rule for rule in self._list_in_force(FRAMES, venue) if rule.path == "*" and not rule.is_momentary]
        return [rule for rule in met if self._try_hit(rule, venue, (path, channel), rule.stream)]

    def refuses_socket(self, venue: str, path: str) -> bool:
        """Whether an outage keeps sockets from opening there now."""
        return any(
            rule.path == "*" and rule.matches(venue, (path,), rule.stream) for rule in self._list_in_force(("outage",), venue)
        )

    def clock_skew(self, venue: str) -> int:
        """How far the venue's clock is off, in ms."""
        return sum(int(rule.options.get("skew", 0)) for rule in self._list_in_force(("clock_skew",), venue))

    def take_due(self) -> list[FaultRule]:
        """The rules that strike by themselves now, each returned once; and outages, which cut the sockets that are open."""
        now = self.clock()
        due = [rule for rule in self.rules if (rule.is_momentary or rule.fault == "outage") and rule.is_in_force(now)]
        for rule in due:
            rule.hits += rule.is_momentary
        self.rules = [rule for rule in self.rules if not (rule.is_momentary and rule.hits)]
        return due

    def _list_in_force(self, faults: tuple[str, ...], venue: str) -> list[FaultRule]:
        if not self.rules:
            return []
        now = self.clock()
        return [rule for rule in self.rules if rule.fault in faults and rule.venue in ("*", venue) and rule.is_in_force(now)]

    def _try_hit(self, rule: FaultRule, venue: str, names: tuple[str, ...], glob: str) -> bool:
        """Counts a match of the rule, and returns whether it is a hit."""
        if not rule.matches(venue, names, glob):
            return False
        rule.matched += 1
        if rule.matched <= rule.after or (rule.share < 1 and self._random.random() >= rule.share):
            return False
        rule.hits += 1
        return True
