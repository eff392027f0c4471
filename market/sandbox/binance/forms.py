"""Binance's JSON: answers and events made of the sandbox's objects. Field names and order follow Binance's documentation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from market.sandbox.accounts import Account
from market.sandbox.binance.notation import kind, status, text, their
from market.sandbox.checks import BAND
from market.sandbox.events import Trade
from market.sandbox.exchange import Exchange
from market.sandbox.history import DAY, INTERVALS, Candle, History
from market.sandbox.instruments import Instrument
from market.sandbox.orders import ZERO, Fill, Order

Json = dict[str, Any]
ORDER_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"]
NOT_A_LIST = -1
"""For ids of things the sandbox has none of: order lists, orders without a trade."""
LARGEST = Decimal(9_000_000)


def symbol_info(item: Instrument) -> Json:
    flags = dict.fromkeys(("icebergAllowed", "ocoAllowed", "otoAllowed", "opoAllowed"), False)
    never = dict.fromkeys(("allowTrailingStop", "cancelReplaceAllowed", "amendAllowed", "pegInstructionsAllowed"), False)
    return {
        "symbol": their(item.symbol),
        "status": "TRADING" if item.trading else "BREAK",
        "baseAsset": item.base,
        "baseAssetPrecision": 8,
        "quoteAsset": item.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ORDER_TYPES,
        **flags,
        "quoteOrderQtyMarketAllowed": True,
        **never,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters(item),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }


def filters(item: Instrument) -> list[Json]:
    return [
        {"filterType": "PRICE_FILTER", "minPrice": text(item.tick), "maxPrice": text(item.max_price), "tickSize": text(item.tick)},
        {"filterType": "LOT_SIZE", "minQty": text(item.min_qty), "maxQty": text(item.max_qty), "stepSize": text(item.lot)},
        {"filterType": "MARKET_LOT_SIZE", "minQty": text(ZERO), "maxQty": text(item.max_qty), "stepSize": text(ZERO)},
        {"filterType": "PERCENT_PRICE", "multiplierUp": str(BAND), "multiplierDown": str(1 / BAND), "avgPriceMins": 0},
        {
            "filterType": "NOTIONAL",
            "minNotional": text(item.min_notional),
            "applyMinToMarket": True,
            "maxNotional": text(LARGEST),
            "applyMaxToMarket": False,
            "avgPriceMins": 0,
        },
    ]


def kline(candle: Candle, interval: str) -> list[Any]:
    return [
        candle.time,
        text(candle.open),
        text(candle.high),
        text(candle.low),
        text(candle.close),
        text(candle.volume),
        candle.time + INTERVALS[interval] - 1,
        text(candle.value),
        candle.trades,
        text(candle.taker_volume),
        text(candle.taker_value),
        "0",
    ]


def kline_event(symbol: str, candle: Candle, interval: str, now: int, *, closed: bool) -> Json:
    name = their(symbol)
    return {
        "e": "kline",
        "E": now,
        "s": name,
        "k": {
            "t": candle.time,
            "T": candle.time + INTERVALS[interval] - 1,
            "s": name,
            "i": interval,
            "f": candle.first_trade,
            "L": candle.last_trade,
            "o": text(candle.open),
            "c": text(candle.close),
            "h": text(candle.high),
            "l": text(candle.low),
            "v": text(candle.volume),
            "n": candle.trades,
            "x": closed,
            "q": text(candle.value),
            "V": text(candle.taker_volume),
            "Q": text(candle.taker_value),
            "B": "0",
        },
    }


def day(exchange: Exchange, symbol: str) -> Json:
    """The figures of the last 24 hours, from whole minutes."""
    history, book = exchange.history(symbol), exchange.book(symbol)
    now = exchange.clock()
    minutes = history.candles("1m", start=now - DAY, limit=DAY)
    opened = minutes[0].open if minutes else book.last
    volume = sum((candle.volume for candle in minutes), ZERO)
    value = sum((candle.value for candle in minutes), ZERO)
    (bid, bid_qty), (ask, ask_qty) = book.best()
    change = book.last - opened
    return {
        "symbol": their(symbol),
        "priceChange": text(change),
        "priceChangePercent": f"{change / opened * 100:.3f}",
        "weightedAvgPrice": f"{value / volume:.8f}" if volume else text(ZERO),
        "prevClosePrice": text(opened),
        "lastPrice": text(book.last),
        "lastQty": text(history.trades[-1].qty if history.trades else ZERO),
        "bidPrice": text(bid),
        "bidQty": text(bid_qty),
        "askPrice": text(ask),
        "askQty": text(ask_qty),
        "openPrice": text(opened),
        "highPrice": text(max((candle.high for candle in minutes), default=book.last)),
        "lowPrice": text(min((candle.low for candle in minutes), default=book.last)),
        "volume": text(volume),
        "quoteVolume": text(value),
        "openTime": now - DAY,
        "closeTime": now,
        "firstId": _first_trade(history),
        "lastId": history.next_id - 1 if history.trades else NOT_A_LIST,
        "count": sum(candle.trades for candle in minutes),
    }


def _first_trade(history: History) -> int:
    return history.trades[0].id if history.trades else NOT_A_LIST


def public_trade(trade: Trade) -> Json:
    return {
        "id": trade.id,
        "price": text(trade.price),
        "qty": text(trade.qty),
        "quoteQty": text(trade.price * trade.qty),
        "time": trade.time,
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


def aggregate(trade: Trade) -> Json:
    """Every trade is an aggregate of itself."""
    return {
        "a": trade.id,
        "p": text(trade.price),
        "q": text(trade.qty),
        "f": trade.id,
        "l": trade.id,
        "T": trade.time,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def balances(account: Account) -> list[Json]:
    return [
        {"asset": asset, "free": text(balance.free), "locked": text(balance.held)}
        for asset, balance in sorted(account.balances.items())
    ]


def account(account: Account, exchange: Exchange) -> Json:
    rates = exchange.fee_rates
    return {
        "makerCommission": int(rates.maker * 10_000),
        "takerCommission": int(rates.taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": commission(exchange),
        "canTrade": account.can_trade,
        "canWithdraw": account.can_withdraw,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": account.updated,
        "accountType": "SPOT",
        "balances": balances(account),
        "permissions": ["SPOT"],
        "uid": 354937868,
    }


def commission(exchange: Exchange) -> Json:
    rates = exchange.fee_rates
    return {"maker": text(rates.maker), "taker": text(rates.taker), "buyer": text(ZERO), "seller": text(ZERO)}


def _amounts(order: Order) -> Json:
    request = order.request
    return {
        "price": text(request.limit),
        "origQty": text(order.qty),
        "executedQty": text(order.filled),
        "origQuoteOrderQty": text(request.quote_qty),
        "cummulativeQuoteQty": text(order.value),
        "status": status(order),
        "timeInForce": request.tif.upper(),
        "type": kind(request),
        "side": order.side.upper(),
    }


def _head(order: Order) -> Json:
    return {"symbol": their(order.symbol), "orderId": order.id, "orderListId": NOT_A_LIST, "clientOrderId": order.client_id}


def order(order: Order) -> Json:
    """As queries answer."""
    return {
        **_head(order),
        **_amounts(order),
        "stopPrice": text(order.request.stop),
        "icebergQty": text(ZERO),
        "time": order.created,
        "updateTime": order.updated,
        "isWorking": not order.waiting,
        "workingTime": order.working_time if not order.waiting else NOT_A_LIST,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def acknowledged(order: Order) -> Json:
    return {**_head(order), "transactTime": order.created}


def placed(order: Order, *, fills: bool) -> Json:
    """As placing answers: in full with its fills."""
    answer = {**_head(order), "transactTime": order.updated, **_amounts(order)}
    if order.request.stop:
        answer["stopPrice"] = text(order.request.stop)
    answer |= {"workingTime": order.working_time, "selfTradePreventionMode": "EXPIRE_MAKER"}
    if fills:
        answer["fills"] = [_fill(fill) for fill in order.fills]
    return answer


def cancelled(order: Order, cancel_id: str) -> Json:
    head = {**_head(order), "origClientOrderId": order.client_id, "clientOrderId": cancel_id}
    return {**head, "transactTime": order.updated, **_amounts(order), "selfTradePreventionMode": "EXPIRE_MAKER"}


def _fill(fill: Fill) -> Json:
    return {
        "price": text(fill.price),
        "qty": text(fill.qty),
        "commission": text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.id,
    }


def my_trade(fill: Fill) -> Json:
    return {
        "symbol": their(fill.symbol),
        "id": fill.id,
        "orderId": fill.order_id,
        "orderListId": NOT_A_LIST,
        "price": text(fill.price),
        "qty": text(fill.qty),
        "quoteQty": text(fill.value),
        "commission": text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time,
        "isBuyer": fill.side == "buy",
        "isMaker": fill.maker,
        "isBestMatch": True,
    }
