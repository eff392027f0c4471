"""Instruments, prices, books, trades and candles as Coinbase shows them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any

from market.sandbox.coinbase.notation import decimal_text, time_text
from market.sandbox.events import PublicTrade
from market.sandbox.history import DAY, MINUTE, SandboxCandle, TradeHistory
from market.sandbox.orders import ZERO
from market.sandbox.records import ListedMarket

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
class DayFigures:
    """What a symbol did in the last 24 hours. `change` in per cent."""

    low: Decimal
    high: Decimal
    volume: Decimal
    value: Decimal
    change: Decimal


def last_day(market: ListedMarket, now: int) -> DayFigures:
    """The figures of the last 24 hours from one-minute candles; without any, all prices are the last price. `now` in ms."""
    price = market.book.last
    minutes = market.history.candles("1m", start=now - DAY, end=now, limit=DAY // MINUTE + 1)
    if not minutes:
        return DayFigures(price, price, ZERO, ZERO, ZERO)
    whole = replace(minutes[0])
    for minute in minutes[1:]:
        whole.add(minute)
    return DayFigures(whole.low, whole.high, whole.volume, whole.value, 100 * (price - whole.open) / whole.open)


def rest_product(market: ListedMarket, now: int) -> dict[str, Any]:
    """A product as REST shows it. `now` is the market's time, ms."""
    item, day = market.instrument, last_day(market, now)
    (bid, _), (ask, _) = market.book.best()
    return {
        "product_id": item.symbol,
        "price": decimal_text(market.book.last),
        "price_percentage_change_24h": decimal_text(day.change.quantize(CENT)),
        "volume_24h": decimal_text(day.volume),
        "volume_percentage_change_24h": "0",
        "base_increment": decimal_text(item.lot),
        "quote_increment": decimal_text(item.tick),
        "quote_min_size": decimal_text(item.min_notional),
        "quote_max_size": decimal_text(item.max_notional),
        "base_min_size": decimal_text(item.min_qty),
        "base_max_size": decimal_text(item.max_qty),
        "base_name": NAMES.get(item.base, item.base),
        "quote_name": NAMES.get(item.quote, item.quote),
        "watched": False,
        "is_disabled": not item.trading,
        "new": False,
        "status": "online" if item.trading else "delisted",
        "cancel_only": False,
        "limit_only": not item.takes_market,
        "post_only": False,
        "trading_disabled": not item.trading,
        "auction_mode": False,
        "product_type": "SPOT",
        "quote_currency_id": item.quote,
        "base_currency_id": item.base,
        "fcm_trading_session_details": None,
        "mid_market_price": decimal_text((bid + ask) / 2),
        "alias": "",
        "alias_to": [],
        "base_display_symbol": item.base,
        "quote_display_symbol": item.quote,
        "view_only": False,
        "price_increment": decimal_text(item.tick),
        "display_name": item.symbol,
        "product_venue": "CBE",
        "approximate_quote_24h_volume": decimal_text(day.value.quantize(CENT)),
        "best_bid_price": decimal_text(bid),
        "best_ask_price": decimal_text(ask),
    }


def status_product(market: ListedMarket) -> dict[str, Any]:
    """A product as the status channel shows it."""
    item = market.instrument
    return {
        "product_type": "SPOT",
        "id": item.symbol,
        "base_currency": item.base,
        "quote_currency": item.quote,
        "base_increment": decimal_text(item.lot),
        "quote_increment": decimal_text(item.tick),
        "display_name": item.symbol.replace("-", "/"),
        "status": "online" if item.trading else "delisted",
        "status_message": "",
        "min_market_funds": decimal_text(item.min_notional),
    }


def ticker_row(market: ListedMarket, day: DayFigures) -> dict[str, Any]:
    """A row of the ticker channels. `day` may be a second old. It stands for the 52 weeks too, which the sandbox does not have."""
    (bid, bid_qty), (ask, ask_qty) = market.book.best()
    low, high = decimal_text(min(day.low, market.book.last)), decimal_text(max(day.high, market.book.last))
    return {
        "type": "ticker",
        "product_id": market.instrument.symbol,
        "price": decimal_text(market.book.last),
        "volume_24_h": decimal_text(day.volume),
        "low_24_h": low,
        "high_24_h": high,
        "low_52_w": low,
        "high_52_w": high,
        "price_percent_chg_24_h": decimal_text(day.change.quantize(CENT)),
        "best_bid": decimal_text(bid),
        "best_bid_quantity": decimal_text(bid_qty),
        "best_ask": decimal_text(ask),
        "best_ask_quantity": decimal_text(ask_qty),
    }


def price_book(market: ListedMarket, count: int, now: int) -> dict[str, Any]:
    bids, asks = market.book.depth(count)
    return {
        "product_id": market.instrument.symbol,
        "bids": [{"price": decimal_text(price), "size": decimal_text(qty)} for price, qty in bids],
        "asks": [{"price": decimal_text(price), "size": decimal_text(qty)} for price, qty in asks],
        "time": time_text(now),
    }


def product_book(market: ListedMarket, count: int, now: int) -> dict[str, Any]:
    (bid, _), (ask, _) = market.book.best()
    middle = (bid + ask) / 2
    return {
        "pricebook": price_book(market, count, now),
        "last": decimal_text(market.book.last),
        "mid_market": decimal_text(middle),
        "spread_bps": decimal_text((10_000 * (ask - bid) / middle).quantize(Decimal("0.000000000001"))),
        "spread_absolute": decimal_text(ask - bid),
    }


def public_trade(trade: PublicTrade) -> dict[str, Any]:
    """A trade. Its `side` is the maker's: in recorded answers, trades at the best ask are SELL."""
    return {
        "trade_id": str(trade.id),
        "product_id": trade.symbol,
        "price": decimal_text(trade.price),
        "size": decimal_text(trade.qty),
        "side": "BUY" if trade.buyer_is_maker else "SELL",
        "time": time_text(trade.time),
    }


def rest_trade(trade: PublicTrade) -> dict[str, Any]:
    return public_trade(trade) | {"bid": "", "ask": "", "exchange": "coinbase"}


def candle_row(row: SandboxCandle) -> dict[str, str]:
    return {
        "start": str(row.time // 1000),
        "low": decimal_text(row.low),
        "high": decimal_text(row.high),
        "open": decimal_text(row.open),
        "close": decimal_text(row.close),
        "volume": decimal_text(row.volume),
    }


def find_trades(history: TradeHistory, count: int, start: int | None, end: int | None) -> list[PublicTrade]:
    """The newest `count` trades first, from `start` to `end` (ms, both included)."""
    rows = (
        trade for trade in reversed(history.trades) if (start is None or trade.time >= start) and (end is None or trade.time <= end)
    )
    return list(islice(rows, count))
