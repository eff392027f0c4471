"""Many orders at once on their way to a venue."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from django.utils import timezone

from market.exchanges.base import NotFoundAtVenue, OrderRequest, Refused, Retryable
from trading import metrics
from trading.live.executor import AT_ONCE, Executor
from trading.models import OrderStatus

REQUEST = OrderRequest("qd-1", "BTC-USD", "buy", "market", Decimal(1))


def submitted(seconds_ago: float = 0.0) -> Any:
    return Mock(submitted_at=timezone.now() - timedelta(seconds=seconds_ago))


class Slow:
    """A venue that takes orders, each once it is let go. `most`: how many were on their way at once."""

    venue, finality = "binance", 10.0

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.now = self.most = self.sent = 0

    async def place(self, request: OrderRequest) -> None:
        self.now, self.sent = self.now + 1, self.sent + 1
        self.most = max(self.most, self.now)
        await self.go.wait()
        self.now -= 1


def executor(venue: Any) -> Executor:
    return Executor(venue, "binance-sandbox", Mock(), AsyncMock(), Mock(), 1, Mock())


async def test_a_thousand_orders_take_turns() -> None:
    venue = Slow()
    one = executor(venue)
    placing = [asyncio.ensure_future(one.place_in_turn(submitted(), REQUEST)) for _ in range(1_000)]
    for _ in range(3):  # each has begun, and goes as far as it may
        await asyncio.sleep(0)
    assert venue.now == AT_ONCE
    venue.go.set()
    await asyncio.gather(*placing)
    assert (venue.most, venue.sent) == (AT_ONCE, 1_000)


async def test_an_order_whose_turn_comes_too_late_is_not_sent() -> None:
    venue = Slow()
    with pytest.raises(Retryable):
        await executor(venue).place_in_turn(submitted(venue.finality / 2 + 1), REQUEST)
    assert venue.sent == 0


async def test_a_question_after_a_cancelling_that_fails_is_asked_again_later() -> None:
    venue = Mock(
        cancel=AsyncMock(side_effect=NotFoundAtVenue("Nothing is known of it.")), order=AsyncMock(side_effect=Retryable("Busy."))
    )
    one, order = executor(venue), Mock(pk=7, status=OrderStatus.ACCEPTED)
    await one.cancel(Mock(), order)
    venue.order.assert_awaited_once()
    assert not one.in_flight


@pytest.mark.parametrize(("kind", "doubted"), [("passing", 1), ("lasting", 1), ("ours", 1), ("person", 0)])
async def test_what_the_venue_lists_is_doubted_where_it_refuses_an_order_for_what_that_is(kind: Any, doubted: int) -> None:
    one = executor(Mock(finality=10.0, place=AsyncMock(side_effect=Refused("Market is closed.", code="-1013", kind=kind))))
    await one.place(Mock(), Mock(submitted_at=timezone.now(), created_at=timezone.now()), REQUEST, 0.0)
    assert one.doubt_listing.call_count == doubted  # type: ignore[attr-defined]


@pytest.mark.parametrize("received", [0.0, 1.0])
async def test_every_order_is_timed_under_the_venues_key(received: float, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, float]] = []
    monkeypatch.setattr(metrics.submit_seconds, "labels", lambda key: Mock(observe=lambda seconds: told.append((key, seconds))))
    order = Mock(submitted_at=timezone.now(), created_at=timezone.now() - timedelta(seconds=2))
    venue = Mock(finality=10.0, place=AsyncMock(side_effect=Retryable("Busy.")))
    await executor(venue).deliver(Mock(), order, REQUEST, received and time.perf_counter() - received)
    ((key, seconds),) = told
    assert key == "binance-sandbox"
    assert (received or 2.0) <= seconds < 60
