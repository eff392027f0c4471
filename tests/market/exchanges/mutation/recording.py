"""What the sandbox answers each method of the port, and what its streams say, taken at the edge of the client libraries."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import requests

from core.times import from_ms
from market.exchanges.base import Exchange, OrderRequest
from market.exchanges.binance import streams as binance_streams
from market.exchanges.binance.client import BinanceClient, UserSocket
from market.exchanges.coinbase import streams as coinbase_streams
from market.exchanges.coinbase.client import CoinbaseSession
from market.sandbox.elsewhere import PLACES
from market.sandbox.movements import MovementLeg, MovementTicket
from tests.market.exchanges.venues import OTHERS, START, SYMBOLS, Desk, Venue, limit, market

API = re.compile(r"/(?:api/v3/brokerage/|api/v3/|sapi/v1/|(?=v2/))(.+)")
Answers = dict[str, list[Any]]
"""By method and the end of the path."""
METHODS = (
    "clock_offset",
    "instruments",
    "tickers",
    "candles",
    "depth",
    "balances",
    "elsewhere",
    "fee_tier",
    "permissions",
    "place",
    "fill",
    "order",
    "find",
    "open_orders",
    "fills",
    "movements",
    "cancel",
)
LISTS = ("instruments", "tickers", "candles", "balances", "elsewhere", "open_orders", "fills", "movements")
"""Methods whose answers are lists, so that one row must not cost another."""


@dataclass
class Recording:
    """`calls` has the answers of each of METHODS, `frames` what a stream said."""

    venue: Venue
    calls: dict[str, Answers] = field(default_factory=dict)
    frames: dict[str, list[Any]] = field(default_factory=dict)


async def call_method(exchange: Exchange, name: str, resting: str = "") -> Any:
    """One of METHODS, the same each time. `resting`: the venue's id of the order that rests."""
    venue: Any = exchange.venue
    symbol = SYMBOLS[venue]
    begin: datetime = from_ms(START) - timedelta(minutes=3)
    calls: dict[str, Any] = {
        "tickers": lambda: exchange.tickers([symbol, OTHERS[venue]]),
        "candles": lambda: exchange.candles(symbol, "1m", begin, begin + timedelta(minutes=3)),
        "depth": lambda: exchange.depth(symbol),
        "fee_tier": lambda: exchange.fee_tier(symbol),
        "place": lambda: exchange.place(limit(venue, "m-1")),
        "fill": lambda: exchange.place(market(venue, "m-2", "0.5")),
        "order": lambda: exchange.order(symbol, "m-2"),
        "find": lambda: exchange.order(symbol, "m-1", resting),
        "fills": lambda: exchange.fills(symbol, begin),
        "movements": lambda: list_movements(exchange, begin),
        "cancel": lambda: exchange.cancel(symbol, "m-1", resting),
    }
    return await calls.get(name, getattr(exchange, name, lambda: None))()


async def list_movements(exchange: Exchange, since: datetime) -> list[Any]:
    """Of all lists."""
    return [row for name in exchange.movement_lists for row in (await exchange.movements(name, since)).rows]


def plant_movements(desk: Desk, venue: Venue) -> None:
    """One of each kind, and deposits of two assets."""
    legs: dict[str, dict[str, str]] = {
        "deposit": {"BTC": "0.25"},
        "withdrawal": {"BTC": "-0.125"},
        "conversion": {"BTC": "-0.1", "ETH": "2"},
        "dust": {"SOL": "-0.01", "BNB": "0.003"},
        "transfer": {"ETH": "-0.5"},
        "reward": {"SOL": "0.1"},
        "rebate": {"SOL": "0.01"},
    }
    chain = {"network": "BTC", "address": "bc1qexample", "txid": "ab" * 32}
    exchange, account = desk.sandbox.exchange(venue), desk.sandbox.key(venue)
    for kind, each in [("deposit", {"ETH": "0.5"}), *legs.items()]:
        ticket = MovementTicket(kind, tuple(MovementLeg(asset, Decimal(amount)) for asset, amount in each.items()), **chain)  # type: ignore[arg-type]
        desk.sandbox.do(lambda ticket=ticket: exchange.move(account, ticket))  # type: ignore[misc]


def spy_on_answers(patch: pytest.MonkeyPatch, into: Answers) -> None:
    def note(method: str, url: str, body: Any) -> None:
        if found := API.search(urlsplit(url).path):
            into.setdefault(f"{method} {found[1]}", []).append(body)

    handle, init = BinanceClient._handle_response, CoinbaseSession.__init__

    async def handle_response(client: BinanceClient, response: aiohttp.ClientResponse) -> Any:
        answer = await handle(client, response)
        note(response.method, str(response.url), answer)
        return answer

    def keep(response: requests.Response, **_: Any) -> None:
        note(str(response.request.method), str(response.url), response.json())

    def begin(session: CoinbaseSession, *given: Any) -> None:
        init(session, *given)
        session.session.hooks["response"].append(keep)

    patch.setattr(BinanceClient, "_handle_response", handle_response)
    patch.setattr(CoinbaseSession, "__init__", begin)


def spy_on_frames(patch: pytest.MonkeyPatch, into: list[Any]) -> None:
    async def next_event(socket: UserSocket) -> Any:
        event = await listen(socket)
        into.append(event)
        return event

    listen = UserSocket.next_event
    patch.setattr(UserSocket, "next_event", next_event)
    for module, name in ((binance_streams, "_parse_frame"), (coinbase_streams, "_parse_message")):
        parse = getattr(module, name)

        def keep(text: str | bytes, parse: Any = parse) -> Any:
            into.append(json.loads(text))
            return parse(text)

        patch.setattr(module, name, keep)


def plant_elsewhere(desk: Desk, venue: Venue) -> None:
    """Something in each place of the venue where no order can use it."""
    (account,) = desk.sandbox.exchange(venue).accounts.values()
    for place in PLACES[venue]:
        account.elsewhere |= {(place, "BTC"): Decimal("0.25"), (place, "ETH"): Decimal(3)}


async def record_calls(desk: Desk, venue: Venue) -> Recording:
    """Answers in the order of METHODS: an order that rests, and one that is filled."""
    recording, resting = Recording(venue), ""
    plant_elsewhere(desk, venue)
    with pytest.MonkeyPatch.context() as patch:
        answers: Answers = {}
        spy_on_answers(patch, answers)
        exchange = await desk.connect(venue)
        plant_movements(desk, venue)
        for name in METHODS:
            answers.clear()
            result = await call_method(exchange, name, resting)
            resting = result.venue_order_id if name == "place" else resting
            recording.calls[name] = json.loads(json.dumps(answers))
    return recording


async def record_frames(desk: Desk, recording: Recording) -> None:
    venue = recording.venue
    exchange = await desk.connect(venue)
    for name in ("market_stream", "user_stream"):
        frames: list[Any] = recording.frames.setdefault(name, [])
        with pytest.MonkeyPatch.context() as patch:
            spy_on_frames(patch, frames)
            stream = (
                exchange.market_stream([SYMBOLS[venue]], ["1m"], depth=True) if name == "market_stream" else exchange.user_stream()
            )
            async with asyncio.timeout(30), aclosing(stream) as events:
                kinds: set[str] = set()
                async for event in events:
                    kinds.add(event.kind)
                    if event.kind == "alive" and len(kinds) == 1:
                        await _stir(desk, exchange, venue, name)
                    if len(kinds) > (2 if name == "market_stream" else 1) and len(frames) > 7:
                        break


async def _stir(desk: Desk, exchange: Exchange, venue: Venue, name: str) -> None:
    """Makes the venue say something on the stream."""
    if name == "market_stream":
        for number in range(4):
            desk.trade(venue, str(65_000 + number), seconds=1)
        return
    for number in range(3):
        order: OrderRequest = market(venue, f"stir-{number}")
        await exchange.place(order)
