"""What the port promises, kept in one place for all adapters: no error leaves it but those of `base.py`."""

from __future__ import annotations

import inspect
import logging
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from functools import wraps
from typing import Any, TypeVar

from core.errors import DomainError
from market.exchanges.base import UNREADABLE, Exchange, ExchangeError, Refused, Retryable, Unknown

logger = logging.getLogger(__name__)
A = TypeVar("A")
CALLS = tuple(name for name, value in vars(Exchange).items() if inspect.iscoroutinefunction(value) and not name.startswith("_"))
STREAMS = ("market_stream", "user_stream")
ACTS = ("place", "cancel")
"""After these, what could not be read may have happened."""
_told: set[str] = set()


def keep_promises(adapter: type[A]) -> type[A]:
    """Puts a net under each method and stream of the port. Whatever else they raise is an answer that we could not read."""
    for name in CALLS:
        setattr(adapter, name, _guard_call(getattr(adapter, name), acts=name in ACTS))
    for name in STREAMS:
        setattr(adapter, name, _guard_stream(getattr(adapter, name)))
    return adapter


def _guard_call(method: Callable[..., Awaitable[Any]], *, acts: bool) -> Callable[..., Awaitable[Any]]:
    @wraps(method)
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await method(self, *args, **kwargs)
        except ExchangeError:
            raise
        except Exception as error:
            raise _name_failure(f"{self.venue}.{method.__name__}", error, acts=acts) from None

    return call


def _guard_stream(method: Callable[..., AsyncGenerator[Any, None]]) -> Callable[..., AsyncGenerator[Any, None]]:
    @wraps(method)
    async def stream(self: Any, *args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
        try:
            async with aclosing(method(self, *args, **kwargs)) as events:
                async for event in events:
                    yield event
        except ExchangeError:
            raise
        except Exception as error:
            raise _name_failure(f"{self.venue}.{method.__name__}", error, acts=False) from None

    return stream


def _name_failure(where: str, error: Exception, *, acts: bool) -> ExchangeError:
    if isinstance(error, DomainError):
        return Refused(str(error), code=error.code, kind="ours")
    note_unreadable(where, error)
    problem = Unknown if acts else Retryable
    return problem(f"{where}: the answer could not be read ({type(error).__name__}).", code=UNREADABLE)


def note_unreadable(where: str, error: BaseException) -> None:
    """Logs where it went wrong, once for each place in our code. Not what the error says: it can carry a signed request."""
    steps = traceback.extract_tb(error.__traceback__)
    place = f"{where} {type(error).__name__} {steps[-1].filename}:{steps[-1].lineno}" if steps else where
    if place in _told:
        return
    _told.add(place)
    logger.error("%s: an answer could not be read (%s); said once.\n%s", where, type(error).__name__, "".join(steps.format()))
