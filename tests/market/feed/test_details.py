"""What a feed says of itself to a person: what is amiss now, when it tries again, and nothing that is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from market.exchanges.base import Retryable
from market.feed import Feed, FeedStatus, Incident, Subscription
from tests.market.feed.feeds import patient


@pytest.fixture
def statuses() -> list[FeedStatus]:
    return []


@pytest.fixture
async def feed(statuses: list[FeedStatus]) -> Feed:
    """Of a venue that cannot be reached, and that is tried again for hours."""

    async def no_stream(*_: Any, **__: Any) -> AsyncIterator[Any]:
        raise Retryable("The market stream of Binance was lost.")
        yield

    away = AsyncMock(side_effect=Retryable("It does not answer."))
    exchange = Mock(venue="binance", market_stream=no_stream, tickers=away, instruments=away, candles=away, skipped_frames=0)

    def note(news: FeedStatus | Incident) -> None:
        if isinstance(news, FeedStatus):
            statuses.append(news)

    timing = patient(backoff=(0.01, 0.01, 7_200.0), stale=0.05)
    return Feed(exchange, Subscription(["BTC-USDT"], ["1m"]), AsyncMock(), on_status=note, timing=timing)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  (the feed sets no event)
            await asyncio.sleep(0.005)


async def test_a_detail_that_is_over_is_said_no_more(feed: Feed, statuses: list[FeedStatus]) -> None:
    feed._gates.failing = "BTC-USDT 1m: It does not answer."
    feed._report.tell("live", "")
    assert statuses[-1].detail == "back-fill fails: BTC-USDT 1m: It does not answer."
    feed._gates.failing = ""
    feed._report.tell_again()
    assert (statuses[-1].state, statuses[-1].detail) == ("live", "")


async def test_an_outage_says_when_the_next_attempt_is_made_and_counts_those_that_failed(
    feed: Feed, statuses: list[FeedStatus]
) -> None:
    running = asyncio.create_task(feed.run())
    try:
        await until(lambda: any(one.failures == 2 and one.state == "stale" for one in statuses))
        told = statuses[-1]
        assert "no prices for" in told.detail
        assert "; next attempt at " in told.detail
        assert told.detail.endswith(" UTC")
        assert told.reconnects == 0
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
