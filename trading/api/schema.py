"""What requests and answers about bots and the running desk look like, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from trading.models import Mode
from trading.setup.limits import DAYS

NOW, EARLIER = "2026-11-21T09:00:00.120000Z", "2026-11-21T08:55:00Z"
STATUS: dict[str, Any] = {
    "bot": "9c1f0a7be2d4",
    "name": "BTC crosses",
    "mode": "paper",
    "status": "running",
    "why": "",
    "exits_blocked": {},
    "run_id": "8f0c2d5e9a4b1c37",
    "started_at": "2026-11-20T07:00:00Z",
    "ended_at": None,
    "end_reason": None,
    "left": [],
    "last_evaluation_at": NOW,
    "last_candle_at": EARLIER,
    "evaluation_ms": 0.8,
    "evaluations": 312,
    "progress": None,
}
BOT: dict[str, Any] = {
    **STATUS,
    "strategy": "sma_cross",
    "venue": "binance",
    "symbols": ["BTC-USDT"],
    "interval": "5m",
    "wallet": "4be1c90d2f7a6638",
    "wanted": "running",
    "currency": "USDT",
    "cash": "8712.4",
    "equity": "10031.12",
    "valued_at": "prices",
    "profit": "31.12",
    "profit_ratio": 0.003112,
    "realised": "24.5",
    "unrealised": "6.62",
    "positions": 1,
    "dust": [{"symbol": "ETH-USDT", "qty": "0.00004", "value": "0.12", "currency": "USDT"}],
    "open_orders": 0,
    "blocks_today": 2,
    "created_at": "2026-11-20T06:58:12Z",
}
EFFECTS = {
    "start": "Begins a new run: entries and exits from the next candle that closes.",
    "pause": "No new entries: cancels those that rest among no open orders; exits go on for 1 position.",
    "stop": "Cancels no open orders, keeps 1 position, with nothing to protect it.",
    "close": "Cancels no open orders, sells 1 position at market, about 1,318.72 USDT, then stops.",
}
BOT_CONFIG: dict[str, Any] = {
    "strategy": "sma_cross",
    "params": {"fast": 10, "slow": 50},
    "venue": "binance",
    "symbols": ["BTC-USDT"],
    "interval": "5m",
    "cash": "10000",
}
BOT_WHOLE: dict[str, Any] = {
    **BOT,
    "config": BOT_CONFIG,
    "limits": {"daily_loss": "200", "open_orders": 10},
    "schedule": {},
    "replay": {},
    "live_allowed": False,
    "from_backtest": None,
    "effects": EFFECTS,
}
BOT_FIELDS: dict[str, Any] = {
    "name": {"type": "string", "maxLength": 80},
    "mode": {"type": "string", "enum": Mode.values},
    "wallet_id": {"type": "string", "description": "From GET wallets: paper for replay and paper, exchange for testnet and live."},
    "config": {
        "type": "object",
        "description": "As for POST backtests: strategy, params, venue, symbols, interval, cash, sizing, exits.",
    },
    "limits": {
        "type": "object",
        "description": "budget, daily_loss, symbol_exposure, open_orders, orders_per_minute, price_band, price_age.",
    },
    "schedule": {"type": "object", "description": f"When entries are allowed: days of {', '.join(DAYS)}, from and to in UTC."},
    "replay": {"type": "object", "description": "Mode replay: start, end, speed (0: as fast as it goes)."},
    "live_allowed": {"type": "boolean", "default": False},
}
BOT_NEW: dict[str, Any] = {
    "type": "object",
    "required": ["name", "mode", "wallet_id", "config"],
    "additionalProperties": False,
    "properties": BOT_FIELDS
    | {"from_backtest": {"type": "string", "description": "run_id of the backtest that it was made from."}},
}
BOT_NEW_EXAMPLE = {"name": "BTC crosses", "mode": "paper", "wallet_id": "4be1c90d2f7a6638", "config": BOT_CONFIG}
BOT_CHANGES: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": BOT_FIELDS}
BOT_CHANGES_EXAMPLE = {"limits": {"daily_loss": "200"}}
RUN: dict[str, Any] = {
    "run_id": "8f0c2d5e9a4b1c37",
    "mode": "paper",
    "started_at": "2026-11-20T07:00:00Z",
    "ended_at": None,
    "end_reason": None,
    "error": None,
    "left": [],
    "evaluations": 312,
    "evaluation_ms": 0.8,
    "equity": "10031.12",
    "progress": None,
    "code_hash": "6b1f0c…",
    "books": None,
}
PERFORMANCE: dict[str, Any] = {
    "bot": "9c1f0a7be2d4",
    "fills": 31,
    "sales": 15,
    "win_rate": 0.6,
    "realised": "24.5",
    "fees": "11.2",
    "fees_unvalued": 0,
    "turnover": "11204.4",
    "runs": [RUN],
    "equity": [{"ts": "2026-11-21T09:00:00Z", "equity": "10031.12", "cash": "8712.4"}],
}
POSITION: dict[str, Any] = {
    "bot": "9c1f0a7be2d4",
    "bot_name": "BTC crosses",
    "mode": "paper",
    "wallet": "4be1c90d2f7a6638",
    "venue": "binance",
    "symbol": "BTC-USDT",
    "qty": "0.0205",
    "cost": "1312.1",
    "average_price": "64004.8780488",
    "price": "64327.8",
    "price_state": "live",
    "price_at": NOW,
    "value": "1318.7199",
    "unrealised": "6.6199",
    "unrealised_ratio": 0.00504527,
    "realised": "24.5",
    "fees": "1.31",
    "stop_at": "venue",
    "stop_price": "62724.78",
    "exit_blocked": "",
    "exit_blocked_at": None,
    "opened_at": EARLIER,
}
HOLDINGS: dict[str, Any] = {
    "mode": "paper",
    "currency": "USDT",
    "value": "10031.12",
    "cash": "8712.4",
    "allotted": "5000",
    "realised": "24.5",
    "unrealised": "6.62",
    "change_today": "12.3",
    "change_ratio": 0.00122769,
    "bots": 1,
    "unpriced": ["ETH-USDT"],
}
PORTFOLIO: dict[str, Any] = {
    "at": NOW,
    "modes": [HOLDINGS],
    "wallets": [{"wallet": "4be1c90d2f7a6638", "name": "Paper", "venue": "binance", **HOLDINGS}],
}
ORDER: dict[str, Any] = {
    "order_id": "b4d0c5e1f2a39687",
    "client_order_id": "qd-b4d0c5e1f2a39687",
    "venue_order_id": "28",
    "bot": "9c1f0a7be2d4",
    "bot_name": "BTC crosses",
    "run_id": "8f0c2d5e9a4b1c37",
    "wallet": "4be1c90d2f7a6638",
    "mode": "paper",
    "venue": "binance",
    "symbol": "BTC-USDT",
    "side": "buy",
    "type": "market",
    "qty": "0.0205",
    "limit": None,
    "stop": None,
    "reason": "entry_signal",
    "status": "filled",
    "status_reason": "",
    "filled_qty": "0.0205",
    "average_price": "63940.5",
    "fees": "1.31",
    "reference_price": "63940",
    "correlation_id": "5d2f7c0e9b1a",
    "trigger_id": "BTC-USDT:5m:1795251300000",
    "cancel_requested": False,
    "attempts": 1,
    "decided_at": EARLIER,
    "created_at": EARLIER,
    "submitted_at": EARLIER,
    "closed_at": EARLIER,
}
FILL: dict[str, Any] = {
    "id": 4711,
    "order_id": "b4d0c5e1f2a39687",
    "bot": "9c1f0a7be2d4",
    "bot_name": "BTC crosses",
    "run_id": "8f0c2d5e9a4b1c37",
    "mode": "paper",
    "venue": "binance",
    "symbol": "BTC-USDT",
    "side": "buy",
    "qty": "0.0205",
    "fill_price": "63940.5",
    "cost": "1310.78",
    "fee": "1.31",
    "fee_paid": "1.31",
    "fee_asset": "USDT",
    "fee_valued": "",
    "profit": None,
    "maker": False,
    "reason": "entry_signal",
    "strategy": "sma_cross",
    "trade_id": "28",
    "correlation_id": "5d2f7c0e9b1a",
    "ts": EARLIER,
    "recorded_at": EARLIER,
}
BLOCK: dict[str, Any] = {
    "id": 12,
    "bot": "9c1f0a7be2d4",
    "bot_name": "BTC crosses",
    "run_id": "8f0c2d5e9a4b1c37",
    "correlation_id": "77e0a1c4d2b3",
    "trigger_id": "BTC-USDT:5m:1795251600000",
    "symbol": "BTC-USDT",
    "side": "buy",
    "qty": "0.0205",
    "price": "64001",
    "reason": "bot_budget",
    "detail": "The bot's risk budget has no room. 1,312.02 USD is wanted and 900.00 of 10000.00 is free.",
    "ts": NOW,
}
REASON: dict[str, Any] = {"reason": "bot_budget", "count": 2, "last_at": NOW}
BUDGET: dict[str, Any] = {
    "scope": "bot",
    "mode": "paper",
    "wallet": None,
    "bot": "9c1f0a7be2d4",
    "name": "BTC crosses",
    "currency": "USD",
    "limit": "10000",
    "claimed": "0",
    "used": "1312.1",
    "free": "8687.9",
    "share": 0.13121,
    "updated_at": EARLIER,
}
SWITCH: dict[str, Any] = {"killed": True, "reason": "Prices look wrong.", "changed_by": "ada", "changed_at": NOW}
SWITCH_NEW: dict[str, Any] = {
    "type": "object",
    "required": ["killed"],
    "additionalProperties": False,
    "properties": {
        "killed": {"type": "boolean", "description": "True: no order is sent from now on. False: the desk is armed again."},
        "reason": {"type": "string", "maxLength": 200},
    },
}
SWITCH_EXAMPLE = {"killed": True, "reason": "Prices look wrong."}
EVENT: dict[str, Any] = {
    "id": 90210,
    "ts": NOW,
    "type": "fill",
    "source": "paper",
    "bot": "9c1f0a7be2d4",
    "run_id": "8f0c2d5e9a4b1c37",
    "correlation_id": "5d2f7c0e9b1a",
    "payload": {"symbol": "BTC-USDT", "side": "buy", "qty": "0.0205", "fill_price": "63940.5"},
}
LINK: dict[str, Any] = {"kind": "fill", "at": NOW, "after_seconds": 0.004, "data": FILL}
