"""What stands around every request to a venue: the breaker, the budget, and names for what went wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from market.exchanges.base import UNREADABLE, Exchange, ExchangeError, OrderRequest, RateLimited, Report, Retryable, Unknown
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget
from market.exchanges.promises import note_unreadable

T = TypeVar("T")
OURS = ("budget", "breaker", "redis", "clock", "unreadable")
"""Codes of errors that were not the venue's failure. An answer that we cannot read is one: it came."""


class Guard:
    """`translate(error, acts)` names what a library raised. `count(code)` gets the outcome of each request: "ok", the venue's code,
    or the kind of failure."""

    def __init__(
        self,
        budget: Budget,
        breaker: Breaker,
        translate: Callable[[Exception, bool], ExchangeError],
        count: Callable[[str], None] | None = None,
    ) -> None:
        self.budget, self.breaker, self._translate = budget, breaker, translate
        self._count = count or (lambda code: None)

    async def run(
        self, request: Callable[[], Awaitable[T]], costs: Mapping[str, int], *, acts: bool = False, urgent: bool = False
    ) -> T:
        """`acts` says that the request changes something at the venue: a lost answer is `Unknown`, and the request may use the
        reserve. `urgent` says that it may use the reserve although it only asks. Both may try a venue that failed before others."""
        await self.breaker.allow(later=not (acts or urgent))
        await self.budget.spend(costs, urgent=acts or urgent)
        try:
            answer = await request()
        except Exception as error:
            problem = error if isinstance(error, ExchangeError) else self._translate(error, acts)
            if problem.code == UNREADABLE:
                note_unreadable(self.breaker.venue, error)
            await self._note_failure(problem)
            # The library's error is dropped: it can carry the signed request.
            raise problem from None
        self._count("ok")
        await self.breaker.note_success()
        return answer

    async def _note_failure(self, problem: ExchangeError) -> None:
        self._count(problem.code or type(problem).__name__.lower())
        if isinstance(problem, RateLimited):
            await self.budget.close(problem.after)
        elif isinstance(problem, Retryable | Unknown) and problem.code not in OURS:
            await self.breaker.note_failure()
        else:
            await self.breaker.note_success()


async def find_duplicate(exchange: Exchange, order: OrderRequest) -> Report:
    """The order that the venue has under our id already. If it cannot be had, its fate is unknown, whatever the reason: it must
    neither be taken for refused nor be sent again."""
    try:
        return await exchange.order(order.symbol, order.client_order_id)
    except ExchangeError as error:
        raise Unknown(
            f"The venue has order {order.client_order_id} already, and it could not be read: {error}", code=error.code
        ) from None
