"""What requests and answers about backtests look like, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes

from access.openapi import query_parameter
from backtests.models import Status
from engine.types import INTERVALS, REASONS, Protections
from trading.setup.config import SIZINGS, SLIPPAGES, STOP_SCOPES

NUMBER = {"type": "number"}
MONEY = {"type": "string", "description": "Decimal notation; a number is taken too.", "example": "10000"}
MOMENT = {"type": "string", "nullable": True, "description": "A date or time, ISO-8601, UTC.", "example": "2022-01-01T00:00:00Z"}


def section_schema(description: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "description": description, "properties": properties, "additionalProperties": False}


CONFIG: dict[str, Any] = {
    "type": "object",
    "required": ["strategy", "interval"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "maxLength": 200, "description": "A label. It does not change results."},
        "strategy": {"type": "string", "description": "A name from GET strategies."},
        "params": {"type": "object", "description": "The strategy's parameters; what is left out takes its default."},
        "venue": {"type": "string", "description": "May be left out where only one venue has the symbols."},
        "symbols": {"type": "array", "items": {"type": "string"}, "minItems": 1, "example": ["BTC-USD"]},
        "symbol": {"type": "string", "description": "Short for symbols with one entry."},
        "interval": {"type": "string", "enum": list(INTERVALS)},
        "start": {**MOMENT, "description": "The first open time. A date is its first moment. Null: from the first candle."},
        "end": {**MOMENT, "description": "Open times before this. Null: to the last candle."},
        "cash": MONEY,
        "fees": section_schema(
            "Shares of the traded value in basis points; 10 where left out.", maker_bps=NUMBER, taker_bps=NUMBER
        ),
        "fee_bps": {**NUMBER, "description": "Short for both fees."},
        "slippage": section_schema(
            "What takers lose to the market.",
            kind={"type": "string", "enum": list(SLIPPAGES)},
            value={**NUMBER, "description": "Basis points, or half the spread in quote currency."},
            max_share={**NUMBER, "description": "volume_share: the most of a candle's volume that is taken."},
            impact={**NUMBER, "description": "volume_share: price impact at the whole volume."},
        ),
        "slippage_bps": {**NUMBER, "description": "Short for slippage in basis points."},
        "sizing": section_schema(
            "What one entry spends.",
            kind={"type": "string", "enum": list(SIZINGS)},
            value=NUMBER,
            lookback={"type": "integer"},
            cap=NUMBER,
            min_trades={"type": "integer"},
        ),
        "exits": section_schema(
            "Protective exits, ratios of the entry price; 0 is none.",
            stop_loss=NUMBER,
            take_profit=NUMBER,
            trailing_stop=NUMBER,
            max_candles={"type": "integer"},
        ),
        "limits": section_schema("Portfolio limits; 0 is none.", max_open_positions={"type": "integer"}, symbol_cap=NUMBER),
        "protections": section_schema(
            "When entries are refused for a while; windows and pauses in candles, 0 is off. See the fill rules.",
            **{
                name: NUMBER if name in ("drawdown", "profit_least") else {"type": "integer"}
                for name in Protections.__dataclass_fields__
            }
            | {"stop_scope": {"type": "string", "enum": list(STOP_SCOPES)}},
        ),
        "order_ttl": {"type": "integer", "description": "Candles after which a resting entry order is cancelled; 0 is never."},
        "seed": {"type": "integer", "description": "For everything random in the run, such as the audit's choice of candles."},
        "rules": {
            "type": "object",
            "description": "Tick, lot and minimum notional by symbol; the instruments' own where left out.",
        },
    },
}
CONFIG_EXAMPLE = {
    "strategy": "sma_cross",
    "params": {"fast": 10, "slow": 50},
    "symbols": ["ETH-BTC"],
    "interval": "5m",
    "cash": "10000",
    "fee_bps": 10,
}
QUEUED = {"run_id": "8f0c2d5e9a4b1c37", "status": "queued"}
RUN = {
    "run_id": "8f0c2d5e9a4b1c37",
    "name": "",
    "status": "completed",
    "strategy": "sma_cross",
    "symbols": ["ETH-BTC"],
    "interval": "5m",
    "candles_processed": 5760,
    "candles_total": 5760,
    "share": 1.0,
    "attempt": 1,
    "cancel_requested": False,
    "error": None,
    "created_at": "2026-11-21T09:00:00Z",
    "started_at": "2026-11-21T09:00:00Z",
    "finished_at": "2026-11-21T09:00:01Z",
    "total_return": -0.159912628242,
    "sharpe": -4.98430270699,
    "max_drawdown": -0.220474465753,
    "trades": 88,
}
GROUP = {
    "trades": 88,
    "profit": "-1599.12628242",
    "win_rate": 0.25,
    "average_return": -0.0019,
    "fees": "1597.1",
    "slippage": "0.00",
}
NOTICE = {"code": "no_costs", "level": "warning", "message": "Fees and slippage are zero. No venue is free: ..."}
HONESTY = {
    "look_ahead": {"verdict": "clean"},
    "warmup": {"candles": 51, "signals_ignored": 0, "unknown_after": {}},
    "gaps": [
        {"symbol": "ETH-BTC", "count": 1, "missing": 3, "largest": [{"after": "2018-01-12T00:00:00Z", "missing": 3}]},
    ],
    "best_three_trades_share": None,
    "cost_sensitivity": {"multiple": 2.0, "final_equity": "7045.12088210", "total_return": -0.295487911789, "trades": 88},
    "warnings": [NOTICE],
}
RESULTS = {
    "run_id": "8f0c2d5e9a4b1c37",
    "final_equity": "8400.87371758",
    "total_return": -0.159912628242,
    "cagr": -0.95,
    "volatility": 0.6,
    "sharpe": -4.98430270699,
    "sortino": -5.1,
    "calmar": -4.3,
    "max_drawdown": -0.220474465753,
    "max_drawdown_duration_s": 1641300.0,
    "trades": 88,
    "win_rate": 0.25,
    "profit_factor": 0.6,
    "expectancy": "-18.17188957",
    "average_win": "98.20000000",
    "average_loss": "-56.10000000",
    "exposure": 0.52,
    "turnover": 166.0,
    "fees_paid": "1597.10000000",
    "slippage_paid": "0.00000000",
    "buy_and_hold_return": -0.05,
    "per_symbol": {"ETH-BTC": GROUP},
    "per_exit_reason": {"exit_signal": GROUP},
    "monthly_returns": [{"month": "2018-01", "return": -0.159912628242}],
    "candles": 5760,
    "candles_per_second": 6200000.0,
    "fingerprint": "c5a77faaacba5c94588c1df6862ecbc22860ce8dfc2c115fa26c8899b6ba0820",
    "code_hash": "6a204bd89f3c8348afd5c77c717a097a...",
    "seed": 0,
    "config": CONFIG_EXAMPLE,
    "honesty": HONESTY,
    "results_digest": "467b6c1e9ff04920155e749dc5a9d00d...",
}
EQUITY = {"time": "2018-01-10T04:55:00Z", "equity": "10000", "drawdown": 0.0, "buy_and_hold": "10012.52"}
TRADE = {
    "number": 1,
    "symbol": "ETH-BTC",
    "entry_time": "2018-01-10T10:00:00Z",
    "exit_time": "2018-01-10T12:15:00Z",
    "entry_price": "0.0921",
    "exit_price": "0.0931",
    "quantity": "108469.1",
    "fees": "20.08",
    "slippage": "0",
    "profit": "88.39",
    "return": 0.0088,
    "duration_s": 8100,
    "entry_reason": "entry_signal",
    "exit_reason": "exit_signal",
}
ORDER = {
    "order": 1,
    "symbol": "ETH-BTC",
    "side": "buy",
    "type": "market",
    "reason": "entry_signal",
    "created_at": "2018-01-10T09:55:00Z",
    "closed_at": "2018-01-10T10:00:00Z",
    "limit": None,
    "stop": None,
    "quantity": "108469.1",
    "status": "filled",
    "refusal": None,
}
FILL = {
    "fill": 1,
    "order": 1,
    "symbol": "ETH-BTC",
    "side": "buy",
    "type": "market",
    "reason": "entry_signal",
    "time": "2018-01-10T10:00:00Z",
    "maker": False,
    "price": "0.0921",
    "quantity": "108469.1",
    "fee": "9.99",
    "slippage": "0",
    "cash_after": "0",
    "position_after": "108469.1",
}
CANDLE = {
    "time": "2018-01-10T10:00:00Z",
    "open": "0.0921",
    "high": "0.0925",
    "low": "0.0919",
    "close": "0.0924",
    "volume": "512.7",
    "indicators": {"fast": 0.0918, "slow": 0.0911},
}
CANDLES = {"symbol": "ETH-BTC", "interval": "5m", "results": [CANDLE], "fills": [FILL], "next": None}
POSITION = {
    "symbol": "ETH-BTC",
    "quantity": "108469.1",
    "average_price": "0.0921",
    "mark": "0.0924",
    "value": "10022.5",
    "unrealised": "32.5",
}
STATE = {
    "time": "2018-01-10T10:00:00Z",
    "closes_at": "2018-01-10T10:05:00Z",
    "index": 61,
    "candles": 5760,
    "cash": "0",
    "equity": "10022.5",
    "drawdown": 0.0,
    "positions": [POSITION],
    "open_orders": [],
    "open_order_count": 0,
    "last_fill": FILL,
    "last_order": ORDER,
    "last_refusal": None,
    "indicators": {"ETH-BTC": {"fast": 0.0918, "slow": 0.0911}},
}
COMPARISON = {
    "runs": [RUN, RUN],
    "config": {"params.fast": [10, 12]},
    "metrics": {"final_equity": {"values": ["8400.87371758", "8611.2"], "differences": ["0", "210.32628242"]}},
    "equity": {
        "time": ["2018-01-10T04:55:00Z"],
        "absolute": [["10000"], ["10000"]],
        "normalised": [[1.0], [1.0]],
    },
    "trades": {"in_each": [88, 80], "in_all": 12, "only_in": [76, 68], "share": 0.077},
    "same_as_first": [{"code": True, "result": True}, {"code": True, "result": False}],
}
EXPORT = {"run": RUN, "config": CONFIG_EXAMPLE, "results": RESULTS, "trades": [TRADE]}

CURSOR = query_parameter("cursor", "From the `next` of the page before.")
LIMIT = query_parameter("limit", "Rows on a page, at most 500.", OpenApiTypes.INT)
LIST = [
    query_parameter("status", "Only these.", values=Status.values),
    query_parameter("strategy", "Only of this strategy."),
    query_parameter("symbol", "Only with this symbol."),
    CURSOR,
    LIMIT,
]
TRADES = [
    query_parameter("sort", "A column of the rows; with a minus in front, descending."),
    query_parameter("symbol", "Only of this symbol."),
    query_parameter("reason", "Only closed for this reason.", values=REASONS),
    query_parameter("outcome", "Only with profit, or only with loss.", values=["won", "lost"]),
    query_parameter("start", "Entered from this time on."),
    query_parameter("end", "Entered before this time."),
    CURSOR,
    LIMIT,
]
POINTS = [
    query_parameter("points", "Thinned to about so many points that keep the curve's shape (3 to 5000).", OpenApiTypes.INT),
    query_parameter("cursor", "Every point, by page, instead: empty for the first page, then from `next`."),
    query_parameter("limit", "Points on a page, at most 5000.", OpenApiTypes.INT),
]
CANDLE_RANGE = [
    query_parameter("start", "Open times from here on."),
    query_parameter("end", "Open times before this."),
    query_parameter("symbol", "One of the run's; the first where left out."),
    query_parameter("limit", "At most 5000 candles.", OpenApiTypes.INT),
]
