"""Pages under /backtests/."""

from backtests.views.actions import run_again, run_cancel, run_delete, run_retry, sweep_cancel, sweep_delete, sweep_retry
from backtests.views.against_live import against_live
from backtests.views.charts import chart_candles, chart_event, chart_states
from backtests.views.compare import compare_runs
from backtests.views.detail import run_detail
from backtests.views.listing import run_list, run_list_csv
from backtests.views.new import run_new
from backtests.views.trade import run_trade

__all__ = [
    "against_live",
    "chart_candles",
    "chart_event",
    "chart_states",
    "compare_runs",
    "run_again",
    "run_cancel",
    "run_delete",
    "run_detail",
    "run_list",
    "run_list_csv",
    "run_new",
    "run_retry",
    "run_trade",
    "sweep_cancel",
    "sweep_delete",
    "sweep_retry",
]
