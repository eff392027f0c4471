"""What python-binance and its transport raise, named by who must act."""

from __future__ import annotations

from typing import Any

import aiohttp
from binance.exceptions import BinanceAPIException

from market.exchanges.base import ExchangeError, NotFoundAtVenue, RateLimited, Refused, Retryable, Unauthorised, Unknown

VENUE = "Binance"
UNAUTHORISED = (-1002, -1022, -2014, -2015)
NOT_FOUND = (-2011, -2013)
UNSETTLED = (-1000, -1001, -1006, -1007)
"""Codes with which the venue says that it does not know itself what became of the request."""
CLOCK = -1021
DUPLICATE = "duplicate"
BAN_UNTOLD = 60.0


def translate_error(error: Exception, acts: bool) -> ExchangeError:
    """Names what was raised. `acts` says that the request would change something at the venue, so that a lost answer leaves the
    outcome unknown."""
    if isinstance(error, BinanceAPIException):
        return _answer_error(error, acts)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Retryable(f"{VENUE} could not be reached; nothing was sent.", code="network")
    if isinstance(error, TimeoutError | OSError | aiohttp.ClientError):
        return lost_answer(f"{VENUE} did not answer ({type(error).__name__}).", "network", acts)
    return lost_answer(f"{VENUE}'s answer could not be read ({type(error).__name__}).", "unreadable", acts)


def lost_answer(message: str, code: str, acts: bool) -> ExchangeError:
    return Unknown(message, code=code) if acts else Retryable(message, code=code)


def _answer_error(error: BinanceAPIException, acts: bool) -> ExchangeError:
    status, code = int(error.status_code), int(error.code or 0)
    # Of an answer that is no JSON the library's message is the response object in words, with the signed address in it.
    message = f"{VENUE}: {error.message}" if code else f"{VENUE} answered {status}."
    if status in (429, 418) or code == -1003:
        return RateLimited(message, code=str(code), after=_retry_after(error.response))
    if code == -1015:
        return RateLimited(message, code=str(code), after=10.0)
    if code == CLOCK:
        return Retryable(f"{message} Our clock and the venue's differ.", code="clock")
    if code == -1008:
        return Retryable(message, code=str(code), after=1.0)
    if status >= 500 or code in UNSETTLED:
        return lost_answer(message, str(code or status), acts)
    return _refusal_error(message, status, code)


def _refusal_error(message: str, status: int, code: int) -> ExchangeError:
    if code in UNAUTHORISED or status == 401:
        return Unauthorised(message, code=str(code))
    if code in NOT_FOUND:
        return NotFoundAtVenue(message, code=str(code))
    if status == 403 and not code:
        return RateLimited(f"{VENUE}'s firewall turned us away (403).", code="403", after=BAN_UNTOLD)
    if code == -2010 and DUPLICATE in message.lower():
        return Refused(message, code=DUPLICATE)
    return Refused(message, code=str(code or status))


def _retry_after(response: Any) -> float:
    """Seconds to wait. Answers over the WebSocket API have no headers, so the usual time is taken for them."""
    try:
        return max(float(response.headers["Retry-After"]), 1.0)
    except (AttributeError, KeyError, ValueError):
        return BAN_UNTOLD
