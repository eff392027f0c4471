"""One backtest on each engine: `prepare` gets the candles ready (not timed), `run` goes from arrays to summary statistics."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from benchmarks.data import CASH, FAST, FEE, SLOW
from engine.types import Candles

Result = dict[str, Any]


class Engine(Protocol):
    """`prepare(candles)` returns the work as a function without arguments, which answers trades and final equity."""

    def __call__(self, candles: Candles) -> Callable[[], Result]: ...


def quarterdeck(candles: Candles) -> Callable[[], Result]:
    """Ours: indicators, signals, simulation, every metric; in a process set up as a worker of runs is."""
    from backtests.heap import keep_freed
    from engine.metrics import measure
    from engine.simulator import simulate
    from engine.strategies.sma_cross import SmaCross
    from engine.strategy import evaluate
    from engine.types import Account, Fees

    strategy, account = SmaCross({"fast": FAST, "slow": SLOW}), Account(cash=CASH, fees=Fees(FEE, FEE))
    keep_freed()

    def run() -> Result:
        _, signals = evaluate(strategy, candles)
        simulation = simulate(account, [candles], [signals], warmup=strategy.warmup())
        metrics = measure(simulation, [candles], account)
        return {"trades": metrics.trades, "final_equity": metrics.final_equity}

    return run


def hand_loop(candles: Candles) -> Callable[[], Result]:
    """The hand-written compiled loop with its figures."""
    from benchmarks.loop import run_whole

    return lambda: run_whole(candles.open, candles.close, candles.time, FAST, SLOW, CASH, FEE)


def vectorbt(candles: Candles) -> Callable[[], Result]:
    """vectorbt's own moving averages and portfolio, with drawdown and Sharpe ratio."""
    import pandas as pd
    import vectorbt as vbt

    index = pd.DatetimeIndex(candles.time.astype("datetime64[ms]"))
    opened, close = pd.Series(candles.open, index=index), pd.Series(candles.close, index=index)

    def run() -> Result:
        fast, slow = vbt.MA.run(close, FAST), vbt.MA.run(close, SLOW)
        entries = fast.ma_crossed_above(slow).vbt.fshift(1, fill_value=False)
        exits = fast.ma_crossed_below(slow).vbt.fshift(1, fill_value=False)
        portfolio = vbt.Portfolio.from_signals(close, entries, exits, price=opened, fees=FEE, init_cash=CASH, freq="1min")
        portfolio.max_drawdown()
        portfolio.sharpe_ratio()
        final = float(portfolio.final_value())
        trades = portfolio.trades
        # It counts an open position at its value; ours is sold, fee included.
        if len(trades.open.records):
            quantity = float(trades.open.records["size"][0])
            final -= quantity * float(close.iloc[-1]) * FEE
        return {"trades": int(trades.count()), "final_equity": final}

    return run


def backtesting(candles: Candles) -> Callable[[], Result]:
    """backtesting.py with fractional units."""
    import pandas as pd
    from backtesting import Strategy
    from backtesting.lib import FractionalBacktest, crossover

    def average(values: Any, n: int) -> Any:
        return pd.Series(values).rolling(n).mean()

    class Cross(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.fast = self.I(average, self.data.Close, FAST)
            self.slow = self.I(average, self.data.Close, SLOW)

        def next(self) -> None:
            if crossover(self.fast, self.slow):
                self.buy()
            elif crossover(self.slow, self.fast):
                self.position.close()

    columns = {"Open": candles.open, "High": candles.high, "Low": candles.low, "Close": candles.close, "Volume": candles.volume}
    frame = pd.DataFrame(columns, index=pd.DatetimeIndex(candles.time.astype("datetime64[ms]")))

    def run() -> Result:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            unit = 1e-8 if np.median(candles.close) > 1 else 1e-2
            test = FractionalBacktest(frame, Cross, cash=CASH, commission=FEE, fractional_unit=unit, finalize_trades=True)
            stats = test.run()
        return {"trades": int(stats["# Trades"]), "final_equity": float(stats["Equity Final [$]"])}

    return run


ENGINES: dict[str, Engine] = {
    "hand-written loop": hand_loop,
    "Quarterdeck": quarterdeck,
    "vectorbt": vectorbt,
    "backtesting.py": backtesting,
}
