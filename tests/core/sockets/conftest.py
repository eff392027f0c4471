from __future__ import annotations

import pytest

from core.broker import Pause
from core.hub import Hub
from tests.backtests.fixtures import ada, vic
from tests.core.sockets.clients import token_headers
from tests.trading.live.fixtures import rows

__all__ = ["ada", "rows", "vic"]


@pytest.fixture
async def headers(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes]]:
    """A viewer's token. What a hub did not hear it looks up soon."""
    Pause.until = 0.0
    monkeypatch.setattr(Hub, "quiet", 0.2)
    monkeypatch.setattr(Hub, "again", 0.1)
    found: list[tuple[bytes, bytes]] = await token_headers()
    return found
