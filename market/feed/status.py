"""What a feed says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["connecting", "live", "polling", "stale", "paused", "stopped"]
"""polling: no socket, prices by REST. stale: no prices from anywhere. paused: nobody needs any."""
Kind = Literal["downtime", "silence", "gap", "reconnect", "user_stream"]


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """Said when the state changes and about once a second besides. Counts are since the feed began."""

    venue: str
    state: State
    since: datetime
    symbols: tuple[str, ...]
    detail: str = ""
    """Why it is so, for a person."""
    connected_at: datetime | None = None
    last_message_at: datetime | None = None
    """When the venue was last heard: by the socket; or by REST, where that gives the prices or bears out a quiet socket's."""
    messages: int = 0
    reconnects: int = 0
    gaps: int = 0
    coalesced: int = 0
    """Ticks and growing candles that a newer one replaced before the handler could take them."""
    skipped: int = 0
    """Frames that could not be read."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A time in which a venue was not heard as it should be. Told when it begins (`end` None) and again, with the same `begin`,
    when it is over. downtime: no socket. silence: a symbol was mute on a live one. gap: messages missed. reconnect: on purpose.
    user_stream: no word of an account's orders."""

    venue: str
    kind: Kind
    begin: datetime
    end: datetime | None = None
    symbol: str = ""
    """Empty: all of them."""
    detail: str = ""
