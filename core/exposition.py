"""Metrics of the processes without a web server, handed to the process that Prometheus asks."""

from __future__ import annotations

import time
from typing import Any

from prometheus_client import generate_latest
from redis import Redis

from core.broker import PATIENT, Unanswered, ask_broker

INDEX, KEPT = "metrics", 30
"""Seconds for which the figures of a process are shown after it last told them."""


def metrics_put(process: str) -> None:
    """Keeps this process's metrics as they are now. `process` names it among all."""
    text, now = generate_latest(), time.time()

    def write(broker: Redis) -> None:
        pipeline = broker.pipeline()
        pipeline.set(f"{INDEX}:{process}", text, ex=KEPT)
        pipeline.zadd(INDEX, {process: now})
        pipeline.zremrangebyscore(INDEX, "-inf", now - KEPT)
        pipeline.execute()

    try:
        ask_broker("metrics_put", write, patience=PATIENT)
    except Unanswered:
        return


def metrics_all() -> dict[str, str]:
    """The metrics of every process that told them lately, in Prometheus' text format."""

    def read_texts(broker: Redis) -> dict[str, str]:
        members: Any = broker.zrangebyscore(INDEX, time.time() - KEPT, "+inf")
        names = [name.decode() for name in members]
        texts: Any = broker.mget([f"{INDEX}:{name}" for name in names]) if names else []
        return {name: text.decode() for name, text in zip(names, texts, strict=True) if text}

    try:
        return ask_broker("metrics_all", read_texts, patience=PATIENT)
    except Unanswered:
        return {}
