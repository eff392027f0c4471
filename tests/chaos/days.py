"""A day of faults and deaths, drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

SPEED = 14_400.0
"""Times real time: the hour of a candle takes a quarter of a second."""
HOUR = 3_600_000
HOURS = 24
STEPS = ("step before commit", "step after commit", "claim before", "claim after", "place answered")
REPORTS = ("report before commit", "report after commit", "cancel before", "cancel answered")
VENUE = ("venue new", "venue trade", "venue cancelled")
"""As the venue does it: the answer is never read."""
MOMENT = "moment"
ORDERS = {"binance": "/api/v3/order", "coinbase": "/api/v3/brokerage/orders*"}
USER = {"binance": "ws-api/v3", "coinbase": "coinbase/ws/user"}
MARKET = {"binance": "stream*", "coinbase": "coinbase/ws"}

Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL at the `nth` passing of a point of the order path; at `moment`, after so many ms of the market's time."""

    point: str
    nth: int


@dataclass(frozen=True, slots=True)
class Day:
    seed: int
    kills: tuple[Kill, ...]
    """One ends each life of the stream worker; a new one begins at once."""
    rules: tuple[Rule, ...]
    """Faults of the venues, as `market.sandbox.faults` has them."""


def market_ms(seconds: float) -> int:
    """What passes on the market's clock in so many seconds of ours."""
    return int(seconds * SPEED * 1000)


def draw(seed: int) -> Day:
    random = Random(seed)
    kills = tuple(draw_kill(random) for _ in range(random.randint(3, 5)))
    return Day(seed, kills, tuple(draw_rule(random) for _ in range(random.randint(10, 16))))


def draw_kill(random: Random) -> Kill:
    point = random.choice((*STEPS, *REPORTS, *VENUE, MOMENT, MOMENT))
    return Kill(point, market_ms(random.uniform(0.3, 1.5)) if point == MOMENT else random.randint(1, 5))


def draw_rule(random: Random) -> Rule:
    venue = random.choice(("binance", "coinbase"))
    kind = random.choices((order_fault, request_fault, user_fault, market_fault, place_fault), (6, 2, 3, 2, 2))[0]
    return {"venue": venue, "at": random.randrange(HOURS * HOUR * 9 // 10), **kind(random, venue)}


def order_fault(random: Random, venue: str) -> Rule:
    fault = random.choice(("timeout_before", "timeout_after", "timeout_after", "error", "slow", "malformed", "rate_limit"))
    return {"fault": fault, "path": ORDERS[venue], **request_options(random, fault)}


def request_fault(random: Random, venue: str) -> Rule:
    fault = random.choice(("timeout_after", "error", "slow", "malformed", "rate_limit", "ban"))
    return {"fault": fault, **request_options(random, fault)}


def request_options(random: Random, fault: str) -> Rule:
    options: dict[str, Callable[[], Rule]] = {
        "error": lambda: {"status": random.choice((500, 502, 503, 504)), "times": random.randint(1, 4)},
        "slow": lambda: {"delay": random.randint(50, 600), "times": random.randint(1, 5)},
        "rate_limit": lambda: {"retry_after": 1},
        "ban": lambda: {"retry_after": 1},
    }
    return options.get(fault, lambda: {"times": random.randint(1, 2)})()


def user_fault(random: Random, venue: str) -> Rule:
    return {"stream": USER[venue], **frame_fault(random)}


def market_fault(random: Random, venue: str) -> Rule:
    return {"stream": MARKET[venue], **frame_fault(random)}


def frame_fault(random: Random) -> Rule:
    fault = random.choice(("gap", "duplicate", "reorder", "malformed", "stall", "drop", "close"))
    if fault in ("drop", "close"):
        return {"fault": fault}
    return {
        "fault": fault,
        **({"for": market_ms(random.uniform(0.2, 0.8))} if fault == "stall" else {"times": random.randint(1, 3)}),
    }


def place_fault(random: Random, venue: str) -> Rule:
    if venue == "binance" and random.random() < 0.5:
        return {"fault": "clock_skew", "skew": random.choice((-6000, 6000)), "for": market_ms(random.uniform(0.3, 1.0))}
    return {"fault": "outage", "for": market_ms(random.uniform(0.1, 0.5))}
