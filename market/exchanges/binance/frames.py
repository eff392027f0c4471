"""Binance's JSON to the desk's words. Pure; `names` maps their symbols to ours. A frame that cannot be read raises `Malformed`,
`KeyError` or the like; one of a kind that the desk does not use gives None.
"""

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
from market.exchanges.parsing import Json, Malformed, from_milliseconds, number, positive, prices, some

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
    """A frame of a combined stream: `{"stream", "data"}`. `now` stamps kinds that carry no time of their own."""
    data = frame["data"]
    if parse := MARKET.get(data.get("e", "")):
        return parse(data, names, received)
    symbol, _, kind = frame["stream"].partition("@")
    if kind == "bookTicker":
        return _best(data, names[data["s"]], now)
    if kind.startswith("depth") and "lastUpdateId" in data:
        return depth(data, names[symbol.upper()], now)
    return None


def trade(data: Json, names: Names, received: float) -> Tick:
    """`trade` and `aggTrade`: the same but for the id."""
    price, quantity, time = positive(data["p"]), positive(data["q"]), from_milliseconds(data["T"])
    return Tick(VENUE, names[data["s"]], price, time, quantity=quantity, received=received)


def kline(data: Json, names: Names, received: float) -> Candle:
    bar = data["k"]
    values = prices(bar["o"], bar["h"], bar["l"], bar["c"])
    volume, closed = number(bar["v"]), bar["x"]
    if bar["i"] not in INTERVALS or not isinstance(closed, bool):
        raise Malformed(f"a candle of interval {bar['i']!r}, closed {closed!r}")
    return Candle(VENUE, names[bar["s"]], bar["i"], from_milliseconds(bar["t"]), *values, volume, closed, received)


MARKET: dict[str, Callable[[Json, Names, float], MarketEvent]] = {"aggTrade": trade, "trade": trade, "kline": kline}


def depth(data: Json, symbol: str, now: datetime) -> Depth:
    return Depth(VENUE, symbol, now, levels(data["bids"]), levels(data["asks"]))


def levels(rows: Sequence[Sequence[str]]) -> tuple[tuple[Decimal, Decimal], ...]:
    """(price, quantity) as the venue orders them: best first."""
    return tuple((positive(price), number(quantity)) for price, quantity in rows)


def _best(data: Json, symbol: str, now: datetime) -> Depth:
    return Depth(VENUE, symbol, now, levels([(data["b"], data["B"])]), levels([(data["a"], data["A"])]))


def candles(rows: Sequence[Sequence[Any]], symbol: str, interval: str, now: int) -> list[Candle]:
    """Of `GET klines`, those that were closed at `now` (the venue's clock, ms)."""
    return [_row(row, symbol, interval) for row in rows if int(row[0]) + INTERVALS[interval] <= now]


def _row(row: Sequence[Any], symbol: str, interval: str) -> Candle:
    values = prices(*row[1:5])
    return Candle(VENUE, symbol, interval, from_milliseconds(row[0]), *values, number(row[5]), True)


def ticker(data: Json, names: Names) -> Tick:
    """Of `GET ticker/24hr`. Its close time is the venue's clock: the price holds until then."""
    bid, ask = some(data.get("bidPrice")), some(data.get("askPrice"))
    return Tick(VENUE, names[data["symbol"]], positive(data["lastPrice"]), from_milliseconds(data["closeTime"]), bid, ask)


def instrument(data: Json) -> InstrumentRules:
    filters = {each["filterType"]: each for each in data["filters"]}
    price, lot = filters.get("PRICE_FILTER", {}), filters.get("LOT_SIZE", {})
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    return InstrumentRules(
        symbol=f"{data['baseAsset']}-{data['quoteAsset']}",
        venue_symbol=data["symbol"],
        base=data["baseAsset"],
        quote=data["quoteAsset"],
        tick_size=some(price.get("tickSize")),
        lot_size=some(lot.get("stepSize")),
        min_quantity=some(lot.get("minQty")),
        max_quantity=some(lot.get("maxQty")),
        min_notional=some(notional.get("minNotional")),
        trading=data["status"] == "TRADING" and data.get("isSpotTradingAllowed", True),
        order_types=tuple(dict.fromkeys(TYPES[each] for each in data["orderTypes"] if each in TYPES)),
    )


def order(data: Json, names: Names, executions: tuple[Execution, ...] = ()) -> Report:
    """An order of REST: placed, cancelled, queried. Cancelling gives the order a new client id and ours as the original."""
    return Report(
        venue=VENUE,
        symbol=names[data["symbol"]],
        client_order_id=data.get("origClientOrderId") or data["clientOrderId"],
        venue_order_id=str(data["orderId"]),
        status=STATUSES[data["status"]],
        side=SIDES[data["side"]],
        type=TYPES[data["type"]],
        quantity=number(data["origQty"]),
        filled=number(data["executedQty"]),
        time=from_milliseconds(data.get("transactTime") or data.get("updateTime") or data["time"]),
        limit=some(data.get("price")),
        stop=some(data.get("stopPrice")),
        executions=executions,
        reason=str(data.get("expiryReason", "")),
    )


def placed(data: Json, names: Names) -> Report:
    """The full answer to a new order. What it filled at once took liquidity."""
    time = from_milliseconds(data["transactTime"])
    executions = tuple(
        Execution(
            trade_id=str(fill["tradeId"]),
            price=positive(fill["price"]),
            quantity=positive(fill["qty"]),
            fee=number(fill["commission"]),
            fee_asset=fill["commissionAsset"],
            maker=False,
            time=time,
        )
        for fill in data.get("fills", ())
    )
    return order(data, names, executions)


def own_trade(data: Json) -> tuple[str, Execution]:
    """Of `GET myTrades`, with the order's id at the venue."""
    return str(data["orderId"]), Execution(
        trade_id=str(data["id"]),
        price=positive(data["price"]),
        quantity=positive(data["qty"]),
        fee=number(data["commission"]),
        fee_asset=data["commissionAsset"],
        maker=bool(data["isMaker"]),
        time=from_milliseconds(data["time"]),
    )


def balances(rows: Sequence[Json]) -> list[Balance]:
    return [Balance(row["asset"], number(row["free"]), number(row["locked"])) for row in rows]


def user_event(event: Json, names: Names) -> UserEvent | None:
    """An event of the user stream, without its envelope. `balanceUpdate` is None: the position that follows it says more."""
    if event["e"] == "executionReport":
        return _execution_report(event, names)
    if event["e"] == "outboundAccountPosition":
        rows = tuple(Balance(row["a"], number(row["f"]), number(row["l"])) for row in event["B"])
        return Balances(VENUE, rows, from_milliseconds(event["u"]))
    return None


def _execution_report(event: Json, names: Names) -> Report:
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
        quantity=number(event["q"]),
        filled=number(event["z"]),
        time=time,
        limit=some(event["p"]),
        stop=some(event["P"]),
        executions=(_execution(event, time),) if event["x"] == "TRADE" else (),
        reason=str(event.get("eR", "")) if reason == "NONE" else reason,
    )


def _execution(event: Json, time: datetime) -> Execution:
    return Execution(
        trade_id=str(event["t"]),
        price=positive(event["L"]),
        quantity=positive(event["l"]),
        fee=number(event["n"]),
        fee_asset=event["N"] or "",
        maker=bool(event["m"]),
        time=time,
    )
