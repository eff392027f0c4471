"""Instruments, prices, books, trades and candles as Coinbase shows them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any

from market.sandbox.coinbase.notation import moment, plain
from market.sandbox.events import Trade
from market.sandbox.exchange import Market
from market.sandbox.history import DAY, MINUTE, Candle, History
from market.sandbox.orders import ZERO

GRANULARITIES = {
    "ONE_MINUTE": "1m",
    "FIVE_MINUTE": "5m",
    "FIFTEEN_MINUTE": "15m",
    "THIRTY_MINUTE": "30m",
    "ONE_HOUR": "1h",
    "TWO_HOUR": "2h",
    "FOUR_HOUR": "4h",
    "SIX_HOUR": "6h",
    "ONE_DAY": "1d",
}
NAMES = {"USD": "US Dollar", "BTC": "Bitcoin", "ETH": "Ethereum", "SOL": "Solana"}
CENT = Decimal("0.01")

Levels = list[tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class Day:
    """What a symbol did in the last 24 hours; `change` in per cent."""

    low: Decimal
    high: Decimal
    volume: Decimal
    value: Decimal
    change: Decimal


def last_day(market: Market, now: int) -> Day:
    """By its one-minute candles. A market without trades stands at its price."""
    price = market.book.last
    minutes = market.history.candles("1m", start=now - DAY, end=now, limit=DAY // MINUTE + 1)
    if not minutes:
        return Day(price, price, ZERO, ZERO, ZERO)
    whole = replace(minutes[0])
    for minute in minutes[1:]:
        whole.add(minute)
    return Day(whole.low, whole.high, whole.volume, whole.value, 100 * (price - whole.open) / whole.open)


def rest_product(market: Market, now: int) -> dict[str, Any]:
    """`now`: the market's time, ms."""
    item, day = market.instrument, last_day(market, now)
    (bid, _), (ask, _) = market.book.best()
    return {
        "product_id": item.symbol,
        "price": plain(market.book.last),
        "price_percentage_change_24h": plain(day.change.quantize(CENT)),
        "volume_24h": plain(day.volume),
        "volume_percentage_change_24h": "0",
        "base_increment": plain(item.lot),
        "quote_increment": plain(item.tick),
        "quote_min_size": plain(item.min_notional),
        "quote_max_size": plain(item.max_qty * market.book.last),
        "base_min_size": plain(item.min_qty),
        "base_max_size": plain(item.max_qty),
        "base_name": NAMES.get(item.base, item.base),
        "quote_name": NAMES.get(item.quote, item.quote),
        "watched": False,
        "is_disabled": not item.trading,
        "new": False,
        "status": "online" if item.trading else "delisted",
        "cancel_only": False,
        "limit_only": False,
        "post_only": False,
        "trading_disabled": not item.trading,
        "auction_mode": False,
        "product_type": "SPOT",
        "quote_currency_id": item.quote,
        "base_currency_id": item.base,
        "fcm_trading_session_details": None,
        "mid_market_price": plain((bid + ask) / 2),
        "alias": "",
        "alias_to": [],
        "base_display_symbol": item.base,
        "quote_display_symbol": item.quote,
        "view_only": False,
        "price_increment": plain(item.tick),
        "display_name": item.symbol,
        "product_venue": "CBE",
        "approximate_quote_24h_volume": plain(day.value.quantize(CENT)),
        "best_bid_price": plain(bid),
        "best_ask_price": plain(ask),
    }


def status_product(market: Market) -> dict[str, Any]:
    """A product in the status channel."""
    item = market.instrument
    return {
        "product_type": "SPOT",
        "id": item.symbol,
        "base_currency": item.base,
        "quote_currency": item.quote,
        "base_increment": plain(item.lot),
        "quote_increment": plain(item.tick),
        "display_name": item.symbol.replace("-", "/"),
        "status": "online" if item.trading else "delisted",
        "status_message": "",
        "min_market_funds": plain(item.min_notional),
    }


def ticker(market: Market, day: Day) -> dict[str, Any]:
    """A row of the ticker channels. `day` may be a second old. The sandbox has no 52 weeks: it shows the day's."""
    (bid, bid_qty), (ask, ask_qty) = market.book.best()
    low, high = plain(min(day.low, market.book.last)), plain(max(day.high, market.book.last))
    return {
        "type": "ticker",
        "product_id": market.instrument.symbol,
        "price": plain(market.book.last),
        "volume_24_h": plain(day.volume),
        "low_24_h": low,
        "high_24_h": high,
        "low_52_w": low,
        "high_52_w": high,
        "price_percent_chg_24_h": plain(day.change.quantize(CENT)),
        "best_bid": plain(bid),
        "best_bid_quantity": plain(bid_qty),
        "best_ask": plain(ask),
        "best_ask_quantity": plain(ask_qty),
    }


def price_book(market: Market, count: int, now: int) -> dict[str, Any]:
    bids, asks = market.book.depth(count)
    return {
        "product_id": market.instrument.symbol,
        "bids": [{"price": plain(price), "size": plain(qty)} for price, qty in bids],
        "asks": [{"price": plain(price), "size": plain(qty)} for price, qty in asks],
        "time": moment(now),
    }


def product_book(market: Market, count: int, now: int) -> dict[str, Any]:
    (bid, _), (ask, _) = market.book.best()
    middle = (bid + ask) / 2
    return {
        "pricebook": price_book(market, count, now),
        "last": plain(market.book.last),
        "mid_market": plain(middle),
        "spread_bps": plain((10_000 * (ask - bid) / middle).quantize(Decimal("0.000000000001"))),
        "spread_absolute": plain(ask - bid),
    }


def public_trade(trade: Trade) -> dict[str, Any]:
    """`side` is the maker's: in recorded answers those at the best ask are SELL."""
    return {
        "trade_id": str(trade.id),
        "product_id": trade.symbol,
        "price": plain(trade.price),
        "size": plain(trade.qty),
        "side": "BUY" if trade.buyer_is_maker else "SELL",
        "time": moment(trade.time),
    }


def rest_trade(trade: Trade) -> dict[str, Any]:
    return public_trade(trade) | {"bid": "", "ask": "", "exchange": "coinbase"}


def candle(row: Candle) -> dict[str, str]:
    return {
        "start": str(row.time // 1000),
        "low": plain(row.low),
        "high": plain(row.high),
        "open": plain(row.open),
        "close": plain(row.close),
        "volume": plain(row.volume),
    }


def find_trades(history: History, count: int, start: int | None, end: int | None) -> list[Trade]:
    """The newest first; `start` and `end` in ms, both included."""
    rows = (
        trade for trade in reversed(history.trades) if (start is None or trade.time >= start) and (end is None or trade.time <= end)
    )
    return list(islice(rows, count))
