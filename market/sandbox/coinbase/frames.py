"""WebSocket messages. Each is written once; every connection adds its own sequence number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from market.sandbox.coinbase.notation import time_text

ChannelEvent = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """A message without its number."""

    channel: str
    head: str
    tail: str

    def with_number(self, sequence: int) -> str:
        return f"{self.head}{sequence}{self.tail}"


def build_frame(channel: str, events: Iterable[ChannelEvent], now: int) -> Frame:
    """`now` is the server's clock, ms."""
    head = f'{{"channel":"{channel}","client_id":"","timestamp":"{time_text(now)}","sequence_num":'
    return Frame(channel, head, f',"events":{orjson.dumps(list(events)).decode()}}}')


def error_text(message: str) -> str:
    """An error message, which carries no number."""
    return orjson.dumps({"type": "error", "message": message}).decode()
