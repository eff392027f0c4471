"""The wallets of the demonstration: each chain of the sandbox holds something for one of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from market.sandbox.chains.demo import demo_nodes
from market.sandbox.chains.server import running_nodes
from tests.wallets.chains.making import held, read
from trading.demo import demo_watches_load, sandbox_nodes
from wallets.holdings import tokens_apart
from wallets.models import ChainEndpoint, ChainReading, Wallet
from wallets.selectors import wallet_get


@pytest.mark.django_db
def test_the_three_wallets_have_holdings_that_their_transactions_explain() -> None:
    with running_nodes(demo_nodes()) as nodes:
        demo_watches_load(1)
        assert {reading.state for reading in ChainReading.objects.all()} == {"whole"}
        sandbox_nodes(nodes.port)  # the next start, on another port
        wallets = {wallet.venue: wallet for wallet in Wallet.objects.all()}
        for wallet in wallets.values():
            reading = read(wallet)
            assert (reading.state, reading.differences) == ("whole", [])
            assert wallet.chain_transactions.exists()
    assert ChainEndpoint.objects.count() == 3
    assert held(wallets["solana-sandbox"]) == {"SOL": Decimal("42.499995"), "USDT": Decimal("850.75")}
    assert held(wallets["ethereum-sandbox"]) == {"ETH": Decimal("3.199979"), "USDT": Decimal("4800.25")}
    assert held(wallets["bitcoin-sandbox"]) == {"BTC": Decimal("0.71499")}
    assert wallets["bitcoin-sandbox"].chain_holdings.get().pending == 1_500_000
    apart = [one.token.symbol for wallet in wallets.values() for one in tokens_apart(wallet_get(wallet_id=wallet.wallet_id))]
    assert sorted(apart) == ["JOY", "PTS", "USDT"]
