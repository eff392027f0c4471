"""What pages are told of a stream, and when."""

from __future__ import annotations

from typing import Any

import pytest

from trading.live import reporter
from trading.live.reporter import Reporter, StreamName

STATE: dict[str, Any] = {
    "venue": "binance",
    "state": "live",
    "detail": "",
    "symbols": ["BTC-USDT"],
    "last_message_at": "2026-01-01T12:00:00Z",
    "last_message_age_s": 0.2,
    "messages_per_second": 12.1,
    "reconnects": 0,
}


def test_the_state_of_a_stream_is_pushed_when_something_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    pushed: list[Any] = []
    monkeypatch.setattr(reporter, "push_message", lambda group, kind, streams: pushed.append(streams[0]))
    unused: Any = None
    one = Reporter(StreamName(1, "binance", "live", "me"), unused, unused, unused, unused, unused)
    moved = STATE | {"last_message_at": "2026-01-01T12:00:09Z", "last_message_age_s": 0.9, "messages_per_second": 3.0}
    for found in (STATE, moved, STATE, moved | {"state": "stale"}, moved | {"state": "stale"}, moved):
        one.push_state(found)
    assert [found["state"] for found in pushed] == ["live", "stale", "live"]
