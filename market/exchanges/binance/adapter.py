"""The exchange port on Binance."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from core.times import to_ms
from engine.types import interval_ms
from market.exchanges.base import (
    Balance,
    Candle,
    Depth,
    Endpoint,
    Execution,
    FeeTier,
    InstrumentRules,
    KeyPermissions,
    MarketEvent,
    OrderRequest,
    Refused,
    Report,
    Retryable,
    Tick,
    Unauthorised,
    UserEvent,
)
from market.exchanges.binance import frames, streams
from market.exchanges.binance.client import BinanceClient
from market.exchanges.binance.errors import DUPLICATE, translate_error
from market.exchanges.binance.orders import order_parameters, venue_symbol
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget
from market.exchanges.guard import Guard
from market.exchanges.parsing import Json, Reader, parse_number

T = TypeVar("T")
PAGE = 1000
TICKERS = 20
"""With up to this many symbols a question weighs 2; with more it weighs 40 or more."""


class Binance:
    """`reader.skipped` counts frames that could not be read, by kind."""

    venue = "binance"
    finality = 10.0
    """A signature is valid for half of it."""

    def __init__(self, endpoint: Endpoint, *, budget: Budget, breaker: Breaker, count: Callable[[str], None] | None = None) -> None:
        self._endpoint = endpoint
        self._guard = Guard(budget, breaker, translate_error, count)
        self._names: dict[str, str] = {}
        self._listed = False
        self._client: BinanceClient | None = None
        self.reader = Reader(self.venue)

    @property
    def skipped_frames(self) -> int:
        return self.reader.skipped.total()

    async def connect(self) -> None:
        try:
            self._client = BinanceClient(self._endpoint, self._on_headers)
        except ValueError:
            text = "api_secret: this is no key that Binance takes. Paste the secret, or the whole PEM of an Ed25519 or RSA key."
            raise Unauthorised(text, code="key") from None
        try:
            await self.clock_offset()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.close_connection()

    async def clock_offset(self) -> float:
        return await self._ask(lambda client: client.measure_offset(), 1)

    async def instruments(self, symbols: Sequence[str] = ()) -> list[InstrumentRules]:
        async def request(client: BinanceClient) -> list[InstrumentRules]:
            answer = await client.get_exchange_info()
            for limit in answer.get("rateLimits", ()):
                await self._learn(limit)
            return [frames.parse_instrument(each) for each in answer["symbols"]]

        rules = await self._ask(request, 20)
        self._names.update((each.venue_symbol, each.symbol) for each in rules)
        return [each for each in rules if not symbols or each.symbol in symbols]

    async def candles(self, symbol: str, interval: str, start: datetime, end: datetime) -> list[Candle]:
        begin, stop, step = to_ms(start), to_ms(end), interval_ms(interval)
        result: list[Candle] = []
        while begin < stop:
            page = await self._ask(self._candle_page(symbol, interval, begin, stop), 2)
            result += page
            if len(page) < PAGE:
                break
            begin = to_ms(page[-1].time) + step
        return result

    def _candle_page(self, symbol: str, interval: str, begin: int, stop: int) -> Callable[[BinanceClient], Awaitable[list[Candle]]]:
        async def request(client: BinanceClient) -> list[Candle]:
            span = {"startTime": begin, "endTime": stop - 1, "limit": PAGE}
            rows = await client.get_klines(symbol=venue_symbol(symbol), interval=interval, **span)
            return frames.parse_candles(rows, symbol, interval, to_ms(self._now()))

        return request

    async def tickers(self, symbols: Sequence[str]) -> list[Tick]:
        names = self._name(symbols)
        result: list[Tick] = []
        for first in range(0, len(symbols), TICKERS):
            asked = quote(json.dumps([venue_symbol(each) for each in symbols[first : first + TICKERS]], separators=(",", ":")))

            async def request(client: BinanceClient, asked: str = asked) -> list[Tick]:
                return [frames.parse_ticker(row, names) for row in await client.get_ticker(symbols=asked)]

            result += await self._ask(request, 2)
        return result

    async def depth(self, symbol: str, levels: int = 20) -> Depth:
        async def request(client: BinanceClient) -> Depth:
            answer = await client.get_order_book(symbol=venue_symbol(symbol), limit=levels)
            return frames.parse_depth(answer, symbol, self._now())

        return await self._ask(request, 5)

    async def balances(self) -> list[Balance]:
        async def request(client: BinanceClient) -> list[Balance]:
            return frames.parse_balances((await client.get_account(omitZeroBalances="true"))["balances"])

        return await self._ask(request, 20)

    async def fee_tier(self, symbol: str) -> FeeTier:
        async def request(client: BinanceClient) -> FeeTier:
            rates = (await client.v3_get_account_commission(symbol=venue_symbol(symbol)))["standardCommission"]
            return FeeTier(parse_number(rates["maker"]), parse_number(rates["taker"]))

        return await self._ask(request, 20)

    async def permissions(self) -> KeyPermissions:
        """A testnet cannot be asked this, and its money cannot be withdrawn."""

        async def request(client: BinanceClient) -> KeyPermissions:
            if client.testnet:
                return KeyPermissions(True, bool((await client.get_account())["canTrade"]), can_withdraw=False, ip_restricted=None)
            answer = await client.get_account_api_permissions()
            return KeyPermissions(
                can_read=bool(answer["enableReading"]),
                can_trade=bool(answer["enableSpotAndMarginTrading"]),
                can_withdraw=bool(answer["enableWithdrawals"]),
                ip_restricted=bool(answer["ipRestrict"]),
            )

        return await self._ask(request, 20)

    async def place(self, order: OrderRequest) -> Report:
        """An order with the id of one that is open is the same order: it is looked up and returned."""
        names, asked = self._name([order.symbol]), order_parameters(order)

        async def request(client: BinanceClient) -> Report:
            return frames.parse_placement(await client.create_order(**asked), names)

        try:
            return await self._act(request, {"weight": 1, "orders": 1})
        except Refused as refusal:
            if refusal.code != DUPLICATE:
                raise
        return await self.order(order.symbol, order.client_order_id)

    async def cancel(self, symbol: str, client_order_id: str, venue_order_id: str = "") -> Report:
        names = self._name([symbol])

        async def request(client: BinanceClient) -> Report:
            return frames.parse_order(await client.cancel_order(**_order_key(symbol, client_order_id, venue_order_id)), names)

        return await self._act(request, {"weight": 1})

    async def order(self, symbol: str, client_order_id: str, venue_order_id: str = "") -> Report:
        names = self._name([symbol])

        async def request(client: BinanceClient) -> Report:
            answer = await client.get_order(**_order_key(symbol, client_order_id, venue_order_id))
            if not parse_number(answer["executedQty"]):
                return frames.parse_order(answer, names)
            trades = await client.get_my_trades(symbol=answer["symbol"], orderId=answer["orderId"], limit=PAGE)
            return frames.parse_order(answer, names, tuple(execution for _, execution in map(frames.own_trade, trades)))

        return await self._ask(request, 9, urgent=True)

    async def open_orders(self, symbols: Sequence[str] = ()) -> list[Report]:
        await self._directory()

        async def request(client: BinanceClient) -> list[Report]:
            return [frames.parse_order(each, self._names) for each in await client.get_open_orders()]

        reports = await self._ask(request, 80, urgent=True)
        return [each for each in reports if not symbols or each.symbol in symbols]

    async def fills(self, symbol: str, since: datetime) -> list[tuple[str, Execution]]:
        result: list[tuple[str, Execution]] = []
        span: dict[str, Any] = {"startTime": to_ms(since)}
        while True:
            page = await self._ask(self._fill_page(symbol, span), 20, urgent=True)
            result += page
            if len(page) < PAGE:
                return result
            span = {"fromId": int(page[-1][1].trade_id) + 1}

    def _fill_page(self, symbol: str, span: Json) -> Callable[[BinanceClient], Awaitable[list[tuple[str, Execution]]]]:
        async def request(client: BinanceClient) -> list[tuple[str, Execution]]:
            return [frames.own_trade(row) for row in await client.get_my_trades(symbol=venue_symbol(symbol), limit=PAGE, **span)]

        return request

    async def market_stream(
        self, symbols: Sequence[str], intervals: Sequence[str], *, depth: bool = False
    ) -> AsyncGenerator[MarketEvent, None]:
        socket = self._open_client().market_socket(f"{self._endpoint.ws.rstrip('/')}/" if self._endpoint.ws else "")
        wanted = streams.stream_names(symbols, intervals, depth=depth)
        async with aclosing(streams.stream_market(socket, wanted, self._name(symbols), self.reader, self._now)) as events:
            async for event in events:
                yield event

    async def user_stream(self) -> AsyncGenerator[UserEvent, None]:
        await self._directory()
        async with aclosing(streams.stream_user(self._open_client(), self._names, self.reader)) as events:
            async for event in events:
                yield event

    async def _ask(self, request: Callable[[BinanceClient], Awaitable[T]], weight: int, *, urgent: bool = False) -> T:
        """A question may be repeated. If it was refused only because of the clock, it is asked once more, by the venue's clock as
        it is now."""
        client = self._open_client()
        try:
            return await self._guard.run(lambda: request(client), {"weight": weight}, urgent=urgent)
        except Retryable as problem:
            if problem.code != "clock":
                raise
        await self._set_clock()
        return await self._guard.run(lambda: request(client), {"weight": weight}, urgent=urgent)

    async def _act(self, request: Callable[[BinanceClient], Awaitable[T]], costs: Mapping[str, int]) -> T:
        client = self._open_client()
        try:
            return await self._guard.run(lambda: request(client), costs, acts=True)
        except Retryable as problem:
            # This request is not repeated here, but whoever repeats it must not fail because of the clock again.
            if problem.code == "clock":
                await self._set_clock()
            raise

    async def _set_clock(self) -> None:
        client = self._open_client()
        await self._guard.run(client.measure_offset, {"weight": 1}, urgent=True)

    def _open_client(self) -> BinanceClient:
        if self._client is None:
            raise Retryable("Binance is not connected.", code="network")
        return self._client

    def _name(self, symbols: Sequence[str]) -> dict[str, str]:
        names = {venue_symbol(symbol): symbol for symbol in symbols}
        self._names.update(names)
        return names

    async def _directory(self) -> None:
        """All of the venue's symbols in ours, for reports that can be of any symbol. They are asked for once."""
        if not self._listed:
            await self.instruments()
            self._listed = True

    def _now(self) -> datetime:
        """The time by the venue's clock."""
        return datetime.now(UTC) + timedelta(milliseconds=self._open_client().timestamp_offset)

    async def _on_headers(self, headers: Mapping[str, str]) -> None:
        for header, name in (("X-MBX-USED-WEIGHT-1M", "weight"), ("X-MBX-ORDER-COUNT-10S", "orders")):
            if (used := headers.get(header, "")).isdigit():
                await self._guard.budget.observe(name, int(used), date=headers.get("Date", ""))

    async def _learn(self, limit: Json) -> None:
        """The venue's own limits, as `exchangeInfo` tells them."""
        kinds = {("REQUEST_WEIGHT", "MINUTE", 1): "weight", ("ORDERS", "SECOND", 10): "orders"}
        if name := kinds.get((limit["rateLimitType"], limit["interval"], limit["intervalNum"])):
            await self._guard.budget.observe(name, 0, int(limit["limit"]))


def _order_key(symbol: str, client_order_id: str, venue_order_id: str) -> dict[str, str]:
    """The parameters that name an order: our id if we have it, because theirs is unknown if the answer to the order was lost."""
    identity = {"origClientOrderId": client_order_id} if client_order_id else {"orderId": venue_order_id}
    return {"symbol": venue_symbol(symbol), **identity}
