"""Coinbase's JSON to the desk's words. All functions are pure. Product ids are written like our symbols."""

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
from market.exchanges.parsing import (
    Json,
    Malformed,
    from_iso,
    from_milliseconds,
    parse_number,
    parse_optional,
    parse_positive,
    parse_prices,
)

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


def parse_ticker(data: Json, time: datetime, received: float = 0.0) -> Tick:
    """A message of the channel `ticker`; `time` is that of the message."""
    bid, ask = parse_optional(data.get("best_bid")), parse_optional(data.get("best_ask"))
    return Tick(VENUE, data["product_id"], parse_positive(data["price"]), time, bid, ask, received=received)


def parse_trade(data: Json, received: float = 0.0) -> tuple[int, Tick]:
    """A trade of the channel `market_trades`, with the number that counts the trades of a product."""
    price, size, time = parse_positive(data["price"]), parse_positive(data["size"]), from_iso(data["time"])
    return int(data["trade_id"]), Tick(VENUE, data["product_id"], price, time, quantity=size, received=received)


def parse_levels(updates: Sequence[Json]) -> list[tuple[Side, Decimal, Decimal]]:
    """The changes of the channel `l2_data`: (side of the book, price, quantity there now)."""
    sides: dict[str, Side] = {"bid": "buy", "offer": "sell", "ask": "sell"}
    return [(sides[each["side"]], parse_positive(each["price_level"]), parse_number(each["new_quantity"])) for each in updates]


def parse_candle(data: Json, symbol: str, interval: str, *, closed: bool = True) -> Candle:
    """A candle of `GET candles`, or of the channel `candles`, whose interval is always five minutes."""
    values = parse_prices(data["open"], data["high"], data["low"], data["close"])
    time = from_milliseconds(int(data["start"]) * 1000)
    return Candle(VENUE, symbol, interval, time, *values, parse_number(data["volume"]), closed)


def parse_candles(rows: Sequence[Json], symbol: str, interval: str, start: datetime, end: datetime) -> list[Candle]:
    """The candles that open in [start, end), oldest first. The venue answers newest first, with both ends included."""
    each = (parse_candle(row, symbol, interval) for row in rows)
    return sorted((bar for bar in each if start <= bar.time < end), key=lambda bar: bar.time)


def merge_candles(parts: Sequence[Candle], interval: str) -> list[Candle]:
    """Candles of a longer interval, made of sorted shorter ones."""
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
    bid, ask = parse_optional(data.get("best_bid_price")), parse_optional(data.get("best_ask_price"))
    return Tick(VENUE, data["product_id"], parse_positive(data["price"]), now, bid, ask)


def parse_instrument(data: Json) -> InstrumentRules:
    """What `GET products` says of one product."""
    off = any(data.get(flag) for flag in ("is_disabled", "trading_disabled", "cancel_only", "view_only", "auction_mode"))
    return InstrumentRules(
        symbol=data["product_id"],
        venue_symbol=data["product_id"],
        base=data["base_currency_id"],
        quote=data["quote_currency_id"],
        tick_size=parse_optional(data.get("price_increment") or data["quote_increment"]),
        lot_size=parse_optional(data["base_increment"]),
        min_quantity=parse_optional(data["base_min_size"]),
        max_quantity=parse_optional(data["base_max_size"]),
        min_notional=parse_optional(data["quote_min_size"]),
        trading=data["status"] == "online" and not off,
        order_types=("limit", "stop_limit") if _is_limit_only(data) else ("market", "limit", "stop_limit"),
        max_notional=parse_optional(data.get("quote_max_size")),
        max_notional_market=True,
    )


def _is_limit_only(data: Json) -> bool:
    """Where only orders that rest are taken, a market order is not either."""
    return bool(data.get("limit_only") or data.get("post_only"))


def parse_book(data: Json, symbol: str) -> Depth:
    """The depth of `GET product_book`."""
    sides = (
        tuple((parse_positive(level["price"]), parse_number(level["size"])) for level in data[side]) for side in ("bids", "asks")
    )
    return Depth(VENUE, symbol, from_iso(data["time"]), *sides)


def parse_balance(data: Json) -> Balance:
    return Balance(data["currency"], parse_number(data["available_balance"]["value"]), parse_number(data["hold"]["value"]))


def parse_order(data: Json, executions: tuple[Execution, ...] = ()) -> Report:
    """An order by REST. Sizes and prices are in the form in which the order was asked for. A market buy for an amount of quote has
    no base size until it is filled."""
    form: Json = next(iter(data["order_configuration"].values()))
    filled = parse_number(data["filled_size"])
    asked = form.get("base_size")
    return Report(
        venue=VENUE,
        symbol=data["product_id"],
        client_order_id=data["client_order_id"],
        venue_order_id=data["order_id"],
        status=_parse_status(data["status"], filled),
        side=SIDES[data["side"]],
        type=_parse_type(data["order_type"]),
        quantity=parse_number(asked) if asked else filled,
        filled=filled,
        time=from_iso(data.get("last_fill_time") or data["created_time"]),
        limit=parse_optional(form.get("limit_price")),
        stop=parse_optional(form.get("stop_price")),
        executions=executions,
        reason=_join_reasons(data.get("reject_reason"), data.get("reject_message"), data.get("cancel_message")),
    )


def user_order(data: Json, time: datetime) -> Report:
    """An order of the channel `user`. It tells how much is filled, but not by which trades."""
    filled = parse_number(data["cumulative_quantity"])
    return Report(
        venue=VENUE,
        symbol=data["product_id"],
        client_order_id=data["client_order_id"],
        venue_order_id=data["order_id"],
        status=_parse_status(data["status"], filled),
        side=SIDES[data.get("order_side") or data["side"]],
        type=_parse_type(data["order_type"]),
        quantity=filled + parse_number(data["leaves_quantity"]),
        filled=filled,
        time=time,
        limit=parse_optional(data.get("limit_price")),
        stop=parse_optional(data.get("stop_price")),
        reason=_join_reasons(data.get("reject_reason"), data.get("reject_Reason"), data.get("cancel_reason")),
    )


def parse_fill(data: Json) -> tuple[str, Execution]:
    """An execution, with the order's id at the venue. Fees are always in the quote currency."""
    price, size = parse_positive(data["price"]), parse_positive(data["size"])
    return data["order_id"], Execution(
        trade_id=str(data["trade_id"]),
        price=price,
        quantity=size / price if data.get("size_in_quote") else size,
        fee=parse_number(data["commission"]),
        fee_asset=data["product_id"].partition("-")[2],
        maker=data["liquidity_indicator"] == "MAKER",
        time=from_iso(data["trade_time"]),
    )


def _parse_status(name: str, filled: Decimal) -> VenueStatus:
    status = STATUSES[name]
    return "partially_filled" if status == "accepted" and filled else status


def _parse_type(name: str) -> OrderType:
    """REST writes `STOP_LIMIT`, and the stream writes `Stop Limit`."""
    if (kind := TYPES.get(name.upper().replace(" ", "_"))) is None:
        raise Malformed(f"an order of type {name!r}")
    return kind


def _join_reasons(*said: str | None) -> str:
    return "; ".join(dict.fromkeys(each for each in said if each and each not in UNSAID))
