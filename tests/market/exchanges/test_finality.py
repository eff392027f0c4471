"""An order may wait for its turn for half of `finality` before it is signed. What is signed then must be stale when the time is up:
otherwise an order that is taken for one that never arrived could arrive after all."""

from __future__ import annotations

import pytest

from market.exchanges.binance.adapter import Binance
from market.exchanges.binance.client import BinanceClient
from market.exchanges.coinbase.adapter import Coinbase
from market.exchanges.coinbase.tokens import LIFE


@pytest.mark.parametrize(("adapter", "signature_seconds"), [(Binance, BinanceClient.REQUEST_RECVWINDOW / 1000), (Coinbase, LIFE)])
def test_a_signature_made_at_the_last_moment_is_stale_when_the_order_is_given_up(
    adapter: type[Binance | Coinbase], signature_seconds: float
) -> None:
    assert adapter.finality / 2 + signature_seconds <= adapter.finality
