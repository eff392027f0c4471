"""WebSocket messages. What a message says is put together once; each connection adds its own sequence number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from market.sandbox.coinbase.notation import time_text

ChannelEvent = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """All of a message but its number."""

    channel: str
    head: str
    tail: str

    def with_number(self, sequence: int) -> str:
        return f"{self.head}{sequence}{self.tail}"


def build_frame(channel: str, events: Iterable[ChannelEvent], now: int) -> Frame:
    """`now`: what the server's clock shows, ms."""
    head = f'{{"channel":"{channel}","client_id":"","timestamp":"{time_text(now)}","sequence_num":'
    return Frame(channel, head, f',"events":{orjson.dumps(list(events)).decode()}}}')


def error_text(message: str) -> str:
    """Errors carry no number."""
    return orjson.dumps({"type": "error", "message": message}).decode()
