"""400 parameter sets of sma_cross over 525,600 candles: `python -m benchmarks.sweep [--rounds N]`.

The hand-written loop computes both averages afresh for each combination, as it must without a plan for the whole. Each engine runs
in processes of its own, in turn with the others, so that drift of the machine hits all alike and memory is each one's own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.data import CASH, FEE, random_walk
from engine.types import Candles

POINTS = [{"fast": fast, "slow": slow} for fast in range(5, 25) for slow in range(30, 126, 5)]
Result = list[tuple[int, float]]
"""Trades and final equity of each combination."""
Engine = Callable[[Candles, Sequence[dict[str, int]]], Result]


def quarterdeck(candles: Candles, points: Sequence[dict[str, int]]) -> Result:
    """What a worker does with its share of a sweep, the best trial's figures and moments included."""
    from engine.strategies.sma_cross import SmaCross
    from engine.sweep import Bench
    from engine.types import Account, Fees

    bench = Bench(SmaCross, Account(cash=CASH, fees=Fees(FEE, FEE)), [candles])
    trials = [bench.trial(point) for point in points]
    return [(trial.trades, trial.final_equity) for trial in trials]


def hand_loop(candles: Candles, points: Sequence[dict[str, int]]) -> Result:
    from benchmarks.loop import run_whole

    found = [run_whole(candles.open, candles.close, candles.time, point["fast"], point["slow"], CASH, FEE) for point in points]
    return [(one["trades"], one["final_equity"]) for one in found]


def vectorbt(candles: Candles, points: Sequence[dict[str, int]]) -> Result:
    """Value and count alone, 20 combinations at a time: all at once would not fit into memory."""
    import numpy as np
    import pandas as pd
    import vectorbt as vbt

    opened, close = candles.open, pd.Series(candles.close)
    found: Result = []
    for start in range(0, len(points), VECTORBT_CHUNK):
        part = points[start : start + VECTORBT_CHUNK]
        fast = vbt.MA.run(close, [point["fast"] for point in part]).ma.to_numpy()
        slow = vbt.MA.run(close, [point["slow"] for point in part]).ma.to_numpy()
        entries, exits = np.zeros(fast.shape, dtype=bool), np.zeros(fast.shape, dtype=bool)
        # Decided at one close, done at the next open.
        entries[2:] = (fast[1:-1] > slow[1:-1]) & (fast[:-2] <= slow[:-2])
        exits[2:] = (fast[1:-1] < slow[1:-1]) & (fast[:-2] >= slow[:-2])
        portfolio = vbt.Portfolio.from_signals(close, entries, exits, price=opened[:, None], fees=FEE, init_cash=CASH, freq="1min")
        values, counts = portfolio.final_value(), portfolio.trades.count()
        found += [(int(count), float(value)) for count, value in zip(counts, values, strict=True)]
    return found


VECTORBT_CHUNK = 20
ENGINES: dict[str, Engine] = {"hand-written loop": hand_loop, "Quarterdeck": quarterdeck, "vectorbt": vectorbt}


def serve_engine(pipe: Connection, name: str) -> None:
    """In the child: warm up, then work off the shares that come. What it answers beside: seconds, peak MB."""
    engine, candles = ENGINES[name], random_walk()
    engine(candles[:5_000], POINTS[:1])
    pipe.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    while points := pipe.recv():
        began = time.perf_counter()
        found = engine(candles, points)
        pipe.send((found, time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


class Crew:
    """So many processes of one engine, that share the combinations evenly: neighbours go to one process, as chunks do."""

    def __init__(self, engine: str, workers: int) -> None:
        self.engine, self.workers = engine, workers
        self.seconds: list[float] = []
        self.peak = 0.0
        self.results: Result = []
        self.pipes: list[Any] = []
        self.processes = []
        for _ in range(workers):
            ours, theirs = multiprocessing.Pipe()
            process = multiprocessing.get_context("spawn").Process(target=serve_engine, args=(theirs, engine))
            process.start()
            theirs.close()  # or a process that died would be waited for
            self.pipes.append(ours)
            self.processes.append(process)
        self.base = sum(pipe.recv() for pipe in self.pipes)

    def run(self) -> None:
        share = -(-len(POINTS) // self.workers)
        began = time.perf_counter()
        for number, pipe in enumerate(self.pipes):
            pipe.send(POINTS[number * share : (number + 1) * share])
        answers = [pipe.recv() for pipe in self.pipes]
        self.seconds.append(time.perf_counter() - began)
        self.results = [row for found, _, _ in answers for row in found]
        self.peak = max(peak for _, _, peak in answers)

    def stop(self) -> None:
        for pipe, process in zip(self.pipes, self.processes, strict=True):
            pipe.send([])
            process.join()

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def measure_crews(rounds: int) -> list[Crew]:
    crews = [Crew("hand-written loop", 1), Crew("Quarterdeck", 1), Crew("hand-written loop", 2), Crew("Quarterdeck", 2)]
    for _ in range(rounds):
        for crew in crews:
            crew.run()
    if find_spec("vectorbt"):
        crews.append(Crew("vectorbt", 1))
        crews[-1].run()  # once: it takes most of a minute
    for crew in crews:
        crew.stop()
    return crews


def describe_agreement(one: Result, other: Result) -> str:
    """How the loop's rounding noise shows: crosses that are ties, and final equities that differ by more than 1e-9."""
    trades = sum(a[0] != b[0] for a, b in zip(one, other, strict=True))
    equity = sum(abs(a[1] - b[1]) > 1e-9 * abs(b[1]) for a, b in zip(one, other, strict=True))
    return f"{len(one)} combinations: {trades} differ in trades, {equity} in final equity"


def table(crews: Sequence[Crew]) -> str:
    loop = crews[0]
    lines = ["| engine | processes | median | best | x the loop | a trial | peak of a process |", "|---|---|---|---|---|---|---|"]
    for crew in crews:
        ratio, trial = crew.median / loop.median, 1000 * crew.median / len(POINTS)
        seconds = f"{crew.median:.2f} s | {crew.best:.2f} s"
        lines.append(f"| {crew.engine} | {crew.workers} | {seconds} | {ratio:.2f} | {trial:.2f} ms | {crew.peak:.0f} MB |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    crews = measure_crews(parser.parse_args().rounds)
    print(table(crews))
    _, ours, _, both, *peers = crews
    print(f"\nTwo workers against one: {ours.median / both.median:.2f} x (best {ours.best / both.best:.2f} x).")
    for peer in peers:
        print(f"Against {peer.engine}: {peer.median / ours.median:.0f} x as fast.")
    print(f"Against the loop, {describe_agreement(ours.results, crews[0].results)}.")


if __name__ == "__main__":
    main()
