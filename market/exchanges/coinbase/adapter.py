"""The exchange port on Coinbase Advanced Trade."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from core.text import utc_text
from engine.grid import open_moment
from engine.types import interval_ms
from market.exchanges.base import (
    Balance,
    Candle,
    Depth,
    Endpoint,
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
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget
from market.exchanges.coinbase import frames, streams
from market.exchanges.coinbase.accounts import Account, drop_repeated, list_elsewhere, list_spot, parse_account
from market.exchanges.coinbase.client import CoinbaseRest, CoinbaseSocket
from market.exchanges.coinbase.errors import not_cancelled, not_placed, translate_error
from market.exchanges.coinbase.movements import LIST, read_transactions
from market.exchanges.coinbase.orders import order_body
from market.exchanges.coinbase.refusals import DUPLICATE
from market.exchanges.coinbase.tokens import LIFE, BadKey
from market.exchanges.coinbase.trades import MarketMessages
from market.exchanges.guard import Guard, find_duplicate
from market.exchanges.longer import make_longer
from market.exchanges.parsing import Json, Malformed, from_milliseconds, parse_amount, parse_flag, parse_number, parse_text
from market.exchanges.promises import keep_promises
from market.exchanges.reading import Reader

T = TypeVar("T")
COST = {"requests": 1}
BARS = 300
"""Candles in one answer; the venue gives no more than 350."""
PAGE = 250
MOST_PAGES = 4000
"""A list of a million rows. One that goes on has no end."""
UNSIGNED = "401"
GRANULARITIES = {
    "1m": "ONE_MINUTE",
    "5m": "FIVE_MINUTE",
    "15m": "FIFTEEN_MINUTE",
    "30m": "THIRTY_MINUTE",
    "1h": "ONE_HOUR",
    "2h": "TWO_HOUR",
    "6h": "SIX_HOUR",
    "1d": "ONE_DAY",
}
PARTS = {"3m": "1m", "4h": "2h", "8h": "2h", "12h": "6h", "3d": "1d", "1w": "1d", "1M": "1d"}
"""Intervals that the venue does not have, and those that they are made of."""


@keep_promises
class Coinbase:
    """`reader.skipped` counts messages and rows that could not be read, by kind."""

    venue = "coinbase"
    finality = 2.0 * LIFE
    """An order may wait for its turn for half of it before its token is made."""

    def __init__(self, endpoint: Endpoint, *, budget: Budget, breaker: Breaker, count: Callable[[str], None] | None = None) -> None:
        self._endpoint = endpoint
        self._guard = Guard(budget, breaker, translate_error, count)
        self._rest: CoinbaseRest | None = None
        self._offset = 0.0
        self.reader = Reader(self.venue, frames.ROW_FIELDS)

    @property
    def skipped_frames(self) -> int:
        return self.reader.skipped.total()

    @property
    def unread_products(self) -> Sequence[UnreadRow]:
        return self.reader.unread.get("product", ())

    async def connect(self) -> None:
        try:
            self._rest = CoinbaseRest(self._endpoint, self._on_headers)
        except BadKey as error:
            raise translate_error(error, False) from None
        try:
            await self.clock_offset()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        if self._rest is not None:
            self._rest.close()
            self._rest = None

    async def clock_offset(self) -> float:
        async def request(rest: CoinbaseRest) -> float:
            begun = time.time()
            server = from_milliseconds((await rest.get("time", public=True))["epochMillis"]).timestamp()
            return server - (begun + time.time()) / 2

        rest = self._open_rest()
        self._offset = await self._guard.run(lambda: request(rest), COST)
        if rest.signer is not None:
            rest.signer.offset = self._offset
        return self._offset

    async def instruments(self, symbols: Sequence[str] = ()) -> list[InstrumentRules]:
        rules = self.reader.read_list("product", await self._products(symbols), frames.parse_instrument)
        return list({each.symbol: each for each in rules if not symbols or each.symbol in symbols}.values())

    async def tickers(self, symbols: Sequence[str]) -> list[Tick]:
        ticks = self.reader.read_list("ticker", await self._products(symbols), partial(frames.product_tick, now=self._now()))
        return [each for each in ticks if not symbols or each.symbol in symbols]

    async def candles(self, symbol: str, interval: str, start: datetime, end: datetime) -> list[Candle]:
        if part := PARTS.get(interval):
            return await make_longer(interval, start, end, self._now(), partial(self.candles, symbol, part))
        if interval not in GRANULARITIES:
            raise Refused(
                f"interval: Coinbase has no candles of {interval}, and none to make them of.", code="interval", kind="ours"
            )
        length = timedelta(milliseconds=interval_ms(interval))
        end = min(end, open_moment(interval, self._now()))
        parse = partial(frames.parse_candle, symbol=symbol, interval=interval)
        result: list[Candle] = []
        while start < end:
            stop = min(end, start + length * BARS)
            rows = (await self._ask(self._candle_page(symbol, interval, start, stop)))["candles"]
            bars = {bar.time: bar for bar in self.reader.read_list("candle", rows, parse)}
            result += [bars[time_] for time_ in sorted(bars) if start <= time_ < stop]
            start = stop
        return result

    def _candle_page(
        self, symbol: str, interval: str, start: datetime, stop: datetime
    ) -> Callable[[CoinbaseRest], Awaitable[Json]]:
        """The venue answers newest first, with both ends included."""
        span = {"start": str(int(start.timestamp())), "end": str(int(stop.timestamp())), "limit": 350}
        asked = {**span, "granularity": GRANULARITIES[interval]}
        path = f"{self._public}products/{symbol}/candles"
        return lambda rest: rest.get(path, params=dict(asked), public=bool(self._public))

    async def depth(self, symbol: str, levels: int = 20) -> Depth:
        async def request(rest: CoinbaseRest) -> Depth:
            params = {"product_id": symbol, "limit": levels}
            answer = await rest.get(f"{self._public}product_book", params=params, public=bool(self._public))
            return frames.parse_book(answer["pricebook"], symbol)

        return await self._ask(request)

    async def balances(self) -> list[Balance]:
        return list_spot(await self._accounts())

    async def elsewhere(self) -> list[HeldElsewhere]:
        return list_elsewhere(await self._accounts())

    async def _accounts(self) -> list[Account]:
        rows = await self._pages("accounts", "accounts", {})
        return drop_repeated(self.reader.read_list("balance", rows, parse_account))

    async def fee_tier(self, symbol: str) -> FeeTier:
        async def request(rest: CoinbaseRest) -> FeeTier:
            tier = (await rest.get("transaction_summary", params={"product_type": "SPOT"}))["fee_tier"]
            return FeeTier(parse_amount(tier["maker_fee_rate"]), parse_amount(tier["taker_fee_rate"]))

        return await self._ask(request)

    async def permissions(self) -> KeyPermissions:
        async def request(rest: CoinbaseRest) -> KeyPermissions:
            may = await rest.get("key_permissions")
            view, trade, transfer = (parse_flag(may[right]) for right in ("can_view", "can_trade", "can_transfer"))
            return KeyPermissions(view, trade, transfer, ip_restricted=None)

        return await self._ask(request)

    async def place(self, order: OrderRequest) -> Report:
        """To a client order id that it knows, the venue answers with the order that it has, or says that it has one."""
        asked = order_body(order)

        async def request(rest: CoinbaseRest) -> Report:
            answer = await rest.post("orders", asked)
            if not parse_flag(answer["success"]):
                raise not_placed(answer)
            return _accepted_report(order, answer["success_response"], self._now())

        try:
            return await self._act(request)
        except Refused as refusal:
            if refusal.code != DUPLICATE:
                raise
        return await find_duplicate(self, order)

    async def cancel(self, symbol: str, client_order_id: str, venue_order_id: str = "") -> Report:
        """The venue cancels by its own id only. It is looked up if it is not given."""
        known = venue_order_id or (await self.order(symbol, client_order_id)).venue_order_id

        async def request(rest: CoinbaseRest) -> None:
            result = (await rest.post("orders/batch_cancel", {"order_ids": [known]}))["results"][0]
            if not parse_flag(result["success"]):
                raise not_cancelled(result)

        await self._act(request)
        return await self._find_order(known)

    async def order(self, symbol: str, client_order_id: str, venue_order_id: str = "") -> Report:
        if venue_order_id:
            return await self._find_order(venue_order_id)
        # The venue cannot be asked for our id, so its lists are searched, newest first.
        unread = 0
        async for rows in self._walk_pages("orders/historical/batch", "orders", {"product_ids": list_twins(symbol)}, urgent=True):
            for each in rows:
                if not isinstance(each, dict) or not isinstance(each.get("client_order_id"), str):
                    unread += 1
                elif each["client_order_id"] == client_order_id:
                    return await self._with_fills(each)
        if unread:
            raise Malformed(f"{unread} orders without an id: ours may be one of them")
        raise NotFoundAtVenue(f"Coinbase knows no order {client_order_id}.", code="404")

    async def open_orders(self, symbols: Sequence[str] = ()) -> list[Report | UnreadRow]:
        params: dict[str, Any] = {"order_status": ["OPEN"]} | ({"product_ids": list(symbols)} if symbols else {})
        rows = await self._pages("orders/historical/batch", "orders", params, urgent=True)
        return await self.reader.read_long("order", rows, frames.parse_order)

    async def fills(self, symbol: str, since: datetime) -> list[tuple[str, Execution]]:
        params = {"product_ids": list_twins(symbol), "start_sequence_timestamp": utc_text(since.astimezone(UTC))}
        return await self._fills(params, symbol)

    @property
    def movement_lists(self) -> Sequence[str]:
        return (LIST,)

    async def movements(self, listed: str, since: datetime) -> MovementPage:
        """The venue tells by asset, newest first: all up to now at once."""
        if self._endpoint.environment == "testnet":
            raise NotOffered("Coinbase's own sandbox has no movements.", code="testnet")

        async def ask(path: str, parameters: Json) -> Json:
            return await self._ask(lambda rest: rest.get_app(path, params=dict(parameters)))

        now = self._now()
        return MovementPage(await read_transactions(ask, since, self.reader), now, whole=True)

    def market_stream(
        self, symbols: Sequence[str], intervals: Sequence[str], *, depth: bool = False
    ) -> AsyncGenerator[MarketEvent, None]:
        products = list(symbols)
        channels = {"heartbeats": [], "market_trades": products, **({"level2": products} if depth else {})}
        parse = MarketMessages(symbols, intervals, self.reader)
        return streams.read_events(self._socket(user=False), channels, parse, self.reader)

    def user_stream(self) -> AsyncGenerator[UserEvent, None]:
        socket, parse = self._socket(user=True), streams.Orders(self.reader)
        return streams.read_events(socket, {"heartbeats": [], "user": []}, parse, self.reader)

    def _socket(self, *, user: bool) -> CoinbaseSocket:
        return CoinbaseSocket(self._endpoint, self._open_rest().signer, user=user)

    async def _products(self, symbols: Sequence[str]) -> object:
        """Their rows, and maybe those of others."""
        params = {"product_type": "SPOT"} | ({"product_ids": list(symbols)} if symbols else {})
        answer = await self._ask(lambda rest: rest.get(f"{self._public}products", params=dict(params), public=bool(self._public)))
        return answer["products"]

    async def _find_order(self, venue_order_id: str) -> Report:
        async def request(rest: CoinbaseRest) -> Json:
            return dict((await rest.get(f"orders/historical/{venue_order_id}"))["order"])

        return await self._with_fills(await self._ask(request, urgent=True))

    async def _with_fills(self, data: Json) -> Report:
        report = frames.parse_order(data)
        if not report.filled:
            return report
        fills = await self._fills({"order_ids": [report.venue_order_id]}, report.symbol)
        return replace(report, executions=tuple(execution for order, execution in fills if order == report.venue_order_id))

    async def _fills(self, params: Json, symbol: str) -> list[tuple[str, Execution]]:
        rows = await self._pages("orders/historical/fills", "fills", params, urgent=True)
        parse = partial(frames.parse_fill, symbol=symbol)
        found = self.reader.read_list("fill", rows[::-1], parse)
        # Of two rows of one trade, that which says its side.
        found.sort(key=lambda each: each[1].side is not None)
        fills = {(each[0], each[1].trade_id): each for each in found}
        return sorted(fills.values(), key=lambda each: each[1].time)

    async def _pages(self, path: str, key: str, params: Json, *, urgent: bool = False) -> list[Any]:
        return [row async for rows in self._walk_pages(path, key, params, urgent=urgent) for row in rows]

    async def _walk_pages(self, path: str, key: str, params: Json, *, urgent: bool) -> AsyncGenerator[list[Any], None]:
        """The rows of each page. A list whose pages lead no further is given up, instead of being asked for without end."""
        cursors, before = {""}, None
        cursor = ""
        while len(cursors) <= MOST_PAGES:
            answer = await self._ask(self._page(path, params, cursor), urgent=urgent)
            rows = answer[key]
            if not isinstance(rows, list) or (rows and rows == before):
                raise Malformed(f"{key}: no list, or the same page again")
            yield rows
            if not (cursor := _next_cursor(answer)):
                return
            if cursor in cursors:
                break
            cursors.add(cursor)
            before = rows
        raise Malformed(f"{key}: the pages have no end")

    def _page(self, path: str, params: Json, cursor: str) -> Callable[[CoinbaseRest], Awaitable[Json]]:
        async def request(rest: CoinbaseRest) -> Json:
            return await rest.get(path, params={"limit": PAGE, **params} | ({"cursor": cursor} if cursor else {}))

        return request

    async def _ask(self, request: Callable[[CoinbaseRest], Awaitable[T]], *, urgent: bool = False) -> T:
        """A question may be repeated. If the token was refused, the clock may be off, or the venue has erred, as it does now and
        then: it is asked once more, by the venue's clock as it is now."""
        rest = self._open_rest()
        try:
            return await self._guard.run(lambda: request(rest), COST, urgent=urgent)
        except Unauthorised as refusal:
            if refusal.code != UNSIGNED:
                raise
        await self.clock_offset()
        return await self._guard.run(lambda: request(rest), COST, urgent=urgent)

    async def _act(self, request: Callable[[CoinbaseRest], Awaitable[T]]) -> T:
        """A key whose token was refused is taken for bad only where a question with it is refused, too."""
        rest = self._open_rest()
        try:
            return await self._guard.run(lambda: request(rest), COST, acts=True)
        except Unauthorised as refusal:
            if refusal.code != UNSIGNED:
                raise
        await self._ask(lambda rest: rest.get("key_permissions"), urgent=True)
        raise Retryable("Coinbase refused the token of a key that it takes: our clock was off, or it erred.", code="clock")

    @property
    def _public(self) -> str:
        """Without a key, the same answers are found under another path."""
        return "" if self._endpoint.api_key else "market/"

    def _open_rest(self) -> CoinbaseRest:
        if self._rest is None:
            raise Retryable("Coinbase is not connected.", code="network")
        return self._rest

    def _now(self) -> datetime:
        """The time by the venue's clock."""
        return datetime.now(UTC) + timedelta(seconds=self._offset)

    async def _on_headers(self, headers: Mapping[str, str]) -> None:
        limit, left = headers.get("x-ratelimit-limit", ""), headers.get("x-ratelimit-remaining", "")
        if limit.isdecimal() and left.isdecimal():
            await self._guard.budget.observe("requests", int(limit) - int(left), int(limit), date=headers.get("Date", ""))


def list_twins(symbol: str) -> list[str]:
    """The product, and the one in whose book it is traded: the venue may list an order under either."""
    return list(dict.fromkeys((symbol, frames.name_book(symbol))))


def _next_cursor(answer: Json) -> str:
    """The cursor of the next page; empty after the last one."""
    more = answer.get("has_next")
    return str(answer.get("cursor") or "") if more is None or parse_flag(more) else ""


def _accepted_report(order: OrderRequest, answer: Json, now: datetime) -> Report:
    """The report of a new order, of which the venue says only that it took it."""
    return Report(
        venue=frames.VENUE,
        symbol=order.symbol,
        client_order_id=order.client_order_id,
        venue_order_id=parse_text(answer["order_id"]),
        status="accepted",
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        filled=parse_number("0"),
        time=now,
        limit=order.limit,
        stop=order.stop,
    )
