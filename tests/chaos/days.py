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

SYMBOLS = {"binance": ("BTC-USDT", "ETH-USDT"), "coinbase": ("BTC-USD", "ETH-USD")}
SIZES = {"BTC": (0.004, 0.05, 2.0), "ETH": (0.08, 1.0, 20.0)}
"""Sizes in the range of what bots ask for in an order, and what an account has from the start."""
BOTS = 6

Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL at the `nth` passing of a point of the order path; at `moment`, after so many ms of the market's time."""

    point: str
    nth: int


@dataclass(frozen=True, slots=True)
class Wish:
    """A person closes or stops the bot of that number, `at` ms of the market's time."""

    at: int
    bot: int
    close: bool


@dataclass(frozen=True, slots=True)
class Day:
    seed: int
    kills: tuple[Kill, ...]
    """One ends each life of the stream worker; a new one begins at once."""
    rules: tuple[Rule, ...]
    """Faults of the venues, as `market.sandbox.faults` has them."""
    wishes: tuple[Wish, ...] = ()


def market_ms(seconds: float) -> int:
    """What passes on the market's clock in so many seconds of ours."""
    return int(seconds * SPEED * 1000)


def draw(seed: int) -> Day:
    random = Random(seed)
    kills = tuple(draw_kill(random) for _ in range(random.randint(3, 5)))
    faults = [draw_rule(random) for _ in range(random.randint(10, 16))]
    venues = Random(f"venues {seed}")  # by themselves, so that faults and deaths of a seed stay what they were
    said = [one for _ in range(venues.randint(9, 14)) for one in draw_answer(venues)]
    return Day(seed, kills, (*faults, *said), draw_wishes(venues))


def draw_wishes(random: Random) -> tuple[Wish, ...]:
    bots = random.sample(range(BOTS), random.randint(0, 2))
    return tuple(Wish(random.randrange(HOURS * HOUR // 4, HOURS * HOUR * 3 // 4), one, random.random() < 0.7) for one in bots)


def draw_kill(random: Random) -> Kill:
    point = random.choice((*STEPS, *REPORTS, *VENUE, MOMENT, MOMENT))
    return Kill(point, market_ms(random.uniform(0.3, 1.5)) if point == MOMENT else random.randint(1, 5))


def draw_rule(random: Random) -> Rule:
    venue = random.choice(("binance", "coinbase"))
    kind = random.choices((order_fault, request_fault, user_fault, market_fault, place_fault), (6, 2, 3, 2, 2))[0]
    return {"venue": venue, "at": random.randrange(HOURS * HOUR * 9 // 10), **kind(random, venue)}


def draw_answer(random: Random) -> list[Rule]:
    """What a venue says that is no fault of a line: rows of unknown kinds, refusals, other sizes, symbols that are not traded."""
    venue = random.choice(("binance", "coinbase"))
    kind = random.choices((strange_rows, refusals, sizes, halts), (5, 5, 4, 1))[0]
    at = random.randrange(HOURS * HOUR * 9 // 10)
    return [{"venue": venue, **one, "at": at + one.get("at", 0)} for one in kind(random, venue)]


def strange_rows(random: Random, venue: str) -> list[Rule]:
    where = random.choice(({}, {}, {"path": ORDERS[venue]}, {"stream": USER[venue]}, {"stream": MARKET[venue]}))
    return [{"fault": "strange", **where, "times": random.randint(1, 6)}]


def refusals(random: Random, venue: str) -> list[Rule]:
    """Of each kind, of entries, exits or both, for a while or a few times."""
    some: Rule = {"symbol": random.choice(SYMBOLS[venue])} if random.random() < 0.5 else {}
    some |= {"side": random.choice(("buy", "sell"))} if random.random() < 0.6 else {}
    lasts = {"for": market_ms(random.uniform(0.1, 1.2))} if random.random() < 0.6 else {"times": random.randint(1, 6)}
    return [{"fault": "refuse", "refusal": random.choice(("passing", "lasting", "ours", "person")), **some, **lasts}]


def sizes(random: Random, venue: str) -> list[Rule]:
    """Maxima below what the bots ask for, a least value above it, or few orders at once."""
    symbol = random.choice(SYMBOLS[venue])
    least, most, owned = SIZES[symbol[:3]]
    quantity = f"{random.uniform(least, most):.3f}"
    changes: list[Rule] = [
        {"max_qty": quantity},
        {"market_max_qty": quantity},
        {"max_notional": str(random.randint(200, 2000))},
        {"max_position": f"{owned + random.uniform(0, most):.3f}"},
        {"min_notional": str(random.randint(50, 400))},
        {"max_orders": random.randint(1, 4)},
        {"max_stops": 1},
    ]
    return [{"fault": "filters", "symbol": symbol, **random.choice(changes)}]


def halts(random: Random, venue: str) -> list[Rule]:
    """For a while, or for good."""
    symbol = random.choice(SYMBOLS[venue])
    rules: list[Rule] = [{"fault": random.choice(("halt", "delist")), "symbol": symbol}]
    if random.random() < 0.7:
        rules.append({"fault": "relist", "symbol": symbol, "at": market_ms(random.uniform(0.2, 1.0))})
    return rules


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
