"""The shapes of the portfolio's answers."""

from __future__ import annotations

from typing import Any

from core.shapes import (
    COUNT,
    DECIMAL,
    MOMENT,
    NUMBER,
    TEXT,
    Schema,
    allow_null,
    choice_shape,
    list_shape,
    name_object,
    object_shape,
)
from trading.api.shapes import BOT_ID, ORDER_ID
from trading.portfolio.periods import NAMES
from trading.portfolio.report import MODES

DAY: Schema = {"type": "string", "format": "date"}
MONTH: Schema = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"}
NOW = "2026-11-21T09:00:00.120000Z"
EARNED_EXAMPLE: dict[str, Any] = {
    "key": "BTC-USDT",
    "name": "BTC-USDT",
    "currency": "USD",
    "realised": "412.5",
    "unrealised": "-12.25",
    "total": "400.25",
    "fees": "18.4",
    "sales": 31,
    "won": 19,
    "win_rate": 19 / 31,
}
SHARE_EXAMPLE: dict[str, Any] = {
    "key": "BTC",
    "name": "BTC",
    "currency": "USD",
    "value": "31000",
    "share": 0.62,
    "amount": "0.5",
}
FEES_EXAMPLE: dict[str, Any] = {
    "month": "2026-11",
    "venue": "binance",
    "asset": "BNB",
    "paid": "0.0312",
    "currency": "USD",
    "value": "18.4",
    "unvalued": 0,
}
SALE_EXAMPLE: dict[str, Any] = {
    "order_id": "5b1e7f2a9c3d4e60",
    "bot": "9c1f0a7be2d4",
    "bot_name": "BTC crosses",
    "symbol": "BTC-USDT",
    "ts": "2026-11-20T17:05:00Z",
    "profit": "61.2",
}
PERIOD_EXAMPLE = {"name": "30d", "from": "2026-10-23", "to": "2026-11-21"}
LISTS = ("assets", "wallets", "venues", "strategies", "bots")
REPORT_EXAMPLE: dict[str, Any] = {
    "at": NOW,
    "mode": "live",
    "currency": "USD",
    "period": PERIOD_EXAMPLE,
    "worth": {"value": "50000", "wallets": 2, "unpriced": ["XYZ"], "estimated": []},
    "allocation": {**{name: [SHARE_EXAMPLE] for name in LISTS}, "bot_count": 12},
    "profit": {
        "totals": [EARNED_EXAMPLE],
        "days": [EARNED_EXAMPLE],
        "months": [EARNED_EXAMPLE],
        "symbols": [EARNED_EXAMPLE],
        "strategies": [EARNED_EXAMPLE],
        "bots": [EARNED_EXAMPLE],
        "bot_count": 12,
        "unpriced": [],
        "old_prices": [],
    },
    "fees": [FEES_EXAMPLE],
    "extremes": {
        "currency": "USD",
        "best_sales": [SALE_EXAMPLE],
        "worst_sales": [SALE_EXAMPLE],
        "best_days": [EARNED_EXAMPLE],
        "worst_days": [EARNED_EXAMPLE],
    },
}
PERIOD = name_object("PortfolioPeriod", PERIOD_EXAMPLE, **{"name": choice_shape(NAMES), "from": DAY, "to": DAY})
EARNED = name_object(
    "Earned",
    EARNED_EXAMPLE,
    key=TEXT,
    name=TEXT,
    currency=TEXT,
    realised=DECIMAL,
    unrealised=DECIMAL,
    total=DECIMAL,
    fees=DECIMAL,
    sales=COUNT,
    won=COUNT,
    win_rate=allow_null(NUMBER),
)
SHARE = name_object(
    "AllocationShare",
    SHARE_EXAMPLE,
    key=TEXT,
    name=TEXT,
    currency=TEXT,
    value=allow_null(DECIMAL),
    share=allow_null(NUMBER),
    amount=allow_null(DECIMAL),
)
MONTH_FEES = name_object(
    "MonthFees",
    FEES_EXAMPLE,
    month=MONTH,
    venue=TEXT,
    asset=TEXT,
    paid=DECIMAL,
    currency=TEXT,
    value=DECIMAL,
    unvalued=COUNT,
)
SALE = name_object(
    "Sale",
    SALE_EXAMPLE,
    order_id=ORDER_ID,
    bot=BOT_ID,
    bot_name=TEXT,
    symbol=TEXT,
    ts=MOMENT,
    profit=DECIMAL,
)
REPORT = name_object(
    "PortfolioReport",
    REPORT_EXAMPLE,
    at=MOMENT,
    mode=choice_shape(MODES),
    currency=TEXT,
    period=PERIOD,
    worth=object_shape(value=DECIMAL, wallets=COUNT, unpriced=list_shape(TEXT), estimated=list_shape(TEXT)),
    allocation=object_shape(**{name: list_shape(SHARE) for name in LISTS}, bot_count=COUNT),
    profit=object_shape(
        **{name: list_shape(EARNED) for name in ("totals", "days", "months", "symbols", "strategies", "bots")},
        bot_count=COUNT,
        unpriced=list_shape(TEXT),
        old_prices=list_shape(TEXT),
    ),
    fees=list_shape(MONTH_FEES),
    extremes=object_shape(
        currency=TEXT,
        **{name: list_shape(SALE) for name in ("best_sales", "worst_sales")},
        **{name: list_shape(EARNED) for name in ("best_days", "worst_days")},
    ),
)

POINT_EXAMPLE: dict[str, Any] = {
    "ts": "2026-11-21T09:00:00Z",
    "value": "50000",
    "paid_in": "45000",
    "flow": "0",
    "growth": 1.0412,
    "fall": -0.012,
}
RATE_EXAMPLE: dict[str, Any] = {"value": 0.0412, "yearly": 0.634, "why": None}
FALL_EXAMPLE = {"depth": -0.062, "peak_at": "2026-11-03T00:00:00Z", "low_at": "2026-11-09T00:00:00Z"}
HISTORY_EXAMPLE: dict[str, Any] = {
    "mode": "live",
    "currency": "USD",
    "period": PERIOD_EXAMPLE,
    "time_weighted": RATE_EXAMPLE,
    "money_weighted": {"value": None, "yearly": None, "why": "2 rates fit what was paid in and out."},
    "drawdown": FALL_EXAMPLE,
    "paid_in": "1000",
    "gained": "1981.4",
    "unpriced": [],
    "points": [POINT_EXAMPLE],
}
RATE = name_object("ReturnRate", RATE_EXAMPLE, value=allow_null(NUMBER), yearly=allow_null(NUMBER), why=allow_null(TEXT))
HISTORY = name_object(
    "PortfolioHistory",
    HISTORY_EXAMPLE,
    mode=choice_shape(MODES),
    currency=TEXT,
    period=PERIOD,
    time_weighted=RATE,
    money_weighted=RATE,
    drawdown=allow_null(name_object("PortfolioDrawdown", FALL_EXAMPLE, depth=NUMBER, peak_at=MOMENT, low_at=MOMENT)),
    paid_in=DECIMAL,
    gained=DECIMAL,
    unpriced=list_shape(TEXT),
    points=list_shape(
        name_object(
            "HistoryPoint", POINT_EXAMPLE, ts=MOMENT, value=DECIMAL, paid_in=DECIMAL, flow=DECIMAL, growth=NUMBER, fall=NUMBER
        )
    ),
)
