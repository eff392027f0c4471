"""Binance's JSON to the desk's words, by `vocabulary/binance.py`. All functions are pure; `names` maps the venue's symbols to ours.
What cannot be read raises `Malformed`, `KeyError` or the like. A frame of a kind that the desk does not use gives None. A word that
the desk does not know is `other`: never an error, and never taken for one that it knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from market.exchanges.base import (
    Balance,
    Balances,
    Candle,
    Depth,
    Execution,
    InstrumentRules,
    MarketEvent,
    Report,
    Side,
    Tick,
    UserEvent,
)
from market.exchanges.parsing import (
    Json,
    Malformed,
    from_milliseconds,
    parse_amount,
    parse_flag,
    parse_number,
    parse_optional,
    parse_positive,
    parse_prices,
    parse_text,
)
from market.exchanges.reading import Reader
from market.exchanges.vocabulary import binance as words

VENUE = "binance"
Names = Mapping[str, str]
NAME = 16
"""Characters of the longest name of an asset."""
ROW_FIELDS = {
    "symbol": ("symbol", "asset"),
    "venue_order_id": ("orderId",),
    "client_order_id": ("clientOrderId",),
    "side": ("side",),
    "quantity": ("origQty", "qty"),
}


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


def says_goodbye(frame: Json) -> bool:
    """Whether the venue is about to end the connection."""
    data = frame.get("data", frame)
    return isinstance(data, dict) and words.MARKET_EVENT.words.get(str(data.get("e"))) == "end"


def parse_trade(data: Json, names: Names, received: float) -> Tick:
    """`trade` and `aggTrade`, which differ only in their ids."""
    price, quantity, time = parse_positive(data["p"]), parse_positive(data["q"]), from_milliseconds(data["T"])
    return Tick(VENUE, names[data["s"]], price, time, quantity=quantity, received=received)


def parse_kline(data: Json, names: Names, received: float) -> Candle:
    bar = data["k"]
    values = parse_prices(bar["o"], bar["h"], bar["l"], bar["c"])
    volume, closed = parse_number(bar["v"]), bar["x"]
    if words.INTERVAL.read_word(bar["i"]) != "candle" or not isinstance(closed, bool):
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
    return tuple((parse_positive(price), parse_amount(quantity)) for price, quantity in rows)


def _parse_best(data: Json, symbol: str, now: datetime) -> Depth:
    return Depth(VENUE, symbol, now, parse_levels([(data["b"], data["B"])]), parse_levels([(data["a"], data["A"])]))


def parse_candle(row: Sequence[Any], symbol: str, interval: str) -> Candle:
    """A row of `GET klines`, which may still grow: its open time tells."""
    values = parse_prices(*row[1:5])
    return Candle(VENUE, symbol, interval, from_milliseconds(row[0]), *values, parse_amount(row[5]), True)


def parse_ticker(data: Json, names: Names) -> Tick:
    """The price of `GET ticker/24hr`. Its close time is the venue's clock: the price holds until then."""
    bid, ask = parse_optional(data.get("bidPrice")), parse_optional(data.get("askPrice"))
    return Tick(VENUE, names[data["symbol"]], parse_positive(data["lastPrice"]), from_milliseconds(data["closeTime"]), bid, ask)


def parse_instrument(data: Json) -> InstrumentRules:
    """What `exchangeInfo` says of one symbol. A filter that is absent, or zero, is no rule; unknown ones are passed over."""
    base, quote = parse_text(data["baseAsset"], NAME), parse_text(data["quoteAsset"], NAME - 1)
    filters = {each["filterType"]: each for each in data["filters"]}
    price, lot, market = (filters.get(name, {}) for name in ("PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE"))
    notional = filters.get("NOTIONAL") or filters.get("MIN_NOTIONAL") or {}
    return InstrumentRules(
        symbol=f"{base}-{quote}",
        venue_symbol=parse_text(data["symbol"], 2 * NAME),
        base=base,
        quote=quote,
        tick_size=parse_optional(price.get("tickSize")),
        lot_size=parse_optional(lot.get("stepSize")),
        min_quantity=parse_optional(lot.get("minQty")),
        max_quantity=parse_optional(lot.get("maxQty")),
        min_notional=parse_optional(notional.get("minNotional")),
        trading=words.SYMBOL_STATUS.read_word(data["status"]) == "trades" and parse_flag(data.get("isSpotTradingAllowed", True)),
        order_types=tuple(
            dict.fromkeys(kind for each in data["orderTypes"] if (kind := words.ORDER_TYPE.read_word(each)) != "other")
        ),
        market_lot=parse_optional(market.get("stepSize")),
        market_min_quantity=parse_optional(market.get("minQty")),
        market_max_quantity=parse_optional(market.get("maxQty")),
        max_notional=parse_optional(notional.get("maxNotional")),
        min_notional_market=parse_flag(notional.get("applyMinToMarket", notional.get("applyToMarket", True))),
        max_notional_market=parse_flag(notional.get("applyMaxToMarket", False)),
        max_position=parse_optional(filters.get("MAX_POSITION", {}).get("maxPosition")),
        min_price=parse_optional(price.get("minPrice")),
        max_price=parse_optional(price.get("maxPrice")),
        max_orders=int(parse_amount(filters.get("MAX_NUM_ORDERS", {}).get("maxNumOrders", 0))),
        max_stops=int(parse_amount(filters.get("MAX_NUM_ALGO_ORDERS", {}).get("maxNumAlgoOrders", 0))),
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


def parse_limit(data: Json) -> tuple[str, int] | None:
    """A limit of `exchangeInfo` under the name that the rate budget has for it; None for those that it does not keep."""
    kinds = {("REQUEST_WEIGHT", "MINUTE", 1): "weight", ("ORDERS", "SECOND", 10): "orders"}
    name = kinds.get((data["rateLimitType"], data["interval"], data["intervalNum"]))
    return (name, int(parse_positive(data["limit"]))) if name else None


def name_symbol(names: Names, venue_symbol: object) -> str:
    """Ours, or the venue's own name of a pair that was listed after we asked for its names."""
    text = parse_text(venue_symbol, 2 * NAME)
    return names.get(text, text)


def parse_order(data: Json, names: Names, executions: tuple[Execution, ...] = ()) -> Report:
    """An order by REST, after it was placed, cancelled or queried. A cancellation gives the order a new client id and tells ours as
    the original one."""
    return Report(
        venue=VENUE,
        symbol=name_symbol(names, data["symbol"]),
        client_order_id=parse_text(data.get("origClientOrderId") or data["clientOrderId"]),
        venue_order_id=parse_text(data["orderId"]),
        status=words.ORDER_STATUS.read_word(data["status"]),
        side=words.SIDE.read_word(data["side"]),
        type=words.ORDER_TYPE.read_word(data["type"]),
        quantity=parse_amount(data["origQty"]),
        filled=parse_amount(data["executedQty"]),
        time=from_milliseconds(data.get("transactTime") or data.get("updateTime") or data["time"]),
        limit=parse_optional(data.get("price")),
        stop=parse_optional(data.get("stopPrice")),
        executions=executions,
        reason=_join_reasons("", data.get("expiryReason")),
    )


def parse_placement(data: Json, names: Names) -> Report:
    """The full answer to a new order. Whatever filled at once took liquidity."""
    time = from_milliseconds(data["transactTime"])
    executions = tuple(
        Execution(
            trade_id=parse_text(fill["tradeId"]),
            price=parse_positive(fill["price"]),
            quantity=parse_positive(fill["qty"]),
            **_parse_fee(fill["commission"], fill.get("commissionAsset")),
            maker=False,
            time=time,
        )
        for fill in data.get("fills", ())
    )
    return parse_order(data, names, executions)


def own_trade(data: Json, symbol: str) -> tuple[str, Execution]:
    """A trade of `GET myTrades` of this symbol, as the venue writes it, with the order's id at the venue."""
    if (named := data.get("symbol", symbol)) != symbol:
        raise Malformed(f"a trade of {named!r:.40} among those of {symbol}")
    return parse_text(data["orderId"]), Execution(
        trade_id=parse_text(data["id"]),
        price=parse_positive(data["price"]),
        quantity=parse_positive(data["qty"]),
        **_parse_fee(data["commission"], data.get("commissionAsset")),
        maker=parse_flag(data["isMaker"]),
        time=from_milliseconds(data["time"]),
        side=_name_side(data.get("isBuyer")),
    )


def _name_side(buys: object) -> Side | None:
    """An order tells its side itself: where the trade does not, nothing is lost but for orders that we do not know."""
    return "buy" if buys is True else "sell" if buys is False else None


def _parse_fee(fee: object, asset: object) -> dict[str, Any]:
    """Where nothing was taken, the venue may name no asset either."""
    amount = parse_number(fee or 0)
    return {"fee": amount, "fee_asset": parse_text(asset, NAME) if amount or asset else ""}


def parse_balance(row: Json) -> Balance:
    return Balance(parse_text(row["asset"], NAME), parse_amount(row["free"]), parse_amount(row["locked"]))


def parse_position(row: Json) -> Balance:
    """A balance of the user stream."""
    return Balance(parse_text(row["a"], NAME), parse_amount(row["f"]), parse_amount(row["l"]))


def leave_receipts(balances: Sequence[Balance], names: Names) -> list[Balance]:
    """Without receipts of Simple Earn: what is lent out stands among the spot balances as LD and the asset's name, grows by itself,
    and no order can use it. LDO is a coin of its own."""
    if not any(one.asset.startswith("LD") for one in balances):
        return list(balances)
    assets = {asset for symbol in names.values() for asset in symbol.split("-")}
    return [one for one in balances if one.asset in assets or not (one.asset[:2] == "LD" and one.asset[2:] in assets)]


def user_event(event: Json, names: Names, reader: Reader) -> UserEvent | None:
    """An event of the user stream, without its envelope. The balances in it are read one by one."""
    match words.USER_EVENT.read_word(event["e"]):
        case "report":
            return _execution_report(event, names)
        case "balances":
            rows = reader.read_list("balance", event["B"], parse_position)
            return Balances(VENUE, tuple(leave_receipts(rows, names)), from_milliseconds(event["u"]))
    return None


def _execution_report(event: Json, names: Names) -> Report:
    """An order's event of the user stream, with its execution if it was a trade."""
    time = from_milliseconds(event["T"])
    trades = words.EXECUTION_TYPE.read_word(event["x"]) == "execution"
    return Report(
        venue=VENUE,
        symbol=name_symbol(names, event["s"]),
        client_order_id=parse_text(event.get("C") or event["c"]),
        venue_order_id=parse_text(event["i"]),
        status=words.ORDER_STATUS.read_word(event["X"]),
        side=words.SIDE.read_word(event["S"]),
        type=words.ORDER_TYPE.read_word(event["o"]),
        quantity=parse_amount(event["q"]),
        filled=parse_amount(event["z"]),
        time=time,
        limit=parse_optional(event["p"]),
        stop=parse_optional(event["P"]),
        executions=(_parse_execution(event, time),) if trades else (),
        reason=_join_reasons(event.get("r"), event.get("eR")),
    )


def _join_reasons(rejected: str | None, expired: str | None) -> str:
    """Why the order ended: what rejected it, or else what made it expire."""
    if rejected and words.REJECT_REASON.read_word(str(rejected)) == "told":
        return str(rejected)
    return str(expired) if expired and words.EXPIRY_REASON.read_word(str(expired)) == "told" else ""


def _parse_execution(event: Json, time: datetime) -> Execution:
    return Execution(
        trade_id=parse_text(event["t"]),
        price=parse_positive(event["L"]),
        quantity=parse_positive(event["l"]),
        **_parse_fee(event["n"], event.get("N")),
        maker=parse_flag(event["m"]),
        time=time,
    )
