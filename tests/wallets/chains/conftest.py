"""Nodes of the three kinds of chains, and wallets that watch addresses on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from market.sandbox.chains.server import Nodes, running_nodes


@pytest.fixture
def nodes(settings: Any) -> Iterator[Nodes]:
    with running_nodes() as found:
        settings.CHAIN_ENDPOINTS = {chain: [url] for chain, url in found.urls().items()}
        yield found
