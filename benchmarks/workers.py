"""Each engine in a process of its own, asked in turn: A B C, A B C, ...

Drift of the machine hits all alike, and memory is each one's own.
"""

from __future__ import annotations

import gc
import multiprocessing
import resource
import statistics
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from benchmarks import engines
from engine.types import Candles


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def serve_engine(pipe: Connection, name: str, candles: Candles) -> None:
    """In the child: prepare, run once unmeasured, then run at each word."""
    run = engines.ENGINES[name](candles)
    base = peak_mb()
    started = time.perf_counter()
    result = run()
    pipe.send({"first": time.perf_counter() - started, "result": result})
    while pipe.recv() == "run":
        gc.collect()
        started = time.perf_counter()
        run()
        pipe.send({"seconds": time.perf_counter() - started, "memory": peak_mb() - base})


@dataclass
class Worker:
    name: str
    candles: Candles
    seconds: list[float] = field(default_factory=list)
    memory: float = 0.0
    first: float = 0.0
    result: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pipe, other = multiprocessing.Pipe()
        # spawn: nothing of this process, nor of another engine, is inherited.
        self.process = multiprocessing.get_context("spawn").Process(target=serve_engine, args=(other, self.name, self.candles))
        self.process.start()
        other.close()
        answer = self.pipe.recv()
        self.first, self.result = answer["first"], answer["result"]

    def run(self) -> float:
        self.pipe.send("run")
        answer = self.pipe.recv()
        self.seconds.append(answer["seconds"])
        self.memory = answer["memory"]
        return float(answer["seconds"])

    def stop(self) -> None:
        self.pipe.send("stop")
        self.process.join()

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def compare_engines(names: list[str], candles: Candles, rounds: dict[str, int]) -> list[Worker]:
    """Every engine `rounds[name]` times, in turn."""
    workers = [Worker(name, candles) for name in names]
    for turn in range(max(rounds.values())):
        for worker in workers:
            if turn < rounds[worker.name]:
                worker.run()
    for worker in workers:
        worker.stop()
    return workers
