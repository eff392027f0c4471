"""Coinbase's JSON to the desk's words, by `vocabulary/coinbase.py`. All functions are pure. Product ids are written like our
symbols. What cannot be read raises `Malformed`, `KeyError` or the like. A word that the desk does not know is `other`: never an
error, and never taken for one that it knows."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from market.exchanges.base import (
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
    parse_amount,
    parse_flag,
    parse_number,
    parse_optional,
    parse_positive,
    parse_prices,
    parse_text,
)
from market.exchanges.vocabulary import coinbase as words

VENUE = "coinbase"
NAME = 16
"""Characters of the longest name of a currency."""
ROW_FIELDS = {
    "symbol": ("product_id", "currency"),
    "venue_order_id": ("order_id",),
    "client_order_id": ("client_order_id",),
    "side": ("side", "order_side"),
    "quantity": ("base_size", "size"),
}
TRADE_NUMBERS = range(2**63)
"""One that is not a number would make all later trades look old."""
OFF = words.PRODUCT_FLAG.find_words("halted")
"""A product that has one of these takes no new orders."""
UNSAID = words.REJECT_REASON.find_words("nothing")


def parse_ticker(data: Json, time: datetime, received: float = 0.0) -> Tick:
    """A message of the channel `ticker`; `time` is that of the message."""
    bid, ask = parse_optional(data.get("best_bid")), parse_optional(data.get("best_ask"))
    return Tick(VENUE, data["product_id"], parse_positive(data["price"]), time, bid, ask, received=received)


def parse_trade(data: Json, received: float = 0.0) -> tuple[int, Tick]:
    """A trade of the channel `market_trades`, with the number that counts the trades of a product."""
    price, size, time = parse_positive(data["price"]), parse_positive(data["size"]), from_iso(data["time"])
    if (number := int(data["trade_id"])) not in TRADE_NUMBERS:
        raise Malformed(f"a trade of number {number}")
    return number, Tick(VENUE, data["product_id"], price, time, quantity=size, received=received)


def parse_change(data: Json) -> tuple[Side, Decimal, Decimal]:
    """A change of the channel `l2_data`: (side of the book, price, quantity there now)."""
    return words.BOOK_SIDE.read_word(data["side"]), parse_positive(data["price_level"]), parse_amount(data["new_quantity"])


def parse_candle(data: Json, symbol: str, interval: str, *, closed: bool = True) -> Candle:
    """A candle of `GET candles`, or of the channel `candles`, whose interval is always five minutes."""
    values = parse_prices(data["open"], data["high"], data["low"], data["close"])
    time = from_milliseconds(int(data["start"]) * 1000)
    return Candle(VENUE, symbol, interval, time, *values, parse_amount(data["volume"]), closed)


def product_tick(data: Json, now: datetime) -> Tick:
    """The price of `GET products`."""
    bid, ask = parse_optional(data.get("best_bid_price")), parse_optional(data.get("best_ask_price"))
    return Tick(VENUE, parse_text(data["product_id"], 2 * NAME), parse_positive(data["price"]), now, bid, ask)


def parse_instrument(data: Json) -> InstrumentRules:
    """What `GET products` says of one product."""
    off = any(parse_flag(data.get(flag)) for flag in OFF)
    symbol = parse_text(data["product_id"], 2 * NAME)
    return InstrumentRules(
        symbol=symbol,
        venue_symbol=symbol,
        base=parse_text(data["base_currency_id"], NAME),
        quote=parse_text(data["quote_currency_id"], NAME),
        tick_size=parse_optional(data.get("price_increment") or data["quote_increment"]),
        lot_size=parse_optional(data["base_increment"]),
        min_quantity=parse_optional(data["base_min_size"]),
        max_quantity=parse_optional(data["base_max_size"]),
        min_notional=parse_optional(data["quote_min_size"]),
        trading=words.PRODUCT_STATUS.read_word(data["status"]) == "trades" and not off,
        order_types=_order_types(data),
        max_notional=parse_optional(data.get("quote_max_size")),
        max_notional_market=True,
    )


def _order_types(data: Json) -> tuple[OrderType, ...]:
    """What a product takes in its present state: only what rests, only what has a limit, or everything."""
    if parse_flag(data.get("post_only")):
        return ("limit",)
    return ("limit", "stop_limit") if parse_flag(data.get("limit_only")) else ("market", "limit", "stop_limit")


def parse_book(data: Json, symbol: str) -> Depth:
    """The depth of `GET product_book`."""
    sides = (
        tuple((parse_positive(level["price"]), parse_amount(level["size"])) for level in data[side]) for side in ("bids", "asks")
    )
    return Depth(VENUE, symbol, from_iso(data["time"]), *sides)


def parse_order(data: Json, executions: tuple[Execution, ...] = ()) -> Report:
    """An order by REST. Sizes and prices are in the form in which the order was asked for, if the venue tells it. A market buy for
    an amount of quote has no base size until it is filled."""
    form: Json = next(iter((data.get("order_configuration") or {}).values()), {})
    filled = parse_amount(data.get("filled_size") or "0")
    asked = form.get("base_size")
    return Report(
        venue=VENUE,
        symbol=parse_text(data["product_id"], 2 * NAME),
        client_order_id=_parse_own_id(data["client_order_id"]),
        venue_order_id=parse_text(data["order_id"]),
        status=_parse_status(data["status"], filled),
        side=words.SIDE.read_word(data["side"]),
        type=_parse_type(data.get("order_type")),
        quantity=parse_amount(asked) if asked else filled,
        filled=filled,
        time=from_iso(data.get("last_fill_time") or data["created_time"]),
        limit=parse_optional(form.get("limit_price")),
        stop=parse_optional(form.get("stop_price")),
        executions=executions,
        reason=_join_reasons(data.get("reject_reason"), data.get("reject_message"), data.get("cancel_message")),
    )


def user_order(data: Json, time: datetime) -> Report:
    """An order of the channel `user`. It tells how much is filled, but not by which trades."""
    filled = parse_amount(data["cumulative_quantity"])
    return Report(
        venue=VENUE,
        symbol=parse_text(data["product_id"], 2 * NAME),
        client_order_id=_parse_own_id(data["client_order_id"]),
        venue_order_id=parse_text(data["order_id"]),
        status=_parse_status(data["status"], filled),
        side=words.SIDE.read_word(data.get("order_side") or data["side"]),
        type=_parse_type(data.get("order_type")),
        quantity=filled + parse_amount(data["leaves_quantity"]),
        filled=filled,
        time=time,
        limit=parse_optional(data.get("limit_price")),
        stop=parse_optional(data.get("stop_price")),
        reason=_join_reasons(data.get("reject_reason"), data.get("reject_Reason"), data.get("cancel_reason")),
    )


def name_book(symbol: str) -> str:
    """The product whose book this one has: a pair with USDC shares that of its USD twin, and the venue may call it so."""
    return symbol.removesuffix("C") if symbol.endswith("-USDC") else symbol


def parse_fill(data: Json, symbol: str) -> tuple[str, Execution]:
    """An execution of an order of this symbol, with the order's id at the venue. Fees are always in the quote currency. What takes
    an execution back is none of the order's executions, and is not read past either."""
    if name_book(named := parse_text(data["product_id"])) != name_book(symbol):
        raise Malformed(f"an execution of {named!r:.40} among those of {symbol}")
    words.TRADE_TYPE.read_word(data.get("trade_type", "FILL"))
    price, size = parse_positive(data["price"]), parse_positive(data["size"])
    return parse_text(data["order_id"]), Execution(
        trade_id=parse_text(data["trade_id"]),
        price=price,
        quantity=size / price if parse_flag(data.get("size_in_quote")) else size,
        fee=parse_number(data["commission"]),
        fee_asset=parse_text(symbol.partition("-")[2], NAME),
        maker=words.LIQUIDITY.read_word(data["liquidity_indicator"]) == "maker",
        time=from_iso(data["trade_time"]),
        side=words.SIDE.words.get(str(data.get("side"))),
    )


def _parse_status(name: str, filled: Decimal) -> VenueStatus:
    status = words.ORDER_STATUS.read_word(name)
    return "partially_filled" if status == "accepted" and filled else status


def _parse_type(name: str | None) -> OrderType:
    """REST writes `STOP_LIMIT`, and the stream writes `Stop Limit`."""
    return words.ORDER_TYPE.read_word(name.upper().replace(" ", "_")) if name else "other"


def _parse_own_id(value: object) -> str:
    """The client's id, which an order placed by hand may be without."""
    return "" if value == "" else parse_text(value)


def _join_reasons(*said: object) -> str:
    return "; ".join(dict.fromkeys(str(each) for each in said if each and each not in UNSAID))
