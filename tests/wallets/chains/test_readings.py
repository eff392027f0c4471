"""Watched wallets read from nodes: whole or marked failed, of one block, and compared with the reading before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from core.errors import Conflict, Invalid
from market.sandbox.chains.evm import DECIMALS, NAME, SYMBOL, Contract, abi_text
from market.sandbox.chains.rpc import RpcFault
from market.sandbox.chains.server import Nodes
from market.sandbox.chains.solana import TOKEN_2022, Mint
from tests.wallets.chains.making import ETHEREUM, OTHER, SOLANA, held, read, script_at, watch
from tests.wallets.making import paper
from wallets import services
from wallets.chains.bech32 import segwit_encode
from wallets.chains.registry import CHAINS, LOCAL_STABLE
from wallets.holdings import chain_urls, tokens_apart
from wallets.models import ChainReading, ChainToken, Wallet
from wallets.selectors import secret_faults, wallet_get

pytestmark = pytest.mark.django_db
ETHER, SOL, BTC = 10**18, 10**9, 10**8
USDT = LOCAL_STABLE["evm"]
LIAR = "0x" + "11" * 20
MINT = LOCAL_STABLE["solana"]
NEW_MINT = "DezXAZ8z7PnrnRJjz3wXBoRgixCa6xjnB7YaB1pPB263"


def whole(wallet: Wallet) -> ChainReading:
    reading = read(wallet)
    assert reading.state == "whole", reading.error
    return reading


def failed(wallet: Wallet) -> str:
    reading = read(wallet)
    assert reading.state == "failed"
    return reading.error


# ---------------------------------------------------------------- each kind of chain


def test_an_evm_wallet_is_read_at_one_block_with_its_tokens(nodes: Nodes) -> None:
    node = nodes.ethereum
    node.contracts[USDT.lower()] = Contract("USDT", "Tether USD", 6)
    node.mine()
    node.give(ETHEREUM, 3 * ETHER + 1)
    node.move(USDT, OTHER, ETHEREUM, 1_500_000)
    wallet = watch("ethereum", ETHEREUM.lower())
    reading = whole(wallet)
    assert held(wallet) == {"ETH": Decimal("3.000000000000000001"), "USDT": Decimal("1.5")}
    assert (reading.block, reading.block_hash, reading.differences) == (1, node.tip.mark, [])
    assert reading.endpoint == f"127.0.0.1:{nodes.port}"


def test_a_solana_wallet_has_the_tokens_of_both_programs(nodes: Nodes) -> None:
    node = nodes.solana
    node.mints |= {MINT: Mint("USDT", "Tether USD", 6), NEW_MINT: Mint("NEW", "A new one", 9, TOKEN_2022)}
    node.give(SOLANA, 2**63 + 5)
    node.move(MINT, SOLANA, 7_000_001)
    node.move(NEW_MINT, SOLANA, 2**64 - 1)
    wallet = watch("solana")
    reading = whole(wallet)
    assert held(wallet) == {"SOL": Decimal(2**63 + 5) / SOL, "USDT": Decimal("7.000001")}
    (apart,) = tokens_apart(wallet_get(wallet_id=wallet.wallet_id))
    assert (apart.token.symbol, apart.token.decimals, int(apart.units)) == ("NEW", 9, 2**64 - 1)
    assert reading.block == node.slot
    assert [seen.transfers.count() for seen in wallet.chain_transactions.all()] == [1, 1, 1]


def test_a_bitcoin_wallet_is_read_up_to_the_gap_with_what_waits_apart(nodes: Nodes) -> None:
    node = nodes.bitcoin
    node.give(script_at(0, 0), BTC)
    node.give(script_at(0, 19), 2 * BTC)
    node.give(script_at(0, 39), 4 * BTC)
    node.give(script_at(1, 0), 8 * BTC)
    node.give(script_at(0, 60), 16 * BTC)  # beyond the gap: nobody would find it again
    node.mine()
    node.give(script_at(0, 1), 32 * BTC)
    node.pay([(script_at(0, 0), BTC)], [("51", BTC // 2), (script_at(1, 1), BTC // 2 - 1_000)])
    wallet = watch("bitcoin")
    reading = whole(wallet)
    assert held(wallet) == {"BTC": Decimal(15)}
    (holding,) = wallet.chain_holdings.all()
    assert int(holding.pending) == 32 * BTC - BTC // 2 - 1_000
    assert (reading.block, reading.block_hash) == (1, node.blocks[1])
    node.mine()
    assert whole(wallet).differences == []
    assert held(wallet) == {"BTC": Decimal("46.49999")}
    newest = wallet.chain_transactions.filter(block=2).exclude(fee=0).get()
    assert [int(moved.units) for moved in newest.transfers.all()] == [-BTC // 2 - 1_000]


def test_one_address_of_bitcoin_is_read_alone(nodes: Nodes) -> None:
    nodes.bitcoin.give("5120" + "00" * 31 + "01", 5)
    nodes.bitcoin.mine()
    wallet = watch("bitcoin", segwit_encode("bcrt", 1, bytes(31) + b"\x01"))
    with pytest.raises(Invalid):
        watch("bitcoin", "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu")
    whole(wallet)
    assert held(wallet) == {"BTC": Decimal("0.00000005")}
    assert nodes.bitcoin.asked < 12


# ---------------------------------------------------------------- against the last reading


def test_what_moved_between_two_readings_is_explained_by_its_transactions(nodes: Nodes) -> None:
    node = nodes.ethereum
    node.contracts[USDT.lower()] = Contract("USDT", "Tether USD", 6)
    node.mine()
    node.give(ETHEREUM, 5 * ETHER)
    wallet = watch("ethereum")
    whole(wallet)
    node.mine(40)
    node.send(ETHEREUM, OTHER, ETHER)
    node.mine(30)
    node.move(USDT, OTHER, ETHEREUM, 9)
    node.send(ETHEREUM, OTHER, ETHER, failed=True)
    node.mine(3)
    reading = whole(wallet)
    assert reading.differences == []
    seen = wallet.chain_transactions.order_by("block", "pk")
    assert [(row.block, row.failed, [int(moved.units) for moved in row.transfers.all()]) for row in seen] == [
        (41, False, [-ETHER - 21_000 * 10**9]),
        (71, False, [9]),
        (71, True, [-21_000 * 10**9]),
    ]
    assert {int(row.fee) for row in seen} == {0, 21_000 * 10**9}
    assert whole(wallet).block == 74
    assert wallet.chain_transactions.count() == 3


def test_a_change_that_no_transaction_explains_is_said(nodes: Nodes) -> None:
    node = nodes.ethereum
    node.mine()
    node.give(ETHEREUM, ETHER)
    wallet = watch("ethereum")
    whole(wallet)
    node.mine()
    node.tip.coins[ETHEREUM.lower()] += 7 * ETHER  # as a contract pays, inside of somebody else's transaction
    reading = whole(wallet)
    assert reading.differences == [{"token": "ETH", "change": "7", "seen": "0", "rest": "7"}]
    assert whole(wallet).differences == []


def test_a_token_account_that_was_there_names_no_owner_and_is_found_all_the_same(nodes: Nodes) -> None:
    node = nodes.solana
    node.mints[MINT] = Mint("USDT", "Tether USD", 6)
    node.give(SOLANA, SOL)
    node.move(MINT, SOLANA, 5)
    wallet = watch("solana")
    whole(wallet)
    node.move(MINT, SOLANA, 6)
    node.send(SOLANA, OTHER_SOLANA, 100)
    node.send(SOLANA, OTHER_SOLANA, 100, failed=True)
    assert whole(wallet).differences == []
    newest = list(wallet.chain_transactions.all()[:3])
    assert [(row.failed, [int(moved.units) for moved in row.transfers.all()]) for row in newest] == [
        (True, [-5_000]),
        (False, [-5_100]),
        (False, [6]),
    ]


OTHER_SOLANA = "9WzDXwBbmkg8ZTbNMqUxvQRAyrZzDsGYdLVL9zYtAWWM"


@pytest.mark.parametrize("chain", ["ethereum", "bitcoin"])
def test_a_reorganisation_takes_transactions_back_and_is_compared_with_what_is_still_there(nodes: Nodes, chain: str) -> None:
    node: Any = getattr(nodes, chain)
    address, unit = (ETHEREUM, ETHER) if chain == "ethereum" else (script_at(0, 0), BTC)
    pay(node, address, unit)
    wallet = watch(chain)
    whole(wallet)
    pay(node, address, 2 * unit)
    whole(wallet)
    assert sum(held(wallet).values()) == 3
    node.reorganise(1)
    reading = whole(wallet)
    assert (reading.taken_back, reading.differences) == (1, [])
    assert sum(held(wallet).values()) == 1
    assert wallet.chain_transactions.filter(block__gt=1).count() == 0
    node.reorganise(len(node.blocks) - 1)
    assert "nothing was compared" in " ".join(whole(wallet).remarks)
    assert sum(held(wallet).values()) == 0


def pay(node: Any, address: str, units: int) -> None:
    """In a block of its own."""
    if hasattr(node, "contracts"):
        node.mine()
        node.give(address, units)
    else:
        node.give(address, units)
        node.mine()


# ---------------------------------------------------------------- nodes that fail or lie

FAULTS: list[tuple[str, Callable[[Nodes], None], str]] = [
    ("ethereum", lambda nodes: setattr(nodes.ethereum, "status", 503), "status 503"),
    ("ethereum", lambda nodes: setattr(nodes.ethereum, "chain_id", 1), "speaks for the chain 1"),
    ("ethereum", lambda nodes: nodes.ethereum.spoil.update(eth_getBalance=lambda _: None), "without a balance"),
    ("ethereum", lambda nodes: nodes.ethereum.spoil.update(eth_getBalance=lambda _: "0x" + "f" * 66), "without a balance"),
    ("ethereum", lambda nodes: nodes.ethereum.spoil.update(eth_getBalance=lambda _: 5), "without a balance"),
    ("ethereum", lambda nodes: nodes.ethereum.spoil.update(eth_getBlockByNumber=lambda _: None), "without"),
    ("ethereum", lambda nodes: nodes.ethereum.spoil.update({"*": lambda _: "hello"}), "left out an answer"),
    ("ethereum", lambda nodes: nodes.ethereum.spoil.update({"*": lambda _: [[]]}), "left out an answer"),
    ("ethereum", lambda nodes: nodes.ethereum.spoil.update(eth_chainId=refuse), "limit exceeded"),
    ("ethereum", lambda nodes: nodes.ethereum.spoil.update(eth_call=refuse), "limit exceeded"),
    ("solana", lambda nodes: setattr(nodes.solana, "genesis", "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"), "another chain"),
    ("solana", lambda nodes: nodes.solana.spoil.update(getBalance=refuse), "limit exceeded"),
    ("solana", lambda nodes: nodes.solana.spoil.update(getBalance=lambda one: one | {"value": 2**64}), "without a balance"),
    ("solana", lambda nodes: nodes.solana.spoil.update(getBalance=lambda one: one | {"value": 1.5}), "without a balance"),
    ("solana", lambda nodes: nodes.solana.spoil.update(getBalance=lambda one: one | {"context": {"slot": 7}}), "went on"),
    ("solana", lambda nodes: nodes.solana.spoil.update(getTokenAccountsByOwner=lambda _: None), "without a balance"),
    ("solana", lambda nodes: nodes.solana.spoil.update(getSignaturesForAddress=lambda _: {}), "without its transactions"),
    ("bitcoin", lambda nodes: setattr(nodes.bitcoin, "status", 429), "status 429"),
    ("bitcoin", lambda nodes: nodes.bitcoin.blocks.__setitem__(0, "00" * 32), "another chain"),
    ("bitcoin", lambda nodes: nodes.bitcoin.spoil.update(scripthash=lambda _: {}), "without an address's sums"),
    ("bitcoin", lambda nodes: nodes.bitcoin.spoil.update(scripthash=lambda _: "<html>"), "no JSON"),
    ("bitcoin", lambda nodes: nodes.bitcoin.spoil.update(scripthash=lambda _: "[" * 100_000), "no JSON"),
    ("bitcoin", lambda nodes: nodes.bitcoin.spoil.update(blocks=lambda _: "-1"), "without its height"),
]


def refuse(_: Any) -> Any:
    raise RpcFault(-32_005, "limit exceeded\x00\u202e <b>")


@pytest.mark.parametrize(("chain", "spoil", "words"), FAULTS)
def test_a_reading_that_is_not_whole_is_marked_failed_and_the_last_one_stays(
    nodes: Nodes, chain: str, spoil: Callable[[Nodes], None], words: str
) -> None:
    if chain == "ethereum":
        nodes.ethereum.contracts[USDT.lower()] = Contract("USDT", "Tether USD", 6)
    pay_any(nodes, chain)
    wallet = watch(chain)
    good = whole(wallet)
    pay_any(nodes, chain)
    before = held(wallet)
    spoil(nodes)
    error = failed(wallet)
    assert words in error
    assert error.isprintable()
    assert held(wallet) == before
    watching = wallet_get(wallet_id=wallet.wallet_id).watch
    assert (watching.whole, watching.last and watching.last.state) == (good, "failed")


def pay_any(nodes: Nodes, chain: str) -> None:
    if chain == "solana":
        nodes.solana.give(SOLANA, SOL)
    else:
        pay(getattr(nodes, chain), ETHEREUM if chain == "ethereum" else script_at(0, 0), BTC)


def test_the_next_node_is_asked_where_one_fails(nodes: Nodes, settings: Any) -> None:
    settings.CHAIN_ENDPOINTS["solana-sandbox"] = [
        "http://127.0.0.1:9",
        "http://127.0.0.1:9/secret-key",
        nodes.urls()["solana-sandbox"],
    ]
    nodes.solana.give(SOLANA, SOL)
    wallet = watch("solana")
    assert whole(wallet).endpoint == f"127.0.0.1:{nodes.port}"
    settings.CHAIN_ENDPOINTS["solana-sandbox"].pop()
    error = failed(wallet)
    assert "does not answer" in error
    assert "secret-key" not in error


def test_a_node_that_is_behind_is_not_believed(nodes: Nodes) -> None:
    nodes.ethereum.mine(5)
    wallet = watch("ethereum")
    whole(wallet)
    del nodes.ethereum.blocks[3:]
    assert "is behind" in failed(wallet)


def test_nodes_of_the_admin_come_before_those_of_the_settings_and_their_addresses_are_sealed(nodes: Nodes, settings: Any) -> None:
    url = f"{nodes.urls()['solana-sandbox']}?key=topsecretkey"
    settings.CHAIN_ENDPOINTS["solana-sandbox"] = ["http://127.0.0.1:9"]
    row = services.endpoint_create(chain="solana-sandbox", url=url)
    assert row.host == f"127.0.0.1:{nodes.port}"
    assert b"topsecretkey" not in bytes(row.address)
    wallet = watch("solana")
    whole(wallet)
    row.enabled = False
    row.save()
    assert "does not answer" in failed(wallet)


@pytest.mark.parametrize("url", ["", "ftp://node.example.org", "https://name:word@node.example.org", "https://", "x" * 600])
def test_what_is_no_address_of_a_node_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(Invalid) as told:
        services.endpoint_create(chain="solana", url=url)
    assert len(url) < 9 or url not in told.value.in_full()


def test_two_readings_of_one_wallet_never_run_at_once(nodes: Nodes) -> None:
    wallet = watch("solana")
    running = ChainReading.objects.create(wallet=wallet)
    with pytest.raises(Conflict, match="just now"):
        read(wallet)
    ChainReading.objects.filter(pk=running.pk).update(started_at=timezone.now() - timedelta(hours=1))
    whole(wallet)
    running.refresh_from_db()
    assert (running.state, running.error) == ("failed", "It was interrupted.")


def test_a_wallet_that_is_on_no_chain_is_not_read() -> None:
    with pytest.raises(Conflict, match="not a watched wallet"):
        services.watch_read(wallet=paper())


# ---------------------------------------------------------------- tokens that lie


def test_an_unknown_token_counts_for_nothing_until_a_person_says_what_it_is(nodes: Nodes) -> None:
    node = nodes.ethereum
    node.contracts |= {LIAR: Contract("USDT", "Tether USD", 6), USDT.lower(): Contract("USDT", "Tether USD", 6)}
    node.mine()
    node.move(LIAR, OTHER, ETHEREUM, 10**12)
    node.move(USDT, OTHER, ETHEREUM, 10**6)
    wallet = watch("ethereum")
    whole(wallet)
    assert held(wallet) == {"ETH": 0, "USDT": 1}
    found = wallet_get(wallet_id=wallet.wallet_id)
    (apart,) = tokens_apart(found)
    assert (apart.token.contract.lower(), apart.token.symbol) == (LIAR, "USDT")
    services.token_trust(wallet=found, contract=apart.token.contract, asset="pts")
    whole(wallet)
    assert held(wallet) == {"ETH": 0, "USDT": 1, "PTS": 10**6}
    services.token_trust(wallet=found, contract=apart.token.contract, asset="")
    assert held(wallet) == {"ETH": 0, "USDT": 1}


@pytest.mark.parametrize(
    ("answers", "symbol", "decimals"),
    [
        ({SYMBOL: "0x" + b"MKR".hex().ljust(64, "0")}, "MKR", 18),
        ({SYMBOL: abi_text("a\x00b\u202e<b>\u200b\ud7ff")}, "a b <b>", 18),
        ({SYMBOL: abi_text("X" * 5_000)}, "X" * 32, 18),
        ({SYMBOL: None, NAME: "0x", DECIMALS: "0x"}, "", None),
        ({SYMBOL: f"0x{32:064x}{10**9:064x}"}, "", 18),
        ({SYMBOL: "0xff"}, "", 18),
        ({DECIMALS: f"0x{300:064x}"}, "T", None),
        ({DECIMALS: f"0x{0:064x}"}, "T", 0),
    ],
)
def test_what_a_token_says_of_itself_is_taken_with_care(
    nodes: Nodes, answers: dict[str, str | None], symbol: str, decimals: int | None
) -> None:
    nodes.ethereum.contracts[LIAR] = Contract("T", "Token", 18, answers)
    nodes.ethereum.mine()
    nodes.ethereum.move(LIAR, OTHER, ETHEREUM, 2**256 - 1)
    wallet = watch("ethereum")
    whole(wallet)
    (apart,) = tokens_apart(wallet_get(wallet_id=wallet.wallet_id))
    assert (apart.token.symbol, apart.token.decimals, int(apart.units)) == (symbol, decimals, 2**256 - 1)
    if decimals is None:
        with pytest.raises(Conflict, match="decimals"):
            services.token_trust(wallet=wallet_get(wallet_id=wallet.wallet_id), contract=apart.token.contract, asset="T")


def test_dust_of_eighteen_decimals_is_kept_and_more_than_there_can_be_counts_for_nothing(nodes: Nodes) -> None:
    node = nodes.ethereum
    contracts = [f"0x{number:040x}" for number in (17, 18)]
    node.mine()
    for contract, units in zip(contracts, (1, 2**256 - 1), strict=True):
        node.contracts[contract] = Contract("T", "Token", 18)
        node.move(contract, OTHER, ETHEREUM, units)
    wallet = watch("ethereum")
    whole(wallet)
    for token in ChainToken.objects.exclude(contract=""):
        services.token_trust(wallet=wallet_get(wallet_id=wallet.wallet_id), contract=token.contract, asset=f"T{token.contract[-1]}")
    assert held(wallet) == {"ETH": 0, "T1": Decimal("0.000000000000000001")}


def test_a_list_of_thousands_of_tokens_is_cut_and_said(nodes: Nodes) -> None:
    node = nodes.ethereum
    node.mine()
    for number in range(1, 701):
        contract = f"0x{number:040x}"
        node.contracts[contract] = Contract("SPAM", "https://take.example", 0)
        node.move(contract, OTHER, ETHEREUM, 1)
    wallet = watch("ethereum")
    reading = whole(wallet)
    assert len(tokens_apart(wallet_get(wallet_id=wallet.wallet_id))) == 499
    assert any("the first 500" in remark for remark in reading.remarks)


def test_a_trusted_token_that_does_not_answer_fails_the_reading_and_another_one_does_not(nodes: Nodes) -> None:
    node = nodes.ethereum
    node.contracts[LIAR] = Contract("T", "Token", 0)
    node.mine()
    node.move(LIAR, OTHER, ETHEREUM, 5)
    wallet = watch("ethereum")
    whole(wallet)
    node.contracts[LIAR].answers["0x70a08231"] = None
    assert "did not say" in " ".join(whole(wallet).remarks)
    (apart,) = tokens_apart(wallet_get(wallet_id=wallet.wallet_id))
    assert int(apart.units) == 5
    services.token_trust(wallet=wallet_get(wallet_id=wallet.wallet_id), contract=apart.token.contract, asset="T")
    assert "T did not say" in failed(wallet)
    assert held(wallet)["T"] == 5


@pytest.mark.parametrize("key", CHAINS)
def test_every_chain_has_a_title_and_known_tokens_with_right_checksums(key: str) -> None:
    chain = CHAINS[key]
    assert chain.title
    assert all(chain.check_address(contract).address == contract for contract in chain.known_tokens if contract[:2] == "0x")


def test_a_nodes_address_is_sealed_again_under_a_new_key(settings: Any) -> None:
    row = services.endpoint_create(chain="solana", url="https://node.example.org/key")
    settings.ENCRYPTION_KEYS = {"new": b"n" * 32} | settings.ENCRYPTION_KEYS
    assert services.secrets_rotate() == 1
    settings.ENCRYPTION_KEYS = {"new": b"n" * 32}
    assert chain_urls("solana") == ["https://node.example.org/key"]
    settings.ENCRYPTION_KEYS = {"other": b"o" * 32}
    assert list(secret_faults()) == [str(row)] == ["node.example.org for solana"]
    assert "sealed under the key" in failed(services.watch_create(raw={"chain": "solana", "address": SOLANA, "name": "real"}))


def test_what_another_wallet_watches_by_now_is_not_brought_back() -> None:
    first = watch("solana")
    services.wallet_archive(wallet=first)
    watch("solana")
    with pytest.raises(Conflict, match="by now"):
        services.wallet_archive(wallet=wallet_get(wallet_id=first.wallet_id), archived=False)
