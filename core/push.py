"""The only door to the channel layer. A push arrives at most once: it carries ids and a small payload, and the facts are rows.

Groups of the running desk, and what is pushed there:

- `live`: `push_message("live", message["type"], **message)`, with `message` as sockets carry it:
  `{"type", "seq", "ts", "correlation_id", "payload"}`. `seq` is the Event's id, or None for what is no event (`portfolio_update`,
  `bot_metrics` on a schedule).
- `market`: `push_message("market", "batch", ticks=[...], candles=[...], depths=[...], streams=[...])`, each list optional. A stream
  worker batches for a quarter of a second: of each symbol the newest tick, of each growing candle the newest state, of closed
  candles all; books for half a second. Prices are decimal text, times ISO-8601. Each entry is the payload that a page gets:
  tick `{"venue", "environment", "symbol", "price", "bid", "ask", "time"}`,
  candle `{"venue", "environment", "symbol", "interval", "time", "open", "high", "low", "close", "volume", "closed"}`,
  depth `{"venue", "environment", "symbol", "bids", "asks", "time"}`, each level [price, quantity],
  stream `market.selectors.stream_json(stream)`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import Any

from channels.layers import get_channel_layer
from redis import Redis

from core.broker import Unanswered, ask_broker, layer_config

logger = logging.getLogger(__name__)
Pushes = Iterable[tuple[str, Mapping[str, Any]]]


def push_message(group: str, kind: str, **payload: Any) -> None:
    """Tell every process that listens to `group`, from any thread or process. It takes one short question on a connection that is
    kept. A broker that is down costs the push, but neither the caller's work nor its time."""
    push_all(group, [(kind, payload)])


def push_all(group: str, pushes: Pushes) -> None:
    """Several (kind, payload) in one round trip, in this order."""
    if Later.queue is not None:
        Later.queue.put((group, list(pushes)))
    else:
        publish_all(group, pushes)


class Later:
    """What a thread of its own is to push; None if whoever pushes does it."""

    queue: SimpleQueue[tuple[str, Pushes] | None] | None = None


@contextmanager
def pushing_later() -> Iterator[None]:
    """While this lasts, nobody in this process waits for a push. One thread takes the pushes in their order, and at the end it
    finishes them first."""
    queue = Later.queue = SimpleQueue()

    def publish_those_to_come() -> None:
        while told := queue.get():
            publish_all(*told)

    thread = threading.Thread(target=publish_those_to_come, name="pushes", daemon=True)
    thread.start()
    try:
        yield
    finally:
        Later.queue = None
        queue.put(None)
        thread.join()


def publish_all(group: str, pushes: Pushes) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    messages = [text for kind, payload in pushes if (text := serialize_message(layer, group, kind, payload)) is not None]

    def publish(broker: Redis) -> None:
        pipeline = broker.pipeline(transaction=False)
        for message in messages:
            pipeline.publish(group_channel(group), message)
        pipeline.execute()

    with suppress(Unanswered):
        ask_broker("publish", publish)


def serialize_message(layer: Any, group: str, kind: str, payload: Mapping[str, Any]) -> bytes | None:
    try:
        message: bytes = layer.serialize({"type": "pushed", "kind": kind, "payload": payload})
    except (TypeError, ValueError):
        logger.exception("push %s to %s cannot be written", kind, group)
        return None
    return message


def group_channel(group: str) -> str:
    """The name that the pub/sub layer gives to the channel of a group."""
    return f"{layer_config().get('prefix', 'asgi')}__group__{group}"
