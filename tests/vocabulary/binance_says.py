"""How Binance's sandbox says a word of each list, and what the desk makes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.times import from_ms
from market.exchanges.base import Alive, Balances, Candle, Depth, Refused, Report, Retryable, Tick
from market.exchanges.movements import Movement
from market.exchanges.reading import keep_read
from tests.market.exchanges.venues import START
from tests.vocabulary.stage import Stage, list_sent

MARGIN = {"BTC": "-0.001"}
Teller = Callable[[Stage, str], Awaitable[str]]
FILTERS: dict[str, dict[str, Any]] = {
    "PRICE_FILTER": {"minPrice": "7", "maxPrice": "9", "tickSize": "0.5"},
    "PERCENT_PRICE": {"multiplierUp": "7", "multiplierDown": "0.7", "avgPriceMins": 5},
    "PERCENT_PRICE_BY_SIDE": {
        "bidMultiplierUp": "7",
        "bidMultiplierDown": "0.7",
        "askMultiplierUp": "7",
        "askMultiplierDown": "0.7",
    },
    "LOT_SIZE": {"minQty": "7", "maxQty": "9", "stepSize": "0.5"},
    "MARKET_LOT_SIZE": {"minQty": "7", "maxQty": "9", "stepSize": "0.5"},
    "MIN_NOTIONAL": {"minNotional": "7", "applyToMarket": True},
    "NOTIONAL": {"minNotional": "7", "maxNotional": "9"},
    "MAX_POSITION": {"maxPosition": "7"},
    "MAX_NUM_ORDERS": {"maxNumOrders": 7},
    "MAX_NUM_ALGO_ORDERS": {"maxNumAlgoOrders": 7},
}
OTHER_FILTER = {"limit": 7, "asset": "BTC", "maxNumOrders": 7, "maxNumIcebergOrders": 7, "minTrailingAboveDelta": 7}
EVENTS: dict[str, dict[str, Any]] = {
    "outboundAccountPosition": {"u": START, "B": [{"a": "BTC", "f": "1", "l": "0"}]},
    "balanceUpdate": {"a": "BTC", "d": "1", "T": START},
    "listStatus": {"s": "BTCUSDT", "c": "OCO", "l": "EXEC_STARTED", "L": "EXECUTING", "r": "NONE", "O": []},
}
BEST = Decimal(5)
STREAMS: dict[str, dict[str, Any]] = {
    "bookTicker": {"u": 1, "s": "BTCUSDT", "b": "5", "B": "1", "a": "6", "A": "1"},
    "depth": {"e": "depthUpdate", "s": "BTCUSDT", "U": 1, "u": 2, "b": [["5", "1"]], "a": []},
}


def at_order(field: str, read: Callable[[Report], str]) -> Teller:
    """By REST, of an order that rests."""

    async def tell(stage: Stage, word: str) -> str:
        await stage.keep_resting()
        try:
            return read(await stage.hear(lambda: stage.exchange.order(stage.symbol, stage.resting), "order", {field: word}))
        except Retryable as problem:
            return "not read" if problem.code == "unreadable" else problem.code

    return tell


def at_event(field: str, read: Callable[[Report], str]) -> Teller:
    """On the user stream, of an order that is placed."""

    async def tell(stage: Stage, word: str) -> str:
        first = (await stage.overhear_orders({f"event.{field}": word}))[0]
        others = isinstance(first, Report) and not first.venue_order_id
        return "not read" if others else read(first)

    return tell


def in_order(field: str) -> Teller:
    """Beside what is read of an order."""

    async def tell(stage: Stage, word: str) -> str:
        await stage.keep_resting()
        return await stage.hear_same(lambda: stage.exchange.order(stage.symbol, stage.resting), "order", {field: word})

    return tell


def in_symbol(changes: Callable[[str], dict[str, Any]]) -> Teller:
    async def tell(stage: Stage, word: str) -> str:
        return await stage.hear_same(lambda: stage.exchange.instruments([stage.symbol]), "exchangeInfo", changes(word))

    return tell


async def tell_symbol_status(stage: Stage, word: str) -> str:
    ask = stage.exchange.instruments
    (found,) = await stage.hear(lambda: ask([stage.symbol]), "exchangeInfo", {"symbols.*.status": word})
    return "trades" if found.trading else "halted"


async def tell_symbol_types(stage: Stage, word: str) -> str:
    ask = stage.exchange.instruments
    (found,) = await stage.hear(lambda: ask([stage.symbol]), "exchangeInfo", {"symbols.*.orderTypes": [word]})
    return found.order_types[0] if found.order_types else "other"


async def tell_filter(stage: Stage, word: str) -> str:
    """A rule changes what is known of a symbol; and a refusal by any filter is named after it."""
    stage.script("answer", path="*/order", status=400, body={"code": -1013, "msg": f"Filter failure: {word}"})
    with pytest.raises(Refused) as refusal:
        await stage.exchange.place(stage.resting_order(stage.name_order()))
    assert (refusal.value.code, refusal.value.kind) == (word, "lasting")
    ask = stage.exchange.instruments
    without = await stage.hear(lambda: ask([stage.symbol]), "exchangeInfo", {"symbols.*.filters": []})
    rule = {"filterType": word, **FILTERS.get(word, OTHER_FILTER)}
    told = await stage.hear(lambda: ask([stage.symbol]), "exchangeInfo", {"symbols.*.filters": [rule], "exchangeFilters": [rule]})
    return "unread" if told == without else "rule"


async def tell_rate_limit(stage: Stage, word: str) -> str:
    return await _tell_limits(stage, [(word, "MINUTE", 1), (word, "SECOND", 10)])


async def tell_limit_interval(stage: Stage, word: str) -> str:
    return await _tell_limits(stage, [("REQUEST_WEIGHT", word, 1), ("ORDERS", word, 10)])


async def _tell_limits(stage: Stage, limits: list[tuple[str, str, int]]) -> str:
    stage.budget.told = ()
    rows = [{"rateLimitType": kind, "interval": unit, "intervalNum": number, "limit": 7} for kind, unit, number in limits]
    await stage.hear(stage.exchange.instruments, "exchangeInfo", {"rateLimits": rows})
    return "kept" if stage.budget.told else "unread"


async def tell_interval(stage: Stage, word: str) -> str:
    """A frame of it is a candle, and it can be asked for by REST; or neither, if the desk does not make it of others."""
    begin = from_ms(START) - timedelta(minutes=5)
    heard = _hears_candle(await stage.overhear("*@kline_1m", {"data.k.i": word}), word)
    try:
        await stage.exchange.candles(stage.symbol, word, begin, begin + timedelta(minutes=5))
    except Refused as refusal:
        return "unsent" if refusal.kind == "ours" and not heard else refusal.kind
    return "candle" if heard else "unsent"


def _hears_candle(heard: list[Any], interval: str) -> bool:
    return any(isinstance(event, Candle) and event.interval == interval for event in heard)


async def tell_market_event(stage: Stage, word: str) -> str:
    if word == "kline":
        return name_heard(await stage.overhear("*@kline_1m", {"data.e": word}), Candle)
    return name_heard(await stage.overhear("*@aggTrade", {"data.e": word}), Tick)


async def tell_market_stream(stage: Stage, word: str) -> str:
    name = word if word.startswith("!") else f"btcusdt@{word}{'_1m' if word == 'kline' else ''}"
    if word in ("aggTrade", "trade"):
        return name_heard(await stage.overhear("*@aggTrade", {"stream": name, "data.e": word}), Tick)
    if word == "kline":
        return name_heard(await stage.overhear("*@kline_1m", {"stream": name}), Candle)
    changes: dict[str, Any] = {"data": STREAMS.get(word, {"e": word.removeprefix("!"), "s": "BTCUSDT"})}
    if word.startswith("depth") and word not in STREAMS:
        changes = {"data.bids": [["5", "1"]]}
    return name_heard(await stage.overhear("*@depth20", {"stream": name, **changes}), Depth)


def name_heard(heard: list[Any], kind: type) -> str:
    """What came of the frame, which may be of this kind. The first is the price of the trade that made it."""
    if heard[0] is Alive:
        return "end"
    if kind is Candle:
        return "candle" if any(isinstance(event, Candle) for event in heard) else "unread"
    if kind is Depth:
        return "depth" if any(isinstance(event, Depth) and event.bids[0][0] == BEST for event in heard) else "unread"
    return "tick" if any(isinstance(event, Tick) and event.price == heard[0] for event in heard) else "unread"


async def tell_user_event(stage: Stage, word: str) -> str:
    before = stage.exchange.skipped_frames
    event = {"e": word, **EVENTS.get(word, {})}
    changes: dict[str, Any] = {"event.e": word} if word == "executionReport" else {"event": event}
    heard = await stage.overhear_orders(changes)
    if heard[0] is Alive:
        return "end"
    if stage.exchange.skipped_frames > before:
        return "not read"
    if isinstance(heard[0], Balances) and [one.free for one in heard[0].balances] == [Decimal(1)]:
        return "balances"
    reports = [event for event in heard if isinstance(event, Report)]
    return "report" if len({report.client_order_id for report in reports}) > 1 else "unread"


def in_event(field: str) -> Teller:
    """Beside what is told of a list of orders."""

    async def tell(stage: Stage, word: str) -> str:
        EVENTS["listStatus"][field] = word
        return await tell_user_event(stage, "listStatus")

    return tell


async def tell_execution_type(stage: Stage, word: str) -> str:
    """Of an order that is filled at once: the venue tells that it took it, and then the trade."""
    async with stage.hear_user({"event.x": word}, **{"for": 1000}) as events:
        await stage.place_filled()
        async for event in events:
            if isinstance(event, Report) and event.status == "filled":
                return "execution" if event.executions else "report"
    raise AssertionError("no report of the trade")


def tell_reason(report: Report) -> str:
    return "told" if report.reason else "nothing"


async def tell_permission(stage: Stage, word: str) -> str:
    symbols = {"symbols.*.permissions": [word], "symbols.*.permissionSets": [[word]]}
    of_symbol = await in_symbol(lambda _: symbols)(stage, word)
    assert of_symbol == await stage.hear_same(stage.exchange.balances, "account", {"permissions": [word]})
    return of_symbol


async def tell_account_type(stage: Stage, word: str) -> str:
    return await stage.hear_same(stage.exchange.balances, "account", {"accountType": word})


async def tell_time_in_force(stage: Stage, word: str) -> str:
    """The word that is sent for each of ours, or that it changes nothing in an answer."""
    told = await in_order("timeInForce")(stage, word)
    return word.lower() if word in list_sent("binance")["timeInForce"] else told


async def tell_code(stage: Stage, word: str) -> str:
    return await _tell_error(stage, {"code": int(word) if word != "UNHEARD_OF" else -9999, "msg": "no"})


async def tell_text(stage: Stage, word: str) -> str:
    return await _tell_error(stage, {"code": -2010, "msg": word})


async def _tell_error(stage: Stage, body: Any, status: int = 400) -> str:
    """Of a new order. The venue has one of its name already."""
    await stage.keep_resting()
    return await stage.refuse(lambda: stage.exchange.place(stage.resting_order(stage.resting)), "order", body, status)


async def tell_status(stage: Stage, word: str) -> str:
    return await _tell_error(stage, "<html>no</html>", int(word))


async def tell_socket_code(stage: Stage, word: str) -> str:
    code = int(word) if word != "UNHEARD_OF" else 99
    stage.script("say", stream="answer", set={"error": {"code": code, "msg": "no"}})
    with suppress(Retryable):
        async for _ in stage.exchange.market_stream([stage.symbol], []):
            return "alive"
    return "end"


def at_movement(listed: str, path: str, place: str, read: Callable[[Movement], str], kind: Any, legs: dict[str, str]) -> Teller:
    """In a list of movements, of one that was planted."""

    async def tell(stage: Stage, word: str) -> str:
        stage.plant_movement(kind, legs)
        page = await stage.hear(lambda: stage.exchange.movements(listed, stage.yesterday()), path, {place: word})
        (told,) = {read(row) for row in keep_read(page.rows)}
        return told

    return tell


def tell_way(row: Movement) -> str:
    return "elsewhere" if row.kind == "other" else "out" if row.legs[0].amount < 0 else "in"


TELLERS: dict[str, tuple[Teller, ...]] = {
    "order status": (at_order("status", lambda report: report.status), at_event("X", lambda report: report.status)),
    "order type": (
        at_order("type", lambda report: report.type),
        at_event("o", lambda report: report.type),
        tell_symbol_types,
    ),
    "side": (at_order("side", lambda report: report.side),),
    "time in force": (tell_time_in_force,),
    "execution type": (tell_execution_type,),
    "reject reason": (at_event("r", tell_reason),),
    "expiry reason": (at_order("expiryReason", tell_reason), at_event("eR", tell_reason)),
    "symbol status": (tell_symbol_status,),
    "filter": (tell_filter,),
    "permission": (tell_permission,),
    "rate limit": (tell_rate_limit,),
    "rate limit interval": (tell_limit_interval,),
    "candle interval": (tell_interval,),
    "market event": (tell_market_event,),
    "market stream": (tell_market_stream,),
    "user event": (tell_user_event,),
    "self-trade prevention": (
        in_order("selfTradePreventionMode"),
        in_symbol(lambda word: {"symbols.*.defaultSelfTradePreventionMode": word}),
    ),
    "working floor": (in_order("workingFloor"),),
    "pegged price": (in_order("pegPriceType"),),
    "pegged offset": (in_order("pegOffsetType"),),
    "contingency": (in_event("c"),),
    "list status": (in_event("l"),),
    "list order status": (in_event("L"),),
    "account type": (tell_account_type,),
    "error code": (tell_code,),
    "error text": (tell_text,),
    "socket error code": (tell_socket_code,),
    "HTTP status": (tell_status,),
    "deposit status": (at_movement("deposits", "deposit/hisrec", "*.status", lambda row: row.state, "deposit", {"BTC": "1"}),),
    "withdrawal status": (
        at_movement("withdrawals", "withdraw/history", "*.status", lambda row: row.state, "withdrawal", {"BTC": "-0.001"}),
    ),
    "conversion status": (
        at_movement(
            "conversions", "tradeFlow", "list.*.orderStatus", lambda row: row.state, "conversion", {"BTC": "-0.01", "ETH": "1"}
        ),
    ),
    "transfer status": (at_movement("transfers", "asset/transfer", "rows.*.status", lambda row: row.state, "transfer", MARGIN),),
    "wallet of a movement": (
        at_movement("deposits", "deposit/hisrec", "*.walletType", lambda row: row.elsewhere or "spot", "deposit", {"BTC": "1"}),
    ),
    "transfer": (at_movement("transfers", "asset/transfer", "rows.*.type", tell_way, "transfer", MARGIN),),
    "rebate": (at_movement("rebates", "taxQuery", "data.data.*.type", lambda row: row.kind, "rebate", {"BTC": "1"}),),
}
