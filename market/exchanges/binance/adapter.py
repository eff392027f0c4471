"""The exchange port on Binance."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from core.times import to_ms
from engine.grid import find_close, find_open
from market.exchanges.base import (
    Balance,
    Candle,
    Depth,
    Endpoint,
    ExchangeError,
    Execution,
    FeeTier,
    HeldElsewhere,
    InstrumentRules,
    KeyPermissions,
    MarketEvent,
    MovementPage,
    NotFoundAtVenue,
    NotOffered,
    OrderRequest,
    Refused,
    Report,
    Retryable,
    Tick,
    Unauthorised,
    UnreadRow,
    UserEvent,
)
from market.exchanges.binance import frames, streams
from market.exchanges.binance.client import BinanceClient
from market.exchanges.binance.elsewhere import read_elsewhere
from market.exchanges.binance.errors import DUPLICATE, translate_error
from market.exchanges.binance.movements import LISTS, read_page
from market.exchanges.binance.orders import order_parameters, venue_symbol
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget
from market.exchanges.guard import Guard, find_duplicate
from market.exchanges.holdings import merge_balances
from market.exchanges.longer import make_longer
from market.exchanges.parsing import Json, Malformed, parse_amount, parse_flag
from market.exchanges.promises import keep_promises
from market.exchanges.reading import Reader
from market.exchanges.vocabulary.binance import COUNTED_FROM_LISTING

T = TypeVar("T")
PAGE = 1000
BAD_SYMBOL = "-1121"
RELIST = 60.0
"""Seconds between two questions for the names of pairs that were listed after we asked."""
USED = {
    "X-MBX-USED-WEIGHT-1M": "weight",
    "X-MBX-ORDER-COUNT-10S": "orders",
    "X-SAPI-USED-IP-WEIGHT-1M": "wallet",
    "X-SAPI-USED-UID-WEIGHT-1M": "wallet_key",
}
"""The headers that tell how much of each limit is used."""
TICKERS = 20
"""With up to this many symbols a question weighs 2; with more it weighs 40 or more."""


@keep_promises
class Binance:
    """`reader.skipped` counts frames and rows that could not be read, by kind."""

    venue = "binance"
    finality = 10.0
    """A signature is valid for half of it."""

    def __init__(self, endpoint: Endpoint, *, budget: Budget, breaker: Breaker, count: Callable[[str], None] | None = None) -> None:
        self._endpoint = endpoint
        self._guard = Guard(budget, breaker, translate_error, count)
        self._names: dict[str, str] = {}
        self._listed_at = 0.0
        """When the venue's names were asked for (monotonic); 0: never."""
        self._client: BinanceClient | None = None
        self.reader = Reader(self.venue, frames.ROW_FIELDS)

    @property
    def skipped_frames(self) -> int:
        return self.reader.skipped.total()

    @property
    def unread_products(self) -> Sequence[UnreadRow]:
        return self.reader.unread.get("product", ())

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
        answer = await self._ask(lambda client: client.get_exchange_info(), 20)
        listed = self.reader.read_list("product", answer["symbols"], frames.parse_instrument)
        await self._learn_limits(answer.get("rateLimits"))
        rules = {each.symbol: each for each in listed}.values()
        self._names.update((each.venue_symbol, each.symbol) for each in rules)
        self._listed_at = time.monotonic()
        return [each for each in rules if not symbols or each.symbol in symbols]

    async def candles(self, symbol: str, interval: str, start: datetime, end: datetime) -> list[Candle]:
        if interval == COUNTED_FROM_LISTING:
            return await make_longer(interval, start, end, self._now(), partial(self.candles, symbol, "1d"))
        begin, stop = to_ms(start), to_ms(end)
        parse = partial(frames.parse_candle, symbol=symbol, interval=interval)
        found: dict[int, Candle] = {}
        while begin < stop:
            rows = await self._ask(self._candle_page(symbol, interval, begin, stop), 2)
            page = {to_ms(bar.time): bar for bar in self.reader.read_list("candle", rows, parse)}
            found |= page
            if len(rows) < PAGE:
                break
            begin = _next_page(begin, find_close(interval, max(page, default=0)))
        over = min(stop, find_open(interval, to_ms(self._now())))
        return [found[time_] for time_ in sorted(found) if to_ms(start) <= time_ < over]

    def _candle_page(self, symbol: str, interval: str, begin: int, stop: int) -> Callable[[BinanceClient], Awaitable[Any]]:
        span = {"startTime": begin, "endTime": stop - 1, "limit": PAGE}
        return lambda client: client.get_klines(symbol=venue_symbol(symbol), interval=interval, **span)

    async def tickers(self, symbols: Sequence[str]) -> list[Tick]:
        parse = partial(frames.parse_ticker, names=self._name(symbols))
        result: list[Tick] = []
        for first in range(0, len(symbols), TICKERS):
            asked = quote(json.dumps([venue_symbol(each) for each in symbols[first : first + TICKERS]], separators=(",", ":")))
            rows = await self._ask(partial(BinanceClient.get_ticker, symbols=asked), 2)
            result += self.reader.read_list("ticker", rows, parse)
        return result

    async def depth(self, symbol: str, levels: int = 20) -> Depth:
        async def request(client: BinanceClient) -> Depth:
            answer = await client.get_order_book(symbol=venue_symbol(symbol), limit=levels)
            return frames.parse_depth(answer, symbol, self._now())

        return await self._ask(request, 5)

    async def balances(self) -> list[Balance]:
        answer = await self._ask(lambda client: client.get_account(omitZeroBalances="true"), 20)
        rows = self.reader.read_list("balance", answer["balances"], frames.parse_balance)
        if any(one.asset.startswith("LD") for one in rows) and not self._listed_at:
            await self.instruments()
        return merge_balances(frames.leave_receipts(rows, self._names))

    async def elsewhere(self) -> list[HeldElsewhere]:
        return [] if self._open_client().testnet else await read_elsewhere(self._ask, self.reader)

    async def fee_tier(self, symbol: str) -> FeeTier:
        answer = await self._ask(lambda client: client.v3_get_account_commission(symbol=venue_symbol(symbol)), 20)
        rates = answer["standardCommission"]
        return FeeTier(parse_amount(rates["maker"]), parse_amount(rates["taker"]))

    async def permissions(self) -> KeyPermissions:
        """A testnet cannot be asked this, and its money cannot be withdrawn."""

        async def request(client: BinanceClient) -> KeyPermissions:
            if client.testnet:
                return KeyPermissions(
                    True, parse_flag((await client.get_account())["canTrade"]), can_withdraw=False, ip_restricted=None
                )
            answer = await client.get_account_api_permissions()
            return KeyPermissions(
                can_read=parse_flag(answer["enableReading"]),
                can_trade=parse_flag(answer["enableSpotAndMarginTrading"]),
                can_withdraw=parse_flag(answer["enableWithdrawals"]),
                ip_restricted=parse_flag(answer["ipRestrict"]),
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
        return await find_duplicate(self, order)

    async def cancel(self, symbol: str, client_order_id: str, venue_order_id: str = "") -> Report:
        names = self._name([symbol])

        async def request(client: BinanceClient) -> Report:
            return frames.parse_order(await client.cancel_order(**_order_key(symbol, client_order_id, venue_order_id)), names)

        with _pair_may_be_gone():
            return await self._act(request, {"weight": 1})

    async def order(self, symbol: str, client_order_id: str, venue_order_id: str = "") -> Report:
        names, key = self._name([symbol]), _order_key(symbol, client_order_id, venue_order_id)
        with _pair_may_be_gone():
            answer = await self._ask(lambda client: client.get_order(**key), 4, urgent=True)
        report = frames.parse_order(answer, names)
        if not report.filled:
            return report
        trades = await self._trades(symbol, {"orderId": report.venue_order_id}, 5)
        return replace(report, executions=tuple(execution for order, execution in trades if order == report.venue_order_id))

    async def open_orders(self, symbols: Sequence[str] = ()) -> list[Report | UnreadRow]:
        rows = await self._ask(lambda client: client.get_open_orders(), 80, urgent=True)
        await self._learn_names(rows)
        orders = await self.reader.read_long("order", rows, partial(frames.parse_order, names=self._names))
        return [each for each in orders if not symbols or isinstance(each, UnreadRow) or each.symbol in symbols]

    async def fills(self, symbol: str, since: datetime) -> list[tuple[str, Execution]]:
        return await self._trades(symbol, {"startTime": to_ms(since)}, 20)

    async def _trades(self, symbol: str, span: dict[str, Any], weight: int) -> list[tuple[str, Execution]]:
        """Our trades of a symbol, oldest first: since a time, or those of one order. Page by page, by the trades' own numbers."""
        parse = partial(frames.own_trade, symbol=venue_symbol(symbol))
        found: dict[tuple[str, str], tuple[str, Execution]] = {}
        first = 0
        while True:
            rows = await self._ask(self._trade_page(symbol, span), weight, urgent=True)
            page = self.reader.read_list("fill", rows, parse)
            found |= {(order, execution.trade_id): (order, execution) for order, execution in page}
            if len(rows) < PAGE:
                return sorted(found.values(), key=lambda each: each[1].time)
            first = _next_page(first, max((int(execution.trade_id) for _, execution in page), default=0) + 1)
            span = {name: value for name, value in span.items() if name == "orderId"} | {"fromId": first}

    def _trade_page(self, symbol: str, span: Json) -> Callable[[BinanceClient], Awaitable[Any]]:
        return lambda client: client.get_my_trades(symbol=venue_symbol(symbol), limit=PAGE, **span)

    @property
    def movement_lists(self) -> Sequence[str]:
        return tuple(LISTS)

    async def movements(self, listed: str, since: datetime) -> MovementPage:
        if self._endpoint.environment == "testnet":
            raise NotOffered("Binance's testnet has no movements.", code="testnet")

        async def ask(name: str, parameters: Mapping[str, Any], costs: Mapping[str, int]) -> Any:
            return await self._ask(lambda client: getattr(client, name)(**parameters), costs)

        return await read_page(LISTS[listed], ask, since, self._now(), self.reader)

    def market_stream(
        self, symbols: Sequence[str], intervals: Sequence[str], *, depth: bool = False
    ) -> AsyncGenerator[MarketEvent, None]:
        socket = self._open_client().market_socket(f"{self._endpoint.ws.rstrip('/')}/" if self._endpoint.ws else "")
        wanted = streams.stream_names(symbols, intervals, depth=depth)
        return streams.stream_market(socket, wanted, self._name(symbols), self.reader, self._now)

    async def user_stream(self) -> AsyncGenerator[UserEvent, None]:
        if not self._listed_at:
            await self.instruments()
        async with aclosing(streams.stream_user(self._open_client(), self._names, self.reader)) as events:
            async for event in events:
                yield event

    async def _ask(
        self, request: Callable[[BinanceClient], Awaitable[T]], cost: int | Mapping[str, int], *, urgent: bool = False
    ) -> T:
        """A question may be repeated. If it was refused only because of the clock, it is asked once more, by the venue's clock as
        it is now. `cost`: its weight, or what it costs of other limits."""
        client, costs = self._open_client(), {"weight": cost} if isinstance(cost, int) else cost
        try:
            return await self._guard.run(lambda: request(client), costs, urgent=urgent)
        except Retryable as problem:
            if problem.code != "clock":
                raise
        await self._set_clock()
        return await self._guard.run(lambda: request(client), costs, urgent=urgent)

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

    async def _learn_names(self, rows: object) -> None:
        """Orders can be of any pair, also of one that was listed after we asked for the names: then they are asked for again. If
        they cannot be had again, the venue's own names will do."""
        if not self._listed_at:
            await self.instruments()
        said = [row.get("symbol") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        fresh = any(isinstance(name, str) and name not in self._names for name in said)
        if fresh and time.monotonic() - self._listed_at > RELIST:
            with suppress(ExchangeError):
                await self.instruments()

    async def _learn_limits(self, rows: object) -> None:
        """The venue's own limits, as `exchangeInfo` tells them."""
        for limit in self.reader.read_list("limit", rows if isinstance(rows, list) else [], frames.parse_limit):
            if limit is not None:
                await self._guard.budget.observe(limit[0], 0, limit[1])

    def _now(self) -> datetime:
        """The time by the venue's clock."""
        return datetime.now(UTC) + timedelta(milliseconds=self._open_client().timestamp_offset)

    async def _on_headers(self, headers: Mapping[str, str]) -> None:
        for header, name in USED.items():
            if (used := headers.get(header, "")).isdecimal():
                await self._guard.budget.observe(name, int(used), date=headers.get("Date", ""))


def _next_page(before: int, after: int) -> int:
    """Where the next page begins. A venue that gives the same page again would be asked for ever."""
    if after <= before:
        raise Malformed("a full page that leads no further")
    return after


@contextmanager
def _pair_may_be_gone() -> Iterator[None]:
    """A pair that was delisted is no symbol any more, and nothing of it rests: of its orders the venue knows none."""
    try:
        yield
    except Refused as refusal:
        if refusal.code != BAD_SYMBOL:
            raise
        raise NotFoundAtVenue(str(refusal), code=refusal.code) from None


def _order_key(symbol: str, client_order_id: str, venue_order_id: str) -> dict[str, str]:
    """The parameters that name an order: our id if we have it, because theirs is unknown if the answer to the order was lost."""
    identity = {"origClientOrderId": client_order_id} if client_order_id else {"orderId": venue_order_id}
    return {"symbol": venue_symbol(symbol), **identity}
