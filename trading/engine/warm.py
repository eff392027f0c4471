"""Load the engine's compiled code, compiling it where this machine has not done so yet.

`python -m trading.engine.warm` does it ahead of the first run; a worker does it when it starts.
"""

from __future__ import annotations

import numpy as np

from trading.engine.metrics import measure
from trading.engine.simulator import simulate
from trading.engine.strategy import evaluate
from trading.engine.types import Account, Candles
from trading.strategies import registry


def warm() -> None:
    """Run every built-in strategy over a few candles: about half a minute the first time, half a second later."""
    close = 100 + np.cumsum(np.sin(np.arange(2_000)) + 0.01)
    opened = np.concatenate([close[:1], close[:-1]])
    high, low = np.maximum(opened, close), np.minimum(opened, close)
    candles = Candles("BTC-USD", "1m", np.arange(2_000) * 60_000, opened, high, low, close, np.ones(2_000))
    for kind in registry.all():
        strategy = kind()
        _, signals = evaluate(strategy, candles)
        simulation = simulate(Account(1_000.0), [candles], [signals], warmup=strategy.warmup(), position=strategy.position)
        measure(simulation, [candles], Account(1_000.0))


if __name__ == "__main__":
    warm()
