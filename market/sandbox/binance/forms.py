"""Binance's JSON for the sandbox's objects. The names and the order of fields follow Binance's documentation."""

from __future__ import annotations

from typing import Any

from market.sandbox.accounts import SandboxAccount
from market.sandbox.binance.notation import amount_text, status_name, type_name, venue_symbol
from market.sandbox.checks import BAND
from market.sandbox.elsewhere import list_assets
from market.sandbox.events import PublicTrade
from market.sandbox.exchange import SandboxExchange
from market.sandbox.history import DAY, SandboxCandle, TradeHistory, end_of
from market.sandbox.instruments import ListedInstrument
from market.sandbox.orders import ZERO, SandboxFill, SandboxOrder

Json = dict[str, Any]
ORDER_TYPES = ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"]
NOT_A_LIST = -1
"""The id of things that the sandbox does not have, such as order lists."""


def symbol_info(item: ListedInstrument) -> Json:
    """A symbol as `exchangeInfo` lists it."""
    flags = dict.fromkeys(("icebergAllowed", "ocoAllowed", "otoAllowed", "opoAllowed"), False)
    never = dict.fromkeys(("allowTrailingStop", "cancelReplaceAllowed", "amendAllowed", "pegInstructionsAllowed"), False)
    return {
        "symbol": venue_symbol(item.symbol),
        "status": "TRADING" if item.trading else "BREAK",
        "baseAsset": item.base,
        "baseAssetPrecision": 8,
        "quoteAsset": item.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [name for name in ORDER_TYPES if item.takes_market or name != "MARKET"],
        **flags,
        "quoteOrderQtyMarketAllowed": True,
        **never,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": list_filters(item),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    }


def list_filters(item: ListedInstrument) -> list[Json]:
    """The filters of a symbol, prices and quantities as text."""
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": amount_text(item.tick),
            "maxPrice": amount_text(item.max_price),
            "tickSize": amount_text(item.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": amount_text(item.min_qty),
            "maxQty": amount_text(item.max_qty),
            "stepSize": amount_text(item.lot),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": amount_text(ZERO),
            "maxQty": amount_text(item.market_max_qty or item.max_qty),
            "stepSize": amount_text(ZERO),
        },
        {"filterType": "PERCENT_PRICE", "multiplierUp": str(BAND), "multiplierDown": str(1 / BAND), "avgPriceMins": 0},
        {
            "filterType": "NOTIONAL",
            "minNotional": amount_text(item.min_notional),
            "applyMinToMarket": True,
            "maxNotional": amount_text(item.max_notional),
            "applyMaxToMarket": False,
            "avgPriceMins": 0,
        },
        *list_account_filters(item),
    ]


def list_account_filters(item: ListedInstrument) -> list[Json]:
    """The filters on what an account has at once, as far as the symbol has any."""
    found: list[Json] = []
    if item.max_position:
        found.append({"filterType": "MAX_POSITION", "maxPosition": amount_text(item.max_position)})
    if item.max_orders:
        found.append({"filterType": "MAX_NUM_ORDERS", "maxNumOrders": item.max_orders})
    if item.max_stops:
        found.append({"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": item.max_stops})
    return found


def kline_row(candle: SandboxCandle, interval: str) -> list[Any]:
    """A candle as REST lists it: a row of twelve, whose close time is its last millisecond."""
    return [
        candle.time,
        amount_text(candle.open),
        amount_text(candle.high),
        amount_text(candle.low),
        amount_text(candle.close),
        amount_text(candle.volume),
        end_of(interval, candle.time) - 1,
        amount_text(candle.value),
        candle.trades,
        amount_text(candle.taker_volume),
        amount_text(candle.taker_value),
        "0",
    ]


def kline_event(symbol: str, candle: SandboxCandle, interval: str, now: int, *, closed: bool) -> Json:
    """A candle in its stream. `now` (ms) is when the event happens."""
    name = venue_symbol(symbol)
    return {
        "e": "kline",
        "E": now,
        "s": name,
        "k": {
            "t": candle.time,
            "T": end_of(interval, candle.time) - 1,
            "s": name,
            "i": interval,
            "f": candle.first_trade,
            "L": candle.last_trade,
            "o": amount_text(candle.open),
            "c": amount_text(candle.close),
            "h": amount_text(candle.high),
            "l": amount_text(candle.low),
            "v": amount_text(candle.volume),
            "n": candle.trades,
            "x": closed,
            "q": amount_text(candle.value),
            "V": amount_text(candle.taker_volume),
            "Q": amount_text(candle.taker_value),
            "B": "0",
        },
    }


def day_figures(exchange: SandboxExchange, symbol: str, window: int = DAY) -> Json:
    """The figures of the last 24 hours, or of another window (ms), made of whole minutes."""
    history, book = exchange.history(symbol), exchange.book(symbol)
    now = exchange.clock()
    minutes = history.candles("1m", start=now - window, limit=DAY)
    opened = minutes[0].open if minutes else book.last
    volume = sum((candle.volume for candle in minutes), ZERO)
    value = sum((candle.value for candle in minutes), ZERO)
    (bid, bid_qty), (ask, ask_qty) = book.best()
    change = book.last - opened
    return {
        "symbol": venue_symbol(symbol),
        "priceChange": amount_text(change),
        "priceChangePercent": f"{change / opened * 100:.3f}",
        "weightedAvgPrice": f"{value / volume:.8f}" if volume else amount_text(ZERO),
        "prevClosePrice": amount_text(opened),
        "lastPrice": amount_text(book.last),
        "lastQty": amount_text(history.trades[-1].qty if history.trades else ZERO),
        "bidPrice": amount_text(bid),
        "bidQty": amount_text(bid_qty),
        "askPrice": amount_text(ask),
        "askQty": amount_text(ask_qty),
        "openPrice": amount_text(opened),
        "highPrice": amount_text(max((candle.high for candle in minutes), default=book.last)),
        "lowPrice": amount_text(min((candle.low for candle in minutes), default=book.last)),
        "volume": amount_text(volume),
        "quoteVolume": amount_text(value),
        "openTime": now - window,
        "closeTime": now,
        "firstId": _first_trade(history),
        "lastId": history.next_id - 1 if history.trades else NOT_A_LIST,
        "count": sum(candle.trades for candle in minutes),
    }


def _first_trade(history: TradeHistory) -> int:
    return history.trades[0].id if history.trades else NOT_A_LIST


def public_trade(trade: PublicTrade) -> Json:
    return {
        "id": trade.id,
        "price": amount_text(trade.price),
        "qty": amount_text(trade.qty),
        "quoteQty": amount_text(trade.price * trade.qty),
        "time": trade.time,
        "isBuyerMaker": trade.buyer_is_maker,
        "isBestMatch": True,
    }


def aggregate_trade(trade: PublicTrade) -> Json:
    """A trade as an aggregate of itself alone."""
    return {
        "a": trade.id,
        "p": amount_text(trade.price),
        "q": amount_text(trade.qty),
        "f": trade.id,
        "l": trade.id,
        "T": trade.time,
        "m": trade.buyer_is_maker,
        "M": True,
    }


def list_balances(account: SandboxAccount) -> list[Json]:
    """With a receipt for what is lent out in Simple Earn, as LD and the asset's name."""
    receipts = [
        {"asset": f"LD{asset}", "free": amount_text(amount), "locked": amount_text(ZERO)}
        for asset, amount in list_assets(account.elsewhere, "flexible")
    ]
    return receipts + [
        {"asset": asset, "free": amount_text(balance.free), "locked": amount_text(balance.held)}
        for asset, balance in sorted(account.balances.items())
    ]


def account_status(account: SandboxAccount, exchange: SandboxExchange) -> Json:
    """The account, with its balances and the fees of the venue."""
    rates = exchange.fee_rates
    return {
        "makerCommission": int(rates.maker * 10_000),
        "takerCommission": int(rates.taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": commission_rates(exchange),
        "canTrade": account.can_trade,
        "canWithdraw": account.can_withdraw,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": account.updated,
        "accountType": "SPOT",
        "balances": list_balances(account),
        "permissions": ["SPOT"],
        "uid": 354937868,
    }


def commission_rates(exchange: SandboxExchange) -> Json:
    rates = exchange.fee_rates
    return {
        "maker": amount_text(rates.maker),
        "taker": amount_text(rates.taker),
        "buyer": amount_text(ZERO),
        "seller": amount_text(ZERO),
    }


def _order_amounts(order: SandboxOrder) -> Json:
    request = order.request
    return {
        "price": amount_text(request.limit),
        "origQty": amount_text(order.qty),
        "executedQty": amount_text(order.filled),
        "origQuoteOrderQty": amount_text(request.quote_qty),
        "cummulativeQuoteQty": amount_text(order.value),
        "status": status_name(order),
        "timeInForce": request.tif.upper(),
        "type": type_name(request),
        "side": order.side.upper(),
    }


def _order_head(order: SandboxOrder) -> Json:
    return {"symbol": venue_symbol(order.symbol), "orderId": order.id, "orderListId": NOT_A_LIST, "clientOrderId": order.client_id}


def order_details(order: SandboxOrder) -> Json:
    """An order as queries show it."""
    return {
        **_order_head(order),
        **_order_amounts(order),
        "stopPrice": amount_text(order.request.stop),
        "icebergQty": amount_text(ZERO),
        "time": order.created,
        "updateTime": order.updated,
        "isWorking": not order.waiting,
        "workingTime": order.working_time if not order.waiting else NOT_A_LIST,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def order_acknowledgement(order: SandboxOrder) -> Json:
    return {**_order_head(order), "transactTime": order.created}


def order_result(order: SandboxOrder, *, fills: bool) -> Json:
    """An order as placing answers with RESULT, or with FULL, which lists its fills."""
    answer = {**_order_head(order), "transactTime": order.updated, **_order_amounts(order)}
    if order.request.stop:
        answer["stopPrice"] = amount_text(order.request.stop)
    answer |= {"workingTime": order.working_time, "selfTradePreventionMode": "EXPIRE_MAKER"}
    if fills:
        answer["fills"] = [_fill_row(fill) for fill in order.fills]
    return answer


def cancel_result(order: SandboxOrder, cancel_id: str) -> Json:
    head = {**_order_head(order), "origClientOrderId": order.client_id, "clientOrderId": cancel_id}
    return {**head, "transactTime": order.updated, **_order_amounts(order), "selfTradePreventionMode": "EXPIRE_MAKER"}


def _fill_row(fill: SandboxFill) -> Json:
    return {
        "price": amount_text(fill.price),
        "qty": amount_text(fill.qty),
        "commission": amount_text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.id,
    }


def my_trade(fill: SandboxFill) -> Json:
    """A fill as `myTrades` lists it."""
    return {
        "symbol": venue_symbol(fill.symbol),
        "id": fill.id,
        "orderId": fill.order_id,
        "orderListId": NOT_A_LIST,
        "price": amount_text(fill.price),
        "qty": amount_text(fill.qty),
        "quoteQty": amount_text(fill.value),
        "commission": amount_text(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": fill.time,
        "isBuyer": fill.side == "buy",
        "isMaker": fill.maker,
        "isBestMatch": True,
    }
