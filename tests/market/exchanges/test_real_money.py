"""An account that is not live never reaches the real venue, whatever its addresses say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from market.exchanges import refuse_real_money
from market.exchanges.base import Endpoint, Refused

HERE = {"rest": "http://127.0.0.1:1", "ws": "ws://127.0.0.1:1", "ws_api": "ws://127.0.0.1:1", "ws_user": "ws://127.0.0.1:1"}


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
@pytest.mark.parametrize("environment", ["sandbox", "testnet"])
def test_an_empty_or_real_address_is_refused(venue: Any, environment: Any) -> None:
    endpoint = Endpoint(venue, environment, **HERE)
    refuse_real_money(endpoint)
    real = {"binance": "https://api1.api.binance.com", "coinbase": "https://api.coinbase.com"}[venue]
    with pytest.raises(Refused) as caught:
        refuse_real_money(replace(endpoint, rest=real))
    assert caught.value.code == "rest"
    with pytest.raises(Refused):
        refuse_real_money(replace(endpoint, ws=""))


def test_binances_own_testnet_needs_no_address() -> None:
    refuse_real_money(Endpoint("binance", "testnet"))
    with pytest.raises(Refused):
        refuse_real_money(Endpoint("coinbase", "testnet"))


def test_the_sandbox_is_on_this_machine() -> None:
    with pytest.raises(Refused):
        refuse_real_money(Endpoint("binance", "sandbox", **{**HERE, "rest": "https://sandbox.example"}))
