"""Pages and admin of watched wallets: few queries, and a clear word for each state."""

from __future__ import annotations

import pytest
from django.test import Client

from market.sandbox.chains.evm import Contract
from market.sandbox.chains.server import Nodes
from tests.wallets.chains.making import ETHEREUM, OTHER, SOLANA, read, watch
from tests.wallets.making import queries
from wallets.models import ChainEndpoint, ChainToken, Wallet
from wallets.services import endpoint_create

pytestmark = pytest.mark.django_db
LIAR = "0x" + "22" * 20


def page(client: Client, wallet: Wallet) -> str:
    return client.get(f"/wallets/{wallet.wallet_id}/").content.decode()


def receive(nodes: Nodes, tokens: int) -> None:
    node = nodes.ethereum
    for number in range(tokens):
        contract = f"0x{number + 1:040x}"
        node.contracts[contract] = Contract("USDC", "USD Coin", 6)
        node.mine()
        node.move(contract, OTHER, ETHEREUM, 5_000_000)
        node.give(ETHEREUM, 10**18)


def test_a_wallet_is_watched_from_the_form(root: Client, viewer: Client) -> None:
    assert 'href="/wallets/watch/"' in root.get("/wallets/").content.decode()
    assert 'href="/wallets/watch/"' not in viewer.get("/wallets/").content.decode()
    assert viewer.get("/wallets/watch/").status_code == 403
    assert "never enter a key or a seed phrase" in root.get("/wallets/watch/").content.decode()
    given = {"chain": "solana", "address": SOLANA, "name": "Phantom", "script": ""}
    assert root.post("/wallets/watch/", given, follow=True).status_code == 200
    wallet = Wallet.objects.get()
    assert "Not read yet" in page(root, wallet)
    again = root.post("/wallets/watch/", given | {"name": "Again"})
    assert again.status_code == 422
    assert "twice it would count twice" in again.content.decode()
    assert SOLANA not in again.content.decode()


def test_the_page_tells_holdings_apart_from_what_nobody_trusts(root: Client, viewer: Client, nodes: Nodes) -> None:
    receive(nodes, 1)
    wallet = watch("ethereum")
    read(wallet)
    shown = page(viewer, wallet)
    for words in ("Kept apart", "“USDC”", "1 token, worth nothing here", "not trusted", f"127.0.0.1:{nodes.port}", ETHEREUM):
        assert words in shown
    assert "Trust</button>" not in shown
    assert "Trust</button>" in page(root, wallet)
    contract = ChainToken.objects.exclude(contract="").get().contract
    path = f"/wallets/{wallet.wallet_id}/token/"
    assert viewer.post(path, {"contract": contract, "asset": "FUN"}).status_code == 403
    assert "counts as FUN from now on" in root.post(path, {"contract": contract, "asset": "fun"}, follow=True).content.decode()
    assert "Kept apart" not in page(root, wallet)
    assert "counts for nothing" in root.post(path, {"contract": contract, "asset": ""}, follow=True).content.decode()
    assert "no such token" in root.post(path, {"contract": "x", "asset": "FUN"}, follow=True).content.decode()


def test_the_page_tells_a_failed_reading_and_a_change_that_nothing_explains(root: Client, nodes: Nodes) -> None:
    receive(nodes, 1)
    wallet = watch("ethereum")
    read(wallet)
    nodes.ethereum.mine()
    nodes.ethereum.tip.coins[ETHEREUM.lower()] += 10**18
    read(wallet)
    assert "ETH changed by 1, and the transactions come to 0." in page(root, wallet)
    nodes.ethereum.status = 503
    read(wallet)
    shown = page(root, wallet)
    assert "The last reading failed" in shown
    assert "status 503" in shown
    assert "What is shown was read" in shown


def test_pages_take_a_fixed_number_of_queries(root: Client, nodes: Nodes) -> None:
    receive(nodes, 1)
    wallet = watch("ethereum")
    read(wallet)
    paths = [f"/wallets/{wallet.wallet_id}/", "/wallets/", "/api/v1/wallets"]
    paths += [f"/admin/wallets/{name}/" for name in ("chaintransaction", "chainreading", "chaintoken", "wallet")]
    few = {path: queries(lambda path=path: root.get(path)) for path in paths}  # type: ignore[misc]
    receive(nodes, 40)
    read(wallet)
    for number in range(3):
        read(watch("ethereum", f"0x{number + 5:040x}"))
    assert {path: queries(lambda path=path: root.get(path)) for path in paths} == few  # type: ignore[misc]


def test_a_long_list_of_transactions_pages_by_key(root: Client, nodes: Nodes) -> None:
    receive(nodes, 30)
    wallet = watch("ethereum")
    read(wallet)
    receive(nodes, 24)
    read(wallet)
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = root.get(f"/wallets/{wallet.wallet_id}/?cursor={cursor}", headers={"HX-Request": "true"})
        assert b"<html" not in answer.content
        seen += [row.pk for row in answer.context["transactions"]]
        cursor = answer.context["cursor"]
    assert len(seen) == len(set(seen)) == 30 + 2 * 24


def test_a_node_goes_into_the_admin_and_its_address_never_comes_out(root: Client) -> None:
    url = "https://node.example.org/v3/verysecretkey"
    given = {"chain": "ethereum", "url": url, "position": "1", "enabled": "on"}
    assert root.post("/admin/wallets/chainendpoint/add/", given).status_code == 302
    row = ChainEndpoint.objects.get()
    paths = ["/admin/wallets/chainendpoint/", f"/admin/wallets/chainendpoint/{row.pk}/change/"]
    for path in (*paths, f"/admin/wallets/chainendpoint/{row.pk}/history/"):
        shown = root.get(path)
        assert shown.status_code == 200
        assert "verysecretkey" not in shown.content.decode()
    assert "node.example.org" in root.get(paths[1]).content.decode()
    refused = root.post("/admin/wallets/chainendpoint/add/", given | {"url": "ftp://verysecretkey.example"}).content.decode()
    assert "https://" in refused
    assert "verysecretkey" not in refused
    root.post(paths[1], {"position": "3"})
    row.refresh_from_db()
    assert (row.position, row.enabled) == (3, False)


def test_readings_and_transactions_are_for_reading_in_the_admin(root: Client, nodes: Nodes) -> None:
    receive(nodes, 1)
    wallet = watch("ethereum")
    reading = read(wallet)
    for path in (f"chainreading/{reading.pk}", f"chaintransaction/{wallet.chain_transactions.all()[0].pk}"):
        shown = root.get(f"/admin/wallets/{path}/change/")
        assert shown.status_code == 200
        assert 'name="_save"' not in shown.content.decode()
    assert root.get(f"/admin/wallets/wallet/{wallet.pk}/change/").status_code == 200
    assert endpoint_create(chain="solana", url="https://a.example.org").chain == "solana"
