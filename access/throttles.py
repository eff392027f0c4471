"""How often somebody may ask.

All processes count together, in the cache. Where that does not answer, each process counts by itself, so that nobody waits for the
cache and nobody is refused because of it. What makes risk smaller is not counted at all: it must go through whatever else happens.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import BaseThrottle

from access.addresses import address_group, client_address

if TYPE_CHECKING:  # the module of it reads the settings that name this one
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)
T = TypeVar("T")
REST = 5.0
"""Seconds in which nobody asks a cache that has just failed."""


class Shared:
    """The cache of all processes, while it answers."""

    asked_from = 0.0
    local = LocMemCache("throttles", {})


def ask_cache(question: Callable[[BaseCache], T]) -> T:
    """The answer of the shared cache, or of this process's own."""
    if time.monotonic() >= Shared.asked_from:
        try:
            return question(caches["default"])
        except (RedisError, OSError) as error:
            Shared.asked_from = time.monotonic() + REST
            logger.warning("requests are counted in this process only: the cache does not answer: %s", error)
    return question(Shared.local)


def parse_rate(scope: str) -> tuple[int, int]:
    """How many, in how many seconds."""
    rate: Any = api_settings.DEFAULT_THROTTLE_RATES
    number, period = rate[scope].split("/")
    return int(number), {"s": 1, "m": 60, "h": 3600, "d": 86400}[period[0]]


def count_attempt(scope: str, whose: str) -> int | None:
    """Counts one more. The seconds until it is allowed again where it is one too many. The time runs from the first attempt."""
    most, seconds = parse_rate(scope)
    key = f"rate:{scope}:{whose}"

    def add_one(cache: BaseCache) -> int:
        cache.add(key, 0, seconds)
        try:
            return cache.incr(key)
        except ValueError:  # it ran out in between
            return 1

    return seconds if ask_cache(add_one) > most else None


def attempts_left(scope: str, whose: str) -> bool:
    """Whether there is room for one more, without counting."""
    most, _ = parse_rate(scope)
    return ask_cache(lambda cache: int(cache.get(f"rate:{scope}:{whose}", 0))) < most


def attempts_forget(scope: str, whose: str) -> None:
    ask_cache(lambda cache: cache.delete(f"rate:{scope}:{whose}"))


class CallerThrottle(BaseThrottle):
    """API_RATE: for each person, and for each address of those who are not signed in."""

    seconds: int | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        if getattr(view, "reduces_risk", False):
            return True
        self.seconds = count_attempt("user", whose_request(request))
        return self.seconds is None

    def wait(self) -> float | None:
        return self.seconds


class SignInThrottle(CallerThrottle):
    """Attempts to sign in from one address, whoever's name they give."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        self.seconds = count_attempt("sign_in", address_group(client_address(request._request)))
        return self.seconds is None


def whose_request(request: Request) -> str:
    return str(request.user.pk) if request.user.is_authenticated else address_group(client_address(request._request))
