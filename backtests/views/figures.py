"""Which figures of a run stand together, and of which more, or less, is better."""

from __future__ import annotations

TILES = (
    "total_return",
    "buy_and_hold_return",
    "sharpe",
    "max_drawdown",
    "trades",
    "win_rate",
    "profit_factor",
    "final_equity",
    "fees_paid",
    "exposure",
)
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Return", ("final_equity", "total_return", "cagr", "buy_and_hold_return")),
    (
        "Risk",
        (
            "volatility", "sharpe", "sortino", "calmar", "probabilistic_sharpe", "max_drawdown", "max_drawdown_duration_s",
            "skewness", "kurtosis", "days",
        ),
    ),
    (
        "Trades",
        (
            "trades", "win_rate", "profit_factor", "expectancy", "average_win", "average_loss", "best_trade", "worst_trade",
            "average_trade_return", "median_trade_return", "average_duration_s", "max_consecutive_losses", "sqn",
        ),
    ),
    ("Costs and activity", ("fees_paid", "slippage_paid", "turnover", "exposure", "candles")),
)  # fmt: skip
HIGHER = (
    "final_equity", "total_return", "cagr", "sharpe", "sortino", "calmar", "probabilistic_sharpe", "max_drawdown", "win_rate",
    "profit_factor", "expectancy", "average_win", "average_loss", "best_trade", "worst_trade", "average_trade_return",
    "median_trade_return", "sqn",
)  # fmt: skip
LOWER = ("volatility", "max_drawdown_duration_s", "max_consecutive_losses", "fees_paid", "slippage_paid")
