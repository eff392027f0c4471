"""Binance's JSON to the desk's words. All functions are pure; `names` maps the venue's symbols to ours. A frame that cannot be read
raises `Malformed`, `KeyError` or the like. A frame of a kind that the desk does not use gives None."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.types import INTERVALS
from market.exchanges.base import (
    Balance,
    Balances,
    Candle,
    Depth,
    Execution,
    InstrumentRules,
    MarketEvent,
    OrderType,
    Report,
    Side,
    Tick,
    UserEvent,
    VenueStatus,
)
from market.exchanges.parsing import Json, Malformed, from_milliseconds, parse_number, parse_optional, parse_positive, parse_prices

VENUE = "binance"
Names = Mapping[str, str]

STATUSES: dict[str, VenueStatus] = {
    "NEW": "accepted",
    "PENDING_NEW": "accepted",
    "PENDING_CANCEL": "accepted",
    "PARTIALLY_FILLED": "partially_filled",
    "FILLED": "filled",
    "CANCELED": "cancelled",
    "REJECTED": "rejected",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
}
TYPES: dict[str, OrderType] = {
    "MARKET": "market",
    "LIMIT": "limit",
    "LIMIT_MAKER": "limit",
    "STOP_LOSS": "stop",
    "TAKE_PROFIT": "stop",
    "STOP_LOSS_LIMIT": "stop_limit",
    "TAKE_PROFIT_LIMIT": "stop_limit",
}
SIDES: dict[str, Side] = {"BUY": "buy", "SELL": "sell"}


def market_event(frame: Json, names: Names, received: float, now: datetime) -> MarketEvent | None:
    """A frame of a combined stream: `{"stream", "data"}`. `now` is the time of kinds that carry none of their own."""
    data = frame["data"]
    if parse := MARKET.get(data.get("e", "")):
        return parse(data, names, received)
    symbol, _, kind = frame["stream"].partition("@")
    if kind == "bookTicker":
        return _parse_best(data, names[data["s"]], now)
    if kind.startswith("depth") and "lastUpdateId" in data:
        return parse_depth(data, names[symbol.upper()], now)
    return None


def parse_trade(data: Json, names: Names, received: float) -> Tick:
    """`trade` and `aggTrade`, which differ only in their ids."""
    price, quantity, time = parse_positive(data["p"]), parse_positive(data["q"]), from_milliseconds(data["T"])
    return Tick(VENUE, names[data["s"]], price, time, quantity=quantity, received=received)


def parse_kline(data: Json, names: Names, received: float) -> Candle:
    bar = data["k"]
    values = parse_prices(bar["o"], bar["h"], bar["l"], bar["c"])
    volume, closed = parse_number(bar["v"]), bar["x"]
    if bar["i"] not in INTERVALS or not isinstance(closed, bool):
        raise Malformed(f"a candle of interval {bar['i']!r}, closed {closed!r}")
    return Candle(VENUE, names[bar["s"]], bar["i"], from_milliseconds(bar["t"]), *values, volume, closed, received)


MARKET: dict[str, Callable[[Json, Names, float], MarketEvent]] = {
    "aggTrade": parse_trade,
    "trade": parse_trade,
    "kline": parse_kline,
}


def parse_depth(data: Json, symbol: str, now: datetime) -> Depth:
    return Depth(VENUE, symbol, now, parse_levels(data["bids"]), parse_levels(data["asks"]))


def parse_levels(rows: Sequence[Sequence[str]]) -> tuple[tuple[Decimal, Decimal], ...]:
    """(price, quantity) as the venue orders them: best first."""
    return tuple((parse_positive(price), parse_number(quantity)) for price, quantity in rows)


def _parse_best(data: Json, symbol: str, now: datetime) -> Depth:
    return Depth(VENUE, symbol, now, parse_levels([(data["b"], data["B"])]), parse_levels([(data["a"], data["A"])]))


def parse_candles(rows: Sequence[Sequence[Any]], symbol: str, interval: str, now: int) -> list[Candle]:
    """The candles of `GET klines` that were closed at `now` (the venue's clock, in ms)."""
    return [_parse_row(row, symbol, interval) for row in rows if int(row[0]) + INTERVALS[interval] <= now]


def _parse_row(row: Sequence[Any], symbol: str, interval: str) -> Candle:
    values = parse_prices(*row[1:5])
    return Candle(VENUE, symbol, interval, from_milliseconds(row[0]), *values, parse_number(row[5]), True)


def parse_ticker(data: Json, names: Names) -> Tick:
    """The price of `GET ticker/24hr`. Its close time is the venue's clock: the price holds until then."""
    bid, ask = parse_optional(data.get("bidPrice")), parse_optional(data.get("askPrice"))
    return Tick(VENUE, names[data["symbol"]], parse_positive(data["lastPrice"]), from_milliseconds(data["closeTime"]), bid, ask)


def parse_instrument(data: Json) -> InstrumentRules:
    """What `exchangeInfo` says of one symbol. A filter that is absent, or zero, is no rule; unknown ones are passed over."""
    filters = {each["filterType"]: each for each in data["filters"]}
    price, lot, market = (filters.get(name, {}) for name in ("PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE"))
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    return InstrumentRules(
        symbol=f"{data['baseAsset']}-{data['quoteAsset']}",
        venue_symbol=data["symbol"],
        base=data["baseAsset"],
        quote=data["quoteAsset"],
        tick_size=parse_optional(price.get("tickSize")),
        lot_size=parse_optional(lot.get("stepSize")),
        min_quantity=parse_optional(lot.get("minQty")),
        max_quantity=parse_optional(lot.get("maxQty")),
        min_notional=parse_optional(notional.get("minNotional")),
        trading=data["status"] == "TRADING" and data.get("isSpotTradingAllowed", True),
        order_types=tuple(dict.fromkeys(TYPES[each] for each in data["orderTypes"] if each in TYPES)),
        market_lot=parse_optional(market.get("stepSize")),
        market_min_quantity=parse_optional(market.get("minQty")),
        market_max_quantity=parse_optional(market.get("maxQty")),
        max_notional=parse_optional(notional.get("maxNotional")),
        min_notional_market=bool(notional.get("applyMinToMarket", notional.get("applyToMarket", True))),
        max_notional_market=bool(notional.get("applyMaxToMarket", False)),
        max_position=parse_optional(filters.get("MAX_POSITION", {}).get("maxPosition")),
        min_price=parse_optional(price.get("minPrice")),
        max_price=parse_optional(price.get("maxPrice")),
        max_orders=int(filters.get("MAX_NUM_ORDERS", {}).get("maxNumOrders", 0)),
        max_stops=int(filters.get("MAX_NUM_ALGO_ORDERS", {}).get("maxNumAlgoOrders", 0)),
        **_price_bands(filters),
    )


def _price_bands(filters: Mapping[str, Json]) -> dict[str, Decimal | None]:
    """How far a limit may lie from the market's price, as multiples of it; the band by side goes before the one for both."""
    both, by_side = filters.get("PERCENT_PRICE", {}), filters.get("PERCENT_PRICE_BY_SIDE", {})
    sides = {"buy": "bid", "sell": "ask"}
    return {
        f"{side}_{end.lower()}": parse_optional(by_side.get(f"{name}Multiplier{end}", both.get(f"multiplier{end}")))
        for side, name in sides.items()
        for end in ("Up", "Down")
    }


def parse_order(data: Json, names: Names, executions: tuple[Execution, ...] = ()) -> Report:
    """An order by REST, after it was placed, cancelled or queried. A cancellation gives the order a new client id and tells ours as
    the original one."""
    return Report(
        venue=VENUE,
        symbol=names[data["symbol"]],
        client_order_id=data.get("origClientOrderId") or data["clientOrderId"],
        venue_order_id=str(data["orderId"]),
        status=STATUSES[data["status"]],
        side=SIDES[data["side"]],
        type=TYPES[data["type"]],
        quantity=parse_number(data["origQty"]),
        filled=parse_number(data["executedQty"]),
        time=from_milliseconds(data.get("transactTime") or data.get("updateTime") or data["time"]),
        limit=parse_optional(data.get("price")),
        stop=parse_optional(data.get("stopPrice")),
        executions=executions,
        reason=str(data.get("expiryReason", "")),
    )


def parse_placement(data: Json, names: Names) -> Report:
    """The full answer to a new order. Whatever filled at once took liquidity."""
    time = from_milliseconds(data["transactTime"])
    executions = tuple(
        Execution(
            trade_id=str(fill["tradeId"]),
            price=parse_positive(fill["price"]),
            quantity=parse_positive(fill["qty"]),
            fee=parse_number(fill["commission"]),
            fee_asset=fill["commissionAsset"],
            maker=False,
            time=time,
        )
        for fill in data.get("fills", ())
    )
    return parse_order(data, names, executions)


def own_trade(data: Json) -> tuple[str, Execution]:
    """A trade of `GET myTrades`, with the order's id at the venue."""
    return str(data["orderId"]), Execution(
        trade_id=str(data["id"]),
        price=parse_positive(data["price"]),
        quantity=parse_positive(data["qty"]),
        fee=parse_number(data["commission"]),
        fee_asset=data["commissionAsset"],
        maker=bool(data["isMaker"]),
        time=from_milliseconds(data["time"]),
    )


def parse_balances(rows: Sequence[Json]) -> list[Balance]:
    return [Balance(row["asset"], parse_number(row["free"]), parse_number(row["locked"])) for row in rows]


def user_event(event: Json, names: Names) -> UserEvent | None:
    """An event of the user stream, without its envelope. `balanceUpdate` is None: the position that follows it says more."""
    if event["e"] == "executionReport":
        return _execution_report(event, names)
    if event["e"] == "outboundAccountPosition":
        rows = tuple(Balance(row["a"], parse_number(row["f"]), parse_number(row["l"])) for row in event["B"])
        return Balances(VENUE, rows, from_milliseconds(event["u"]))
    return None


def _execution_report(event: Json, names: Names) -> Report:
    """An order's event of the user stream, with its execution if it was a trade."""
    time = from_milliseconds(event["T"])
    reason = event.get("r", "NONE")
    return Report(
        venue=VENUE,
        symbol=names[event["s"]],
        client_order_id=event.get("C") or event["c"],
        venue_order_id=str(event["i"]),
        status=STATUSES[event["X"]],
        side=SIDES[event["S"]],
        type=TYPES[event["o"]],
        quantity=parse_number(event["q"]),
        filled=parse_number(event["z"]),
        time=time,
        limit=parse_optional(event["p"]),
        stop=parse_optional(event["P"]),
        executions=(_parse_execution(event, time),) if event["x"] == "TRADE" else (),
        reason=str(event.get("eR", "")) if reason == "NONE" else reason,
    )


def _parse_execution(event: Json, time: datetime) -> Execution:
    return Execution(
        trade_id=str(event["t"]),
        price=parse_positive(event["L"]),
        quantity=parse_positive(event["l"]),
        fee=parse_number(event["n"]),
        fee_asset=event["N"] or "",
        maker=bool(event["m"]),
        time=time,
    )
