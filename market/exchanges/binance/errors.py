"""What python-binance and its transport raise, named by who must act."""

from __future__ import annotations

import re
import time
from math import isfinite
from typing import Any

import aiohttp
from binance.exceptions import BinanceAPIException, BinanceRequestException

from market.exchanges.base import UNREADABLE, ExchangeError, NotFoundAtVenue, RateLimited, Refused, Retryable, Unauthorised, Unknown
from market.exchanges.binance.refusals import WAIT, WAITS, classify_error, name_refusal

VENUE = "Binance"
DUPLICATE = "duplicate"
"""The code of a refusal because an order has this id already."""
TOO_MANY_ORDERS = -1015
BAN_UNTOLD = 60.0
LONGEST_BAN = 3 * 86_400.0
BANNED_UNTIL = re.compile(r"until (\d{13})\b")


def translate_error(error: Exception, acts: bool) -> ExchangeError:
    """Names what was raised. `acts` says that the request would change something at the venue, so that a lost answer leaves the
    outcome unknown."""
    if isinstance(error, BinanceAPIException):
        return _answer_error(error, acts)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Retryable(f"{VENUE} could not be reached; nothing was sent.", code="network")
    unreadable = isinstance(error, aiohttp.ContentTypeError | BinanceRequestException)
    if isinstance(error, TimeoutError | OSError | aiohttp.ClientError) and not unreadable:
        return lost_answer(f"{VENUE} did not answer ({type(error).__name__}).", "network", acts)
    return lost_answer(f"{VENUE}'s answer could not be read ({type(error).__name__}).", UNREADABLE, acts)


def lost_answer(message: str, code: str, acts: bool) -> ExchangeError:
    return Unknown(message, code=code) if acts else Retryable(message, code=code)


def _answer_error(error: BinanceAPIException, acts: bool) -> ExchangeError:
    status, code = _read_code(error.status_code), _read_code(error.code)
    # Of an answer that is no JSON the library's message is the response object in words, with the signed address in it.
    message = f"{VENUE}: {error.message}"[:500] if code else f"{VENUE} answered {status}."
    match classify_error(status, code, message):
        case "limit":
            return RateLimited(message, code=str(code or status), after=_retry_after(error.response, code, message))
        case "clock":
            return Retryable(f"{message} Our clock and the venue's differ.", code="clock")
        case "busy":
            return Retryable(message, code=str(code), after=WAITS.get(code, WAIT))
        case "unsettled":
            return lost_answer(message, str(code or status), acts)
        case "key":
            return Unauthorised(message, code=str(code or status))
        case "over":
            return NotFoundAtVenue(message, code=str(code))
        case "duplicate":
            return Refused(message, code=DUPLICATE)
        case kind:
            return Refused(message, code=name_refusal(code or status, message), kind=kind)


def _read_code(value: object) -> int:
    """0 where the venue gave no code that is one."""
    return value if isinstance(value, int) else 0


def _retry_after(response: Any, code: int, message: str) -> float:
    """Seconds to wait. Answers over the WebSocket API have no headers: a ban tells its end in its text, and for others the usual
    time is taken."""
    if code == TOO_MANY_ORDERS:
        return WAIT
    try:
        wait = float(response.headers["Retry-After"])
    except (AttributeError, KeyError, ValueError):
        ends = BANNED_UNTIL.search(message)
        wait = int(ends[1]) / 1000 - time.time() if ends else BAN_UNTOLD
    return min(max(wait, 1.0), LONGEST_BAN) if isfinite(wait) else BAN_UNTOLD
