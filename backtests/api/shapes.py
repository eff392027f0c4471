"""The shapes of requests and answers about backtests."""

from __future__ import annotations

from typing import Any

from access.openapi import name_path
from backtests.api import examples
from backtests.models import Status
from backtests.selectors.compare import MOST_RUNS
from backtests.selectors.differences import CAUSES
from core.shapes import (
    ANYTHING,
    COUNT,
    DECIMAL,
    FLAG,
    MOMENT,
    MOMENT_ASKED,
    NUMBER,
    SHA256,
    TEXT,
    AnyShape,
    allow_null,
    choice_shape,
    list_shape,
    map_shape,
    name_object,
    name_page,
    name_shape,
    object_shape,
)
from engine.metrics import KINDS
from engine.types import ORDER_STATUSES, ORDER_TYPES, REASONS, SIDES
from trading.api.shapes import BOT_ID, INTERVAL, MAYBE_MOMENT, MAYBE_NUMBER, MAYBE_TEXT, MODE, MONEY, RUN_ID, RUN_STORED

name_path("run_id", RUN_ID, "A run's id.")
name_path("timestamp", MOMENT_ASKED, "ISO-8601, UTC: 2018-01-10T10:00:00Z.")
STATUS, SIDE, TYPE, REASON = choice_shape(Status.values), choice_shape(SIDES), choice_shape(ORDER_TYPES), choice_shape(REASONS)
FAULT = allow_null(object_shape(code=TEXT, message=TEXT))
NOTICES = list_shape(object_shape(code=TEXT, level=choice_shape(["info", "warning", "danger"]), message=TEXT))
QUEUED = name_object("RunState", examples.QUEUED, run_id=RUN_ID, status=STATUS)
RUN_FIELDS: dict[str, Any] = {
    "run_id": RUN_ID,
    "name": TEXT,
    "status": STATUS,
    "strategy": TEXT,
    "symbols": list_shape(TEXT),
    "interval": INTERVAL,
    "candles_processed": COUNT,
    "candles_total": COUNT,
    "share": NUMBER,
    "attempt": COUNT,
    "cancel_requested": FLAG,
    "error": FAULT,
    "created_at": MOMENT,
    "started_at": MAYBE_MOMENT,
    "finished_at": MAYBE_MOMENT,
    "total_return": MAYBE_NUMBER,
    "sharpe": MAYBE_NUMBER,
    "max_drawdown": MAYBE_NUMBER,
    "trades": allow_null(COUNT),
}
RUN_ROW = name_object("Backtest", examples.RUN, **RUN_FIELDS)
RUN_ROWS = name_page(RUN_ROW)
RUN = name_object("BacktestWhole", {**examples.RUN, "config": examples.STORED}, **RUN_FIELDS, config=RUN_STORED)
GROUP_FIELDS: dict[str, Any] = {
    "trades": COUNT,
    "profit": DECIMAL,
    "win_rate": MAYBE_NUMBER,
    "average_return": MAYBE_NUMBER,
    "fees": DECIMAL,
    "slippage": DECIMAL,
}
HONESTY = object_shape(
    look_ahead=object_shape(
        optional=["prefixes", "first_difference"],
        verdict=choice_shape(["clean", "caught"]),
        prefixes=COUNT,
        first_difference=object_shape(symbol=TEXT, column=TEXT, time=MOMENT, candles_given=COUNT),
    ),
    warmup=object_shape(candles=COUNT, signals_ignored=COUNT, unknown_after=map_shape(COUNT)),
    gaps=list_shape(
        object_shape(symbol=TEXT, count=COUNT, missing=COUNT, largest=list_shape(object_shape(after=MOMENT, missing=COUNT)))
    ),
    best_three_trades_share=MAYBE_NUMBER,
    cost_sensitivity=object_shape(multiple=NUMBER, final_equity=MONEY, total_return=MAYBE_NUMBER, trades=COUNT),
    warnings=NOTICES,
)
FIGURES = {"money": MONEY, "percent": MAYBE_NUMBER, "number": MAYBE_NUMBER, "seconds": MAYBE_NUMBER, "count": allow_null(COUNT)}
"""The shape of a metric, by its kind."""
TABLES: dict[str, AnyShape] = {
    "largest_drawdowns": list_shape(
        object_shape(depth=MAYBE_NUMBER, start=MOMENT, trough=MOMENT, end=MAYBE_MOMENT, duration_s=NUMBER)
    ),
    "per_symbol": map_shape(object_shape(**GROUP_FIELDS, buy_and_hold_return=MAYBE_NUMBER)),
    "per_exit_reason": map_shape(object_shape(**GROUP_FIELDS)),
    "monthly_returns": list_shape(object_shape(month={"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"}, **{"return": NUMBER})),
}
METRIC_FIELDS: dict[str, AnyShape] = {name: TABLES.get(name) or FIGURES[kind] for name, kind in KINDS.items()}
RESULTS = name_object(
    "BacktestResults",
    examples.RESULTS,
    optional=set(METRIC_FIELDS) - set(examples.RESULTS),
    **{
        **METRIC_FIELDS,
        "run_id": RUN_ID,
        "candles_per_second": MAYBE_NUMBER,
        "fingerprint": SHA256,
        "code_hash": SHA256,
        "seed": COUNT,
        "config": RUN_STORED,
        "honesty": HONESTY,
        "results_digest": SHA256,
    },
)
EQUITY = name_object("EquityPoint", examples.EQUITY, time=MOMENT, equity=DECIMAL, drawdown=MAYBE_NUMBER, buy_and_hold=DECIMAL)
EQUITY_PAGE = name_page(EQUITY)
TRADE = name_object(
    "Trade",
    examples.TRADE,
    **{
        "number": COUNT,
        "symbol": TEXT,
        "entry_time": MOMENT,
        "exit_time": MOMENT,
        "entry_price": DECIMAL,
        "exit_price": DECIMAL,
        "quantity": DECIMAL,
        "fees": DECIMAL,
        "slippage": DECIMAL,
        "profit": DECIMAL,
        "return": MAYBE_NUMBER,
        "duration_s": COUNT,
        "entry_reason": REASON,
        "exit_reason": REASON,
    },
)
TRADES = name_page(TRADE)
ORDER = name_object(
    "SimulatedOrder",
    examples.ORDER,
    order=COUNT,
    symbol=TEXT,
    side=SIDE,
    type=TYPE,
    reason=REASON,
    created_at=MOMENT,
    closed_at=MAYBE_MOMENT,
    limit=MONEY,
    stop=MONEY,
    quantity=MONEY,
    status=choice_shape(ORDER_STATUSES),
    refusal=MAYBE_TEXT,
)
FILL = name_object(
    "SimulatedFill",
    examples.FILL,
    fill=COUNT,
    order=COUNT,
    symbol=TEXT,
    side=SIDE,
    type=TYPE,
    reason=REASON,
    time=MOMENT,
    maker=FLAG,
    price=DECIMAL,
    quantity=DECIMAL,
    fee=DECIMAL,
    slippage=DECIMAL,
    cash_after=DECIMAL,
    position_after=DECIMAL,
)
INDICATORS = map_shape(MAYBE_NUMBER)
CANDLE = name_object(
    "PlaybackCandle",
    examples.CANDLE,
    time=MOMENT,
    open=DECIMAL,
    high=DECIMAL,
    low=DECIMAL,
    close=DECIMAL,
    volume=MONEY,
    indicators=INDICATORS,
)
CANDLES = name_object(
    "PlaybackCandles",
    examples.CANDLES,
    symbol=TEXT,
    interval=INTERVAL,
    results=list_shape(CANDLE),
    fills=list_shape(FILL),
    next=allow_null({"type": "string", "format": "uri"}),
)
POSITION = object_shape(symbol=TEXT, quantity=DECIMAL, average_price=MONEY, mark=MONEY, value=MONEY, unrealised=MONEY)
STATE = name_object(
    "PlaybackState",
    examples.STATE,
    time=MOMENT,
    closes_at=MOMENT,
    index=COUNT,
    candles=COUNT,
    cash=DECIMAL,
    equity=DECIMAL,
    drawdown=MAYBE_NUMBER,
    positions=list_shape(POSITION),
    open_orders=list_shape(ORDER),
    open_order_count=COUNT,
    last_fill=allow_null(FILL),
    last_order=allow_null(ORDER),
    last_refusal=allow_null(ORDER),
    indicators=map_shape(INDICATORS),
)
CURVES = list_shape(list_shape(MAYBE_NUMBER))
COMPARISON = name_object(
    "Comparison",
    examples.COMPARISON,
    runs=list_shape(RUN_ROW),
    config=map_shape(list_shape(ANYTHING)),
    metrics=map_shape(object_shape(values=list_shape(ANYTHING), differences=list_shape(ANYTHING))),
    equity=object_shape(time=list_shape(MOMENT), absolute=list_shape(list_shape(MONEY)), normalised=CURVES, drawdown=CURVES),
    trades=object_shape(in_each=list_shape(COUNT), in_all=COUNT, only_in=list_shape(COUNT), share=MAYBE_NUMBER),
    same_as_first=list_shape(object_shape(code=FLAG, result=FLAG)),
)
EXPORT = name_object("Export", examples.EXPORT, run=RUN_ROW, config=RUN_STORED, results=RESULTS, trades=list_shape(TRADE))
TRADES_CSV = name_shape("TradesCsv", TEXT, ",".join(examples.TRADE))
RUN_IDS = {"type": "string", "pattern": f"^[0-9a-f]{{16}}(,[0-9a-f]{{16}}){{1,{MOST_RUNS - 1}}}$"}
DEAL = object_shape(symbol=TEXT, side=SIDE, reason=TEXT, candle=MOMENT, ts=MOMENT, price=DECIMAL, qty=DECIMAL, fee=DECIMAL)
AGAINST_LIVE = name_object(
    "AgainstLive",
    examples.AGAINST_LIVE,
    run_id=RUN_ID,
    bot=BOT_ID,
    mode=MODE,
    same=FLAG,
    until=MOMENT,
    candles=COUNT,
    expected_equity=DECIMAL,
    actual_equity=MONEY,
    difference=MONEY,
    in_what_is_held=MONEY,
    causes=object_shape(optional=CAUSES, **{cause: object_shape(fills=COUNT, effect=MONEY) for cause in CAUSES}),
    pairs_total=COUNT,
    pairs=list_shape(object_shape(expected=allow_null(DEAL), actual=allow_null(DEAL), causes=map_shape(MONEY))),
)
