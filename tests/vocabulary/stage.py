"""An account at the sandbox whose venue says what a test puts into its mouth."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

from market.exchanges import connect
from market.exchanges.base import (
    Alive,
    Exchange,
    ExchangeError,
    NotFoundAtVenue,
    OrderRequest,
    OrderType,
    RateLimited,
    Refused,
    Report,
    Retryable,
    Tick,
    TimeInForce,
    Unauthorised,
    Unknown,
)
from market.exchanges.binance.orders import order_parameters
from market.exchanges.breaker import Breaker
from market.exchanges.coinbase.orders import order_body
from market.sandbox.movements import MovementLeg, MovementTicket
from tests.market.exchanges.canned import ENDLESS, EndlessBudget
from tests.market.exchanges.venues import SYMBOLS, Desk, Venue, limit, market

IDS = itertools.count()
"""Of orders: the sandbox outlives a test, and would take one name twice for one order."""
PRICES = itertools.count(65_001)
"""A price for each trade, by which it is known again."""


class OpenBudget(EndlessBudget):
    """Is not shut by what a test makes the venue say. `told` has the venue's own limits as the adapter learnt them."""

    told: tuple[tuple[str, int], ...] = ()

    async def observe(self, name: str, used: int, limit: int | None = None, *, date: str = "") -> None:
        self.told += ((name, limit),) if limit is not None else ()

    async def close(self, seconds: float) -> None:
        pass


class OpenBreaker(Breaker):
    """Opens for nothing."""

    async def note_failure(self) -> None:
        pass


@dataclass
class Stage:
    """`resting` and `filled` are our ids of orders at the venue, once there are such; `order` is the venue's id of the first."""

    desk: Desk
    venue: Venue
    exchange: Exchange
    budget: OpenBudget
    resting: str = ""
    order: str = ""
    filled: str = ""
    planted: int = 0
    """Movements that were made."""

    @property
    def symbol(self) -> str:
        return SYMBOLS[self.venue]

    def resting_order(self, client: str) -> OrderRequest:
        return limit(self.venue, client, quantity="0.001")

    async def place_resting(self) -> tuple[str, str]:
        """Our id and the venue's of a new order that rests."""
        client = self.name_order()
        return client, (await self.exchange.place(self.resting_order(client))).venue_order_id

    async def place_filled(self) -> tuple[str, str]:
        client = self.name_order()
        return client, (await self.exchange.place(market(self.venue, client))).venue_order_id

    async def keep_resting(self) -> str:
        """The venue's id of the order that rests."""
        if not self.resting:
            self.resting, self.order = await self.place_resting()
        return self.order

    async def keep_filled(self) -> None:
        self.filled = self.filled or (await self.place_filled())[0]

    def plant_movement(self, kind: Any, legs: dict[str, str]) -> None:
        """One that is done now."""
        ticket = MovementTicket(
            kind, tuple(MovementLeg(asset, Decimal(amount)) for asset, amount in legs.items()), other="UMFUTURE", network="BTC"
        )
        self.desk.sandbox.do(lambda: self.desk.sandbox.exchange(self.venue).move(self.desk.sandbox.key(self.venue), ticket))
        self.planted += 1

    def yesterday(self) -> datetime:
        return datetime.now(UTC) - timedelta(days=1)

    def name_order(self) -> str:
        return f"w-{self.venue}-{next(IDS)}"

    def script(self, fault: str, **rule: Any) -> None:
        self.desk.sandbox.mend()
        self.desk.fault(fault=fault, venue=self.venue, **rule)

    async def hear(self, ask: Callable[[], Awaitable[Any]], path: str, changes: dict[str, Any]) -> Any:
        """What the adapter makes of an answer with other words in it."""
        self.script("say", path=f"*/{path}", set=changes)
        return await ask()

    async def hear_same(self, ask: Callable[[], Awaitable[Any]], path: str, changes: dict[str, Any]) -> str:
        """Whether other words in an answer change what the adapter makes of it."""
        self.desk.sandbox.mend()
        before = await ask()
        return "unread" if await self.hear(ask, path, changes) == before else "read"

    async def overhear(self, stream: str, changes: dict[str, Any]) -> list[Any]:
        """What the adapter makes of a frame of the market's with other words in it: the price of the trade that made the frame, and
        all until a later trade. `Alive` alone if the connection ended."""
        async with listen(self.exchange.market_stream([self.symbol], ["1m"], depth=True)) as events:
            self.script("say", stream=stream, set=changes)
            said, marker = self.trade(), self.trade()
            heard = [Decimal(said)]
            with suppress(Retryable):
                async for event in events:
                    heard.append(event)
                    if isinstance(event, Tick) and event.price == marker:
                        return heard
        return [Alive]

    async def overhear_orders(self, changes: dict[str, Any]) -> list[Any]:
        """The same of the user stream: all until the report of an order that was placed later."""
        placed = []
        async with self.hear_user(changes) as events:
            placed += [await self.place_resting(), await self.place_resting()]
            heard = await read_until(events, placed[-1][0])
        for client, order in placed:
            await self.exchange.cancel(self.symbol, client, order)
        return heard

    @asynccontextmanager
    async def hear_user(self, changes: dict[str, Any], **rule: Any) -> AsyncIterator[AsyncGenerator[Any, None]]:
        """The user stream, one frame of which has other words in it."""
        async with listen(self.exchange.user_stream()) as events:
            self.script("say", stream="user", set=changes, **rule)
            yield events

    async def refuse(self, ask: Callable[[], Awaitable[Any]], path: str, body: Any, status: int = 400) -> str:
        """What the adapter makes of an error: in the words of the table."""
        self.script("answer", path=f"*/{path}", status=status, body=body)
        try:
            await ask()
        except ExchangeError as error:
            return name_error(error)
        return "duplicate"

    def trade(self) -> int:
        """Makes a trade at the venue, at a price of its own."""
        price = next(PRICES)
        self.desk.trade(self.venue, str(price), seconds=1)
        return price

    def trade_twice(self) -> tuple[int, int]:
        """The same, two at once."""
        first, second = next(PRICES), next(PRICES)
        venue = self.desk.sandbox.exchange(self.venue)

        def trade() -> None:
            for price in (first, second):
                venue.trade(self.symbol, Decimal(price), Decimal(1), buyer_is_maker=False, time=venue.clock())

        self.desk.sandbox.step(1000)
        self.desk.sandbox.do(trade)
        return first, second


def name_error(error: ExchangeError) -> str:
    match error:
        case Unknown():
            return "unsettled"
        case RateLimited():
            return "limit"
        case Retryable(code="clock"):
            return "clock"
        case Retryable():
            return "busy"
        case Unauthorised():
            return "key"
        case NotFoundAtVenue():
            return "over"
        case Refused():
            return error.kind
    raise AssertionError(repr(error))


@asynccontextmanager
async def open_stage(desk: Desk, venue: Venue) -> AsyncIterator[Stage]:
    endpoint = desk.endpoint(venue)
    budget = OpenBudget(desk.redis, endpoint, limits=ENDLESS)
    exchange = connect(endpoint, budget=budget, breaker=OpenBreaker(desk.redis, endpoint))
    await exchange.connect()
    try:
        yield Stage(desk, venue, exchange, budget)
    finally:
        desk.sandbox.mend()
        await exchange.close()


@asynccontextmanager
async def listen(stream: AsyncGenerator[Any, None]) -> AsyncIterator[AsyncGenerator[Any, None]]:
    """The stream, from when it stands."""
    async with asyncio.timeout(30), aclosing(stream) as events:
        async for event in events:
            if isinstance(event, Alive):
                break
        yield events


async def read_until(events: AsyncGenerator[Any, None], client: str) -> list[Any]:
    """All that comes up to the report of an order."""
    heard = []
    with suppress(Retryable):
        async for event in events:
            heard.append(event)
            if isinstance(event, Report) and event.client_order_id == client:
                return heard
    return [Alive]


def list_requests(venue: Venue) -> list[dict[str, Any]]:
    """The parameters of each kind of order that the desk sends there."""
    made = []
    for kind, time in itertools.product(get_args(OrderType), get_args(TimeInForce)):
        for side in ("buy", "sell"):
            order = OrderRequest("w-1", SYMBOLS[venue], side, kind, 1, 9, 8, time)  # type: ignore[arg-type]
            try:
                made.append(order_parameters(order) if venue == "binance" else order_body(order))
            except Refused:
                continue
    return made


def list_sent(venue: Venue) -> dict[str, set[str]]:
    """By parameter the words that the desk sends; the names inside of a parameter are words of it, too."""
    sent: dict[str, set[str]] = {}

    def note_words(content: dict[str, Any]) -> None:
        for name, value in content.items():
            sent.setdefault(name, set()).update(value if isinstance(value, dict) else {str(value)})
            if isinstance(value, dict):
                note_words(value)

    for request in list_requests(venue):
        note_words(request)
    return sent
