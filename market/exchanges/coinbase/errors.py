"""What coinbase-advanced-py and requests raise, named by who must act."""

from __future__ import annotations

from math import isfinite
from multiprocessing import AuthenticationError
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from market.exchanges.base import UNREADABLE, ExchangeError, NotFoundAtVenue, RateLimited, Refused, Retryable, Unauthorised, Unknown
from market.exchanges.coinbase.refusals import UNTOLD, classify_refusal, take_kind
from market.exchanges.coinbase.tokens import BadKey
from market.exchanges.parsing import Json
from market.exchanges.vocabulary.coinbase_errors import CANCEL

VENUE = "Coinbase"
LONGEST_WAIT = 86_400.0
BLOCKED = 60.0
"""Seconds that nobody sends after the firewall has said no."""


def translate_error(error: Exception, acts: bool) -> ExchangeError:
    """Names what was raised. `acts` says that the request would change something at the venue, so that a lost answer leaves the
    outcome unknown."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _answer_error(error.response, acts)
    if isinstance(error, AuthenticationError):
        return Unauthorised(f"{VENUE} needs a key for this, and the account has none.", code="key")
    if isinstance(error, BadKey):
        text = "api_secret: this is no key that Coinbase gives out. Paste the whole private key of the CDP API key file."
        return Unauthorised(text, code="key")
    if isinstance(error, requests.ConnectTimeout) or _never_sent(error):
        return Retryable(f"{VENUE} could not be reached; nothing was sent.", code="network")
    if isinstance(error, requests.RequestException) and not isinstance(error, requests.JSONDecodeError):
        return lost_answer(f"{VENUE} did not answer ({type(error).__name__}).", "network", acts)
    return lost_answer(f"{VENUE}'s answer could not be read ({type(error).__name__}).", UNREADABLE, acts)


def lost_answer(message: str, code: str, acts: bool) -> ExchangeError:
    return Unknown(message, code=code) if acts else Retryable(message, code=code)


def _never_sent(error: Exception) -> bool:
    """`requests` wraps urllib3's retry error, which wraps the cause."""
    cause: Any = error.args[0] if isinstance(error, requests.ConnectionError) and error.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError | ConnectTimeoutError)


def _answer_error(response: requests.Response, acts: bool) -> ExchangeError:
    status, said = response.status_code, _read_reason(response)
    message = f"{VENUE}: {said or response.reason}"
    if status in (418, 429):
        return RateLimited(message, code=str(status), after=_retry_after(response))
    if status == 403 and not said:
        # The firewall before the venue, which shows people a page: it says nothing of the key, and let nothing through.
        return RateLimited(f"{message} (by its firewall)", code="403", after=max(_retry_after(response), BLOCKED))
    if status >= 500:
        return lost_answer(message, str(status), acts)
    if status in (401, 403):
        return Unauthorised(f"{VENUE} does not take the key ({status}): {said or response.reason}", code=str(status))
    if status == 404 and not said:
        # Somebody between us and the venue: it does not say that an order is not there.
        return lost_answer(f"{VENUE}'s answer could not be read (404 without a reason).", UNREADABLE, acts)
    if status == 404:
        return NotFoundAtVenue(message, code="404")
    return Refused(message, code=str(status), kind="ours")


def _read_reason(response: requests.Response) -> str:
    try:
        body = response.json()
        return str(body.get("message") or body.get("error_details") or body.get("error") or "")[:300]
    except (ValueError, AttributeError):
        return ""


def _retry_after(response: requests.Response) -> float:
    try:
        wait = float(response.headers.get("Retry-After") or response.headers["x-ratelimit-reset"])
    except (KeyError, ValueError):
        return 1.0
    return min(max(wait, 0.1), LONGEST_WAIT) if isfinite(wait) else 1.0


def not_placed(answer: Json) -> ExchangeError:
    """The error of a refused order, which the venue answers with status 200 and `success` false. It says why in one of three
    places. Where it says so in none, nobody knows what became of the order."""
    error: Json = answer.get("error_response") or {}
    told = (error.get(name) for name in ("new_order_failure_reason", "preview_failure_reason", "error"))
    code = next((str(reason) for reason in told if reason and reason not in UNTOLD), "")
    text = f"{VENUE}: {error.get('message') or error.get('error_details') or code}"[:500]
    if not code:
        return Unknown(f"{text} (refused without a reason)", code="UNKNOWN_FAILURE_REASON")
    return Refused(text, code=code, kind=classify_refusal(code))


def not_cancelled(result: Json) -> ExchangeError:
    """The error of a cancellation that the venue did not take. A reason may also be one of those for orders."""
    code = str(result.get("failure_reason") or "")
    match CANCEL.words.get(code, "" if code else "unsettled"):
        case "over":
            return NotFoundAtVenue(f"{VENUE}: the order is over, or was never there ({code}).", code=code)
        case "unsettled":
            return Unknown(f"{VENUE}: not cancelled, and it does not say why.", code=code)
        case meaning:
            kind = take_kind(meaning) if meaning else classify_refusal(code)
            return Refused(f"{VENUE}: not cancelled ({code}).", code=code, kind=kind)
