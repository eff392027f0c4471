"""Coinbase's JSON to the desk's words. Pure. Product ids are written as our symbols are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from engine.types import INTERVALS
from market.exchanges.base import (
    Balance,
    Candle,
    Depth,
    Execution,
    InstrumentRules,
    OrderType,
    Report,
    Side,
    Tick,
    VenueStatus,
)
from market.exchanges.parsing import Json, Malformed, from_iso, from_milliseconds, number, positive, prices, some

VENUE = "coinbase"

STATUSES: dict[str, VenueStatus] = {
    "PENDING": "accepted",
    "OPEN": "accepted",
    "QUEUED": "accepted",
    "EDIT_QUEUED": "accepted",
    "CANCEL_QUEUED": "accepted",
    "FILLED": "filled",
    "CANCELLED": "cancelled",
    "EXPIRED": "expired",
    "FAILED": "rejected",
}
TYPES: dict[str, OrderType] = {
    "MARKET": "market",
    "LIMIT": "limit",
    "STOP": "stop",
    "STOP_LIMIT": "stop_limit",
    "TAKE_PROFIT_STOP_LIMIT": "stop_limit",
    "TRIGGER_BRACKET": "stop_limit",
    "BRACKET": "stop_limit",
    "ROLL_OPEN": "market",
    "ROLL_CLOSE": "market",
    "LIQUIDATION": "market",
}
SIDES: dict[str, Side] = {"BUY": "buy", "SELL": "sell"}
UNSAID = ("", "REJECT_REASON_UNSPECIFIED")


def ticker(data: Json, time: datetime, received: float = 0.0) -> Tick:
    """Of the channel `ticker`; `time` is the message's."""
    bid, ask = some(data.get("best_bid")), some(data.get("best_ask"))
    return Tick(VENUE, data["product_id"], positive(data["price"]), time, bid, ask, received=received)


def trade(data: Json, received: float = 0.0) -> tuple[int, Tick]:
    """Of the channel `market_trades`, with the number that counts a product's trades."""
    price, size, time = positive(data["price"]), positive(data["size"]), from_iso(data["time"])
    return int(data["trade_id"]), Tick(VENUE, data["product_id"], price, time, quantity=size, received=received)


def levels(updates: Sequence[Json]) -> list[tuple[Side, Decimal, Decimal]]:
    """Of the channel `l2_data`: (side of the book, price, quantity there now)."""
    sides: dict[str, Side] = {"bid": "buy", "offer": "sell", "ask": "sell"}
    return [(sides[each["side"]], positive(each["price_level"]), number(each["new_quantity"])) for each in updates]


def candle(data: Json, symbol: str, interval: str, *, closed: bool = True) -> Candle:
    """Of `GET candles` and of the channel `candles`, whose interval is always five minutes."""
    values = prices(data["open"], data["high"], data["low"], data["close"])
    time = from_milliseconds(int(data["start"]) * 1000)
    return Candle(VENUE, symbol, interval, time, *values, number(data["volume"]), closed)


def candles(rows: Sequence[Json], symbol: str, interval: str, start: datetime, end: datetime) -> list[Candle]:
    """Those that open in [start, end), oldest first: the venue answers newest first, both ends included."""
    each = (candle(row, symbol, interval) for row in rows)
    return sorted((bar for bar in each if start <= bar.time < end), key=lambda bar: bar.time)


def merged(parts: Sequence[Candle], interval: str) -> list[Candle]:
    """Candles of a longer interval from sorted shorter ones."""
    length = timedelta(milliseconds=INTERVALS[interval])
    result: list[Candle] = []
    for part in parts:
        time = part.time - (part.time - from_milliseconds(0)) % length
        if not result or result[-1].time != time:
            result.append(Candle(VENUE, part.symbol, interval, time, part.open, part.high, part.low, part.close, part.volume, True))
            continue
        bar = result[-1]
        high, low, volume = max(bar.high, part.high), min(bar.low, part.low), bar.volume + part.volume
        result[-1] = Candle(VENUE, part.symbol, interval, time, bar.open, high, low, part.close, volume, True)
    return result


def product_tick(data: Json, now: datetime) -> Tick:
    """The price of `GET products`."""
    bid, ask = some(data.get("best_bid_price")), some(data.get("best_ask_price"))
    return Tick(VENUE, data["product_id"], positive(data["price"]), now, bid, ask)


def instrument(data: Json) -> InstrumentRules:
    off = any(data.get(flag) for flag in ("is_disabled", "trading_disabled", "cancel_only", "view_only", "auction_mode"))
    return InstrumentRules(
        symbol=data["product_id"],
        venue_symbol=data["product_id"],
        base=data["base_currency_id"],
        quote=data["quote_currency_id"],
        tick_size=some(data.get("price_increment") or data["quote_increment"]),
        lot_size=some(data["base_increment"]),
        min_quantity=some(data["base_min_size"]),
        max_quantity=some(data["base_max_size"]),
        min_notional=some(data["quote_min_size"]),
        trading=data["status"] == "online" and not off,
        order_types=("limit", "stop_limit") if data.get("limit_only") else ("market", "limit", "stop_limit"),
    )


def book(data: Json, symbol: str) -> Depth:
    """Of `GET product_book`."""
    sides = (tuple((positive(level["price"]), number(level["size"])) for level in data[side]) for side in ("bids", "asks"))
    return Depth(VENUE, symbol, from_iso(data["time"]), *sides)


def balance(data: Json) -> Balance:
    return Balance(data["currency"], number(data["available_balance"]["value"]), number(data["hold"]["value"]))


def order(data: Json, executions: tuple[Execution, ...] = ()) -> Report:
    """An order of REST. Sizes and prices stand in the form it was asked for in; a market buy for quote has no base size until
    it is filled."""
    form: Json = next(iter(data["order_configuration"].values()))
    filled = number(data["filled_size"])
    asked = form.get("base_size")
    return Report(
        venue=VENUE,
        symbol=data["product_id"],
        client_order_id=data["client_order_id"],
        venue_order_id=data["order_id"],
        status=_status(data["status"], filled),
        side=SIDES[data["side"]],
        type=_type(data["order_type"]),
        quantity=number(asked) if asked else filled,
        filled=filled,
        time=from_iso(data.get("last_fill_time") or data["created_time"]),
        limit=some(form.get("limit_price")),
        stop=some(form.get("stop_price")),
        executions=executions,
        reason=_reason(data.get("reject_reason"), data.get("reject_message"), data.get("cancel_message")),
    )


def user_order(data: Json, time: datetime) -> Report:
    """Of the channel `user`. It tells how much is filled, but not by which trades."""
    filled = number(data["cumulative_quantity"])
    return Report(
        venue=VENUE,
        symbol=data["product_id"],
        client_order_id=data["client_order_id"],
        venue_order_id=data["order_id"],
        status=_status(data["status"], filled),
        side=SIDES[data.get("order_side") or data["side"]],
        type=_type(data["order_type"]),
        quantity=filled + number(data["leaves_quantity"]),
        filled=filled,
        time=time,
        limit=some(data.get("limit_price")),
        stop=some(data.get("stop_price")),
        reason=_reason(data.get("reject_reason"), data.get("reject_Reason"), data.get("cancel_reason")),
    )


def fill(data: Json) -> tuple[str, Execution]:
    """With the order's id at the venue. Fees are always in the quote currency."""
    price, size = positive(data["price"]), positive(data["size"])
    return data["order_id"], Execution(
        trade_id=str(data["trade_id"]),
        price=price,
        quantity=size / price if data.get("size_in_quote") else size,
        fee=number(data["commission"]),
        fee_asset=data["product_id"].partition("-")[2],
        maker=data["liquidity_indicator"] == "MAKER",
        time=from_iso(data["trade_time"]),
    )


def _status(name: str, filled: Decimal) -> VenueStatus:
    status = STATUSES[name]
    return "partially_filled" if status == "accepted" and filled else status


def _type(name: str) -> OrderType:
    """REST writes `STOP_LIMIT`, the stream `Stop Limit`."""
    if (kind := TYPES.get(name.upper().replace(" ", "_"))) is None:
        raise Malformed(f"an order of type {name!r}")
    return kind


def _reason(*said: str | None) -> str:
    return "; ".join(dict.fromkeys(each for each in said if each and each not in UNSAID))
