"""Everything that is read of backtest runs. Pages, API, admin and commands ask here; nothing here writes."""

from backtests.selectors.compare import runs_compare
from backtests.selectors.equity import run_equity, run_equity_page
from backtests.selectors.playback import playback_candles, playback_state
from backtests.selectors.runs import run_export, run_get, run_progress, run_results, runs_page
from backtests.selectors.trades import run_trades, trades_all, trades_csv, trades_rows

__all__ = [
    "playback_candles",
    "playback_state",
    "run_equity",
    "run_equity_page",
    "run_export",
    "run_get",
    "run_progress",
    "run_results",
    "run_trades",
    "runs_compare",
    "runs_page",
    "trades_all",
    "trades_csv",
    "trades_rows",
]
