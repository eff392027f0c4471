"""How Coinbase's sandbox says a word of each list, and what the desk makes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from core.times import from_ms
from market.exchanges.base import Alive, Depth, Report, Retryable, Tick
from market.exchanges.coinbase.adapter import GRANULARITIES
from market.exchanges.movements import Movement
from market.exchanges.reading import keep_read
from tests.market.exchanges.venues import START
from tests.vocabulary.stage import Stage, list_sent, listen

Teller = Callable[[Stage, str], Awaitable[str]]
LEVEL = {"price_level": "5", "new_quantity": "3", "event_time": "2026-09-21T13:33:20Z"}


def at_order(field: str, read: Callable[[Report], str]) -> Teller:
    """By REST, of an order that rests."""

    async def tell(stage: Stage, word: str) -> str:
        order = await stage.keep_resting()
        ask = stage.exchange.order
        try:
            return read(await stage.hear(lambda: ask(stage.symbol, "", order), f"historical/{order}", {f"order.{field}": word}))
        except Retryable as problem:
            return "not read" if problem.code == "unreadable" else problem.code

    return tell


def at_message(field: str, read: Callable[[Report], str], spell: Callable[[str], str] = str) -> Teller:
    """In the channel `user`, of an order that is placed."""

    async def tell(stage: Stage, word: str) -> str:
        async with listen(stage.exchange.user_stream()) as events:
            stage.script("say", stream="user", set={f"events.*.orders.*.{field}": spell(word)}, **{"for": 1000})
            client, order = await stage.place_resting()
            await stage.exchange.cancel(stage.symbol, client, order)
            async for event in events:
                if isinstance(event, Report) and event.client_order_id == client:
                    return read(event)
        raise AssertionError("no report of the order")

    return tell


def in_order(field: str) -> Teller:
    """Beside what is read of an order."""

    async def tell(stage: Stage, word: str) -> str:
        order = await stage.keep_resting()
        ask = stage.exchange.order
        return await stage.hear_same(lambda: ask(stage.symbol, "", order), f"historical/{order}", {f"order.{field}": word})

    return tell


def in_product(field: str) -> Teller:
    async def tell(stage: Stage, word: str) -> str:
        changes = {f"products.*.{field.partition('.')[0]}": {field.partition(".")[2]: word} if "." in field else word}
        return await stage.hear_same(lambda: stage.exchange.instruments([stage.symbol]), "products", changes)

    return tell


def in_account(field: str) -> Teller:
    """Where the money of all accounts is said to be."""

    async def tell(stage: Stage, word: str) -> str:
        changes = {f"accounts.*.{field}": word}
        if await stage.hear(stage.exchange.balances, "accounts", changes):
            return "spot"
        return str((await stage.hear(stage.exchange.elsewhere, "accounts", changes))[0].place)

    return tell


async def tell_portfolio(stage: Stage, word: str) -> str:
    return await stage.hear_same(stage.exchange.permissions, "key_permissions", {"portfolio_type": word})


async def tell_configuration(stage: Stage, word: str) -> str:
    """The size inside of a form of any name is read."""
    form = {word: {"base_size": "0.7", "limit_price": "5"}}
    order = await stage.keep_resting()
    ask = stage.exchange.order
    report = await stage.hear(lambda: ask(stage.symbol, "", order), f"historical/{order}", {"order.order_configuration": form})
    if (report.quantity, report.limit) != (Decimal("0.7"), Decimal(5)):
        return "not read"
    return "sent" if word in list_sent("coinbase")["order_configuration"] else "read"


async def tell_trade_type(stage: Stage, word: str) -> str:
    await stage.keep_filled()
    begin = from_ms(START) - timedelta(minutes=1)
    fills = await stage.hear(lambda: stage.exchange.fills(stage.symbol, begin), "fills", {"fills.*.trade_type": word})
    return "execution" if fills else "not read"


async def tell_liquidity(stage: Stage, word: str) -> str:
    await stage.keep_filled()
    begin = from_ms(START) - timedelta(minutes=1)
    fills = await stage.hear(lambda: stage.exchange.fills(stage.symbol, begin), "fills", {"fills.*.liquidity_indicator": word})
    return "maker" if fills[0][1].maker else "taker"


async def tell_product_status(stage: Stage, word: str) -> str:
    ask = stage.exchange.instruments
    (found,) = await stage.hear(lambda: ask([stage.symbol]), "products", {"products.*.status": word})
    return "trades" if found.trading else "halted"


async def tell_product_flag(stage: Stage, word: str) -> str:
    ask = stage.exchange.instruments
    (found,) = await stage.hear(lambda: ask([stage.symbol]), "products", {f"products.*.{word}": True})
    if not found.trading:
        return "halted"
    return {("limit",): "resting only", ("limit", "stop_limit"): "limits only"}.get(found.order_types, "not read")


async def tell_granularity(stage: Stage, word: str) -> str:
    interval = next((ours for ours, theirs in GRANULARITIES.items() if theirs == word), "")
    begin = from_ms(START) - timedelta(minutes=5)
    if not interval:
        return "unsent"
    return "candle" if isinstance(await stage.exchange.candles(stage.symbol, interval, begin, begin), list) else "none"


async def tell_channel(stage: Stage, word: str) -> str:
    if word == "user":
        return await at_message("status", lambda report: "report")(stage, "OPEN")
    if word in ("heartbeats", "subscriptions"):
        return await _tell_beat(stage, word)
    heard = await stage.overhear("l2_data" if word == "l2_data" else "market_trades", {"channel": word})
    if word == "l2_data":
        return "depth" if any(isinstance(event, Depth) for event in heard) else "unread"
    return "tick" if any(isinstance(event, Tick) and event.price == heard[0] for event in heard) else "unread"


async def _tell_beat(stage: Stage, word: str) -> str:
    """The stream stands once both subscriptions are confirmed, and each heartbeat says that it does."""
    count = 0
    stage.desk.sandbox.mend()
    async for event in stage.exchange.market_stream([stage.symbol], []):
        count += isinstance(event, Alive)
        if word == "subscriptions":
            return "confirmation"
        if count == 2:
            return "alive"
    raise AssertionError("no heartbeat")


async def tell_event_type(stage: Stage, word: str) -> str:
    """Of a message with two trades, all are news, or the last one."""
    async with listen(stage.exchange.market_stream([stage.symbol], [])) as events:
        stage.script("say", stream="market_trades", set={"events.*.type": word})
        first, second = stage.trade_twice()
        async for event in events:
            if isinstance(event, Tick) and event.price in (first, second):
                return "update" if event.price == first else "snapshot"
    raise AssertionError("no tick")


async def tell_book_side(stage: Stage, word: str) -> str:
    """Of a book with one bid, and one level more."""
    stage.desk.sandbox.mend()
    levels = [{"side": "bid", **LEVEL, "price_level": "4"}, {"side": word, **LEVEL}]
    async with listen(stage.exchange.market_stream([stage.symbol], [], depth=True)) as events:
        message = {"type": "snapshot", "product_id": stage.symbol, "updates": levels}
        stage.script("say", stream="l2_data", set={"events": [message]}, **{"for": 60_000})
        stage.trade()
        async for event in events:
            if isinstance(event, Depth) and len(event.bids) + len(event.asks) < 3:
                return "buy" if len(event.bids) > 1 else "sell" if event.asks else "not read"
    raise AssertionError("no depth")


def at_placement(field: str) -> Teller:
    """As the reason why an order was refused. The venue has one of its name already."""

    async def tell(stage: Stage, word: str) -> str:
        return await _place_refused(stage, {"success": False, "error_response": {field: word, "message": "no"}}, 200)

    return tell


async def tell_status(stage: Stage, word: str) -> str:
    return await _place_refused(stage, {"error": "ODD", "message": "no"}, int(word))


async def _place_refused(stage: Stage, body: Any, status: int) -> str:
    await stage.keep_resting()
    return await stage.refuse(lambda: stage.exchange.place(stage.resting_order(stage.resting)), "orders", body, status)


async def tell_cancellation(stage: Stage, word: str) -> str:
    order = await stage.keep_resting()
    body = {"results": [{"success": False, "failure_reason": word, "order_id": order}]}
    return await stage.refuse(lambda: stage.exchange.cancel(stage.symbol, "", order), "batch_cancel", body, 200)


async def tell_http_error(stage: Stage, word: str) -> str:
    stage.script("answer", path="*/accounts", status=400, body={"error": word})
    try:
        await stage.exchange.balances()
    except Exception as error:
        return "told" if word in str(error) else str(error)
    return "nothing"


def tell_reason(report: Report) -> str:
    return "told" if report.reason else "nothing"


def spell_type(word: str) -> str:
    return word.replace("_", " ").title()


async def tell_transaction(stage: Stage, word: str) -> str:
    """Of a row that is a gain and one that is a loss."""
    kinds = {row.kind for row in await hear_transactions(stage, {"data.*.type": word})}
    return "sent" if kinds == {"deposit", "withdrawal"} else kinds.pop() if kinds else "fill"


async def tell_transaction_status(stage: Stage, word: str) -> str:
    (state,) = {row.state for row in await hear_transactions(stage, {"data.*.status": word})}
    return str(state)


async def hear_transactions(stage: Stage, changes: dict[str, Any]) -> list[Movement]:
    """Of the first account that is asked."""
    if not stage.planted:
        stage.plant_movement("deposit", {"BTC": "1"})
        stage.plant_movement("withdrawal", {"BTC": "-1"})
    page = await stage.hear(lambda: stage.exchange.movements("transactions", stage.yesterday()), "transactions", changes)
    return keep_read(page.rows)


TELLERS: dict[str, tuple[Teller, ...]] = {
    "order status": (at_order("status", lambda report: report.status), at_message("status", lambda report: report.status)),
    "order type": (
        at_order("order_type", lambda report: report.type),
        at_message("order_type", lambda report: report.type, spell_type),
    ),
    "side": (at_order("side", lambda report: report.side),),
    "order configuration": (tell_configuration,),
    "reject reason": (at_order("reject_reason", tell_reason), at_message("reject_reason", tell_reason)),
    "trade type": (tell_trade_type,),
    "liquidity indicator": (tell_liquidity,),
    "product status": (tell_product_status,),
    "product flag": (tell_product_flag,),
    "granularity": (tell_granularity,),
    "channel": (tell_channel,),
    "event type": (tell_event_type,),
    "side of the book": (tell_book_side,),
    "time in force": (in_order("time_in_force"),),
    "trigger status": (in_order("trigger_status"),),
    "product type": (in_order("product_type"), in_product("product_type")),
    "contract expiry": (in_order("contract_expiry_type"),),
    "product venue": (in_product("product_venue"),),
    "risk manager": (in_order("risk_managed_by"),),
    "session state": (in_product("fcm_trading_session_details.session_state"),),
    "session closed for": (in_product("fcm_trading_session_details.closed_reason"),),
    "placement source": (in_order("order_placement_source"),),
    "margin": (in_order("margin_type"),),
    "cost basis": (in_order("cost_basis_method"),),
    "equity session": (in_order("equity_trading_session"),),
    "displayed order": (in_order("displayed_order_config"),),
    "transaction": (tell_transaction,),
    "transaction status": (tell_transaction_status,),
    "account type": (in_account("type"),),
    "account platform": (in_account("platform"),),
    "portfolio type": (tell_portfolio,),
    "new order failure reason": (at_placement("new_order_failure_reason"), at_placement("error")),
    "preview failure reason": (at_placement("preview_failure_reason"),),
    "cancel failure reason": (tell_cancellation,),
    "HTTP status": (tell_status,),
    "HTTP error": (tell_http_error,),
}
