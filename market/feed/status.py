"""What a feed says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["connecting", "live", "polling", "stale", "paused", "stopped"]
"""polling: there is no socket, and prices come by REST. stale: no prices come from anywhere. paused: nobody needs prices."""
Kind = Literal["downtime", "silence", "gap", "reconnect", "user_stream", "account_task"]


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """Told when the state changes, and about once a second besides. Counts are since the feed began."""

    venue: str
    state: State
    since: datetime
    symbols: tuple[str, ...]
    detail: str = ""
    """Why the state is what it is, for a person."""
    connected_at: datetime | None = None
    last_message_at: datetime | None = None
    """When the venue was last heard: by the socket, or by REST if that brings the prices or agrees with a quiet socket."""
    messages: int = 0
    reconnects: int = 0
    failures: int = 0
    """Attempts to open the socket again that failed."""
    gaps: int = 0
    coalesced: int = 0
    """Ticks and growing candles that a newer one replaced before the handler could take them."""
    skipped: int = 0
    """Frames that could not be read."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A time in which a venue was not heard as it should be. It is told when it begins (`end` is None) and again, with the same
    `begin`, when it is over. downtime: there was no socket. silence: a symbol was mute on a socket that worked. gap: messages
    were missed. reconnect: the socket was opened again on purpose. user_stream: there was no news of an account's orders.
    account_task: something that looks after an account had ended."""

    venue: str
    kind: Kind
    begin: datetime
    end: datetime | None = None
    symbol: str = ""
    """Empty: all of them."""
    detail: str = ""
