"""Examples of requests and answers about backtests, for the OpenAPI document."""

from __future__ import annotations

from trading.api.examples import RUN_STORED

CONFIG = {
    "strategy": "sma_cross",
    "params": {"fast": 10, "slow": 50},
    "symbols": ["ETH-BTC"],
    "interval": "5m",
    "cash": "10000",
    "fee_bps": 10,
}
STORED = {**RUN_STORED, "venue": "binance", "symbols": ["ETH-BTC"], "rules": {}}
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
    "per_symbol": {"ETH-BTC": {**GROUP, "buy_and_hold_return": -0.05}},
    "per_exit_reason": {"exit_signal": GROUP},
    "monthly_returns": [{"month": "2018-01", "return": -0.159912628242}],
    "candles": 5760,
    "candles_per_second": 6200000.0,
    "fingerprint": "c5a77faaacba5c94588c1df6862ecbc22860ce8dfc2c115fa26c8899b6ba0820",
    "code_hash": "6a204bd89f3c8348afd5c77c717a097ac5a77faaacba5c94588c1df6862ecbc2",
    "seed": 0,
    "config": STORED,
    "honesty": HONESTY,
    "results_digest": "467b6c1e9ff04920155e749dc5a9d00dc5a77faaacba5c94588c1df6862ecbc2",
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
        "drawdown": [[0.0], [0.0]],
    },
    "trades": {"in_each": [88, 80], "in_all": 12, "only_in": [76, 68], "share": 0.077},
    "same_as_first": [{"code": True, "result": True}, {"code": True, "result": False}],
}
EXPORT = {"run": RUN, "config": STORED, "results": RESULTS, "trades": [TRADE]}
DEAL = {
    "symbol": "BTC-USDT",
    "side": "buy",
    "reason": "entry_signal",
    "candle": "2026-11-21T09:05:00Z",
    "ts": "2026-11-21T09:05:00Z",
    "price": "64250.1",
    "qty": "0.0155",
    "fee": "0.99587655",
}
AGAINST_LIVE = {
    "run_id": "6f1e0a3c9b5d4e72",
    "bot": "0c9f3b7a1d2e",
    "mode": "testnet",
    "same": False,
    "until": "2026-11-21T11:55:00Z",
    "candles": 312,
    "expected_equity": "1012.42",
    "actual_equity": "1012.11",
    "difference": "-0.31",
    "in_what_is_held": None,
    "causes": {"price": {"fills": 1, "effect": "-0.31"}},
    "pairs_total": 1,
    "pairs": [
        {"expected": DEAL, "actual": DEAL | {"ts": "2026-11-21T09:05:00.412000Z", "price": "64270.1"}, "causes": {"price": "-0.31"}}
    ],
}
