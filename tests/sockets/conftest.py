from __future__ import annotations

import pytest

from market.broker import Pause
from market.hub import Hub
from tests.backtests.fixtures import ada, vic
from tests.live.fixtures import rows
from tests.sockets.clients import token_headers

__all__ = ["ada", "rows", "vic"]


@pytest.fixture
async def headers(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bytes]]:
    """A viewer's token. What a hub did not hear it looks up soon."""
    Pause.until = 0.0
    monkeypatch.setattr(Hub, "quiet", 0.2)
    monkeypatch.setattr(Hub, "again", 0.1)
    found: list[tuple[bytes, bytes]] = await token_headers()
    return found
