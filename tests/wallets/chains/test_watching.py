"""Watching a wallet by the API: what is answered, what is refused, and that a secret is nowhere afterwards."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from core.errors import Conflict, Forbidden
from market.sandbox.chains.evm import Contract
from market.sandbox.chains.server import Nodes
from tests.people import make_person
from tests.wallets.chains.making import ETHEREUM, OTHER, SOLANA, VPUB, read, watch
from tests.wallets.chains.test_private import SECRETS
from tests.wallets.making import paper
from wallets import services
from wallets.chains.registry import LOCAL_STABLE
from wallets.models import ChainWatch, Wallet
from wallets.selectors import wallet_get

pytestmark = pytest.mark.django_db
PATH = "/api/v1/wallets/watch"
GIVEN = {"chain": "solana", "address": SOLANA, "name": "Phantom"}


@pytest.fixture
def api() -> APIClient:
    cache.clear()  # throttles
    client = APIClient()
    client.force_authenticate(User.objects.create_superuser("root"))
    return client


def post(api: APIClient, path: str = PATH, **given: Any) -> Any:
    return api.post(path, given, format="json")


def test_an_address_becomes_a_wallet_that_waits_for_its_first_reading(api: APIClient) -> None:
    answer = post(api, **GIVEN)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["kind"], told["venue"], told["account"], told["balances"]) == ("watch", "solana", None, [])
    assert (told["watch"]["address"], told["watch"]["state"], told["watch"]["read_at"]) == (SOLANA, "unread", None)
    assert api.get(f"/api/v1/wallets/{told['id']}").json() == told


def test_an_extended_key_may_be_given_under_its_own_name(api: APIClient) -> None:
    given = {"chain": "bitcoin-sandbox", "xpub": VPUB, "name": "Cold"}
    assert post(api, **given).status_code == 201
    assert ChainWatch.objects.get().scripts == ["p2wpkh"]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"chain": "dogecoin"}, "chain", "must be one of"),
        ({"chain": "solan"}, "chain", "Did you mean 'solana'"),
        ({"chain": ""}, "chain", "must be one of"),
        ({"chain": 5}, "chain", "must be one of"),
        ({"chain": "evm-0"}, "chain", "must be one of"),
        ({"chain": "ethereum"}, "address", "It is an address of Solana: choose that chain."),
        ({"chain": "bitcoin", "address": ETHEREUM}, "address", "It is an address of Ethereum"),
        ({"address": ETHEREUM[:-1] + "D", "chain": "ethereum"}, "address", "wrong checksum"),
        ({"address": "1" * 32}, "address", "system program"),
        ({"address": ""}, "address", "is required"),
        ({"address": ["a"]}, "address", "must be text"),
        ({"address": "9" * 121}, "address", "at most 120 characters"),
        ({"xpub": VPUB}, "address", "is required"),
        ({"name": ""}, "name", "is required"),
        ({"name": "x" * 81}, "name", "at most 80"),
        ({"name": "a\u202eb"}, "name", "direction"),
        ({"color": "red"}, "color", "is not a setting"),
    ],
)
def test_what_cannot_be_watched_is_told_at_its_field(api: APIClient, change: dict[str, Any], field: str, words: str) -> None:
    answer = post(api, **GIVEN | change)
    assert answer.status_code == 400
    assert words in " ".join(answer.json()["error"]["fields"][field])
    assert not Wallet.objects.exists()


def test_an_address_is_watched_once_and_a_name_is_used_once(api: APIClient) -> None:
    assert post(api, **GIVEN).status_code == 201
    told = post(api, **GIVEN | {"name": "Again"}).json()["error"]["fields"]
    assert "twice it would count twice" in told["address"][0]
    assert "is taken" in post(api, **GIVEN | {"address": OTHER, "chain": "ethereum"}).json()["error"]["fields"]["name"][0]
    services.wallet_archive(wallet=Wallet.objects.get())
    assert post(api, **GIVEN | {"name": "Again"}).status_code == 201


def test_a_chain_is_known_by_its_id_too(api: APIClient) -> None:
    assert post(api, chain="evm-1", address=ETHEREUM, name="one").json()["venue"] == "ethereum"
    assert post(api, chain="evm-1101", address=ETHEREUM, name="two").json()["venue"] == "evm-1101"


# ---------------------------------------------------------------- secrets


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


@pytest.mark.parametrize("secret", [SECRETS[place] for place in (0, 7, 14, 15, 19, 24, 28, 30)])
@pytest.mark.parametrize("field", ["address", "name", "chain", "script", "other"])
def test_a_secret_is_refused_in_any_field_and_is_nowhere_afterwards(
    api: APIClient, told: pytest.LogCaptureFixture, field: str, secret: Any
) -> None:
    answer = post(api, **GIVEN | {field: secret})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "secret_entered"
    assert_nowhere(secret, answer.content.decode(), told.text)


def test_a_secret_is_refused_in_the_place_of_a_name_and_of_the_whole_body(api: APIClient, told: pytest.LogCaptureFixture) -> None:
    secret = SECRETS[0]
    bodies: list[Any] = [GIVEN | {secret: "x"}, [secret], secret, secret.split()]
    for body in bodies:
        answer = api.post(PATH, json.dumps(body), content_type="application/json")
        assert answer.json()["error"]["code"] == "secret_entered"
        assert_nowhere(secret, answer.content.decode(), told.text)


def test_a_secret_on_the_page_is_refused_and_is_nowhere_afterwards(told: pytest.LogCaptureFixture) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    for field in ("address", "name"):
        given = {"chain": "bitcoin", "address": OTHER, "name": "mine", field: SECRETS[0]}
        answer = client.post("/wallets/watch/", given)
        assert answer.status_code == 422
        assert "looks like a seed phrase" in answer.content.decode()
        assert_nowhere(SECRETS[0], answer.content.decode(), told.text)
    assert_nowhere(SECRETS[0], client.get("/wallets/").content.decode(), json.dumps(dict(client.session)))


def assert_nowhere(secret: Any, *texts: str) -> None:
    """Raw, in base64, in hex and URL-encoded: in these texts, in the database, and in the broker's."""
    text = secret if isinstance(secret, str) else json.dumps(secret)
    raw = text.encode()
    forms = {text, quote(text), base64.b64encode(raw).decode().rstrip("="), raw.hex(), json.dumps(text)[1:-1]}
    forms |= {word for word in text.split() if len(word) > 20}
    kept = [*texts, *database_texts()]
    assert [form[:12] for form in forms for one in kept if form in one] == []


def database_texts() -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ '^(wallets|access|django|core)'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT "{table}"::text FROM "{table}"')  # names are the database's own
            yield "\n".join(row[0] for row in cursor.fetchall())


# ---------------------------------------------------------------- rights, and what is read


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("trader", 403), ("operator", 201), ("administrator", 201)])
def test_who_may_add_a_wallet_may_watch_one(role: str, status: int) -> None:
    cache.clear()
    client = APIClient()
    client.force_authenticate(make_person(role, role))
    assert post(client, **GIVEN).status_code == status


def test_tokens_are_listed_and_trusted_over_the_api(api: APIClient, nodes: Nodes) -> None:
    node = nodes.ethereum
    usdt, liar = LOCAL_STABLE["evm"], "0x" + "22" * 20
    node.contracts |= {usdt.lower(): Contract("USDT", "Tether USD", 6), liar: Contract("USDT", "Tether USD", 6)}
    node.mine()
    node.give(ETHEREUM, 10**18)
    node.move(usdt, OTHER, ETHEREUM, 5)
    node.move(liar, OTHER, ETHEREUM, 5_000_000)
    wallet = watch("ethereum")
    read(wallet)
    path = f"/api/v1/wallets/{wallet.wallet_id}"
    rows = api.get(f"{path}/tokens").json()["results"]
    assert {(row["asset"], row["amount"]) for row in rows} == {("ETH", "1"), ("USDT", "0.000005"), ("", "5")}
    assert api.get(path).json()["balances"] == [
        {"asset": "ETH", "amount": "1", "unbooked": "0"},
        {"asset": "USDT", "amount": "0.000005", "unbooked": "0"},
    ]
    apart = next(row for row in rows if not row["asset"])
    assert post(api, f"{path}/tokens", contract=apart["contract"], asset="FUN").json() == {"contract": liar, "asset": "FUN"}
    assert api.get(path).json()["watch"]["tokens_apart"] == 0
    assert post(api, f"{path}/tokens", contract="nothing", asset="FUN").status_code == 404
    assert post(api, f"{path}/tokens", contract="", asset="FUN").status_code == 404
    assert post(api, f"{path}/tokens", contract=liar, asset="no/name").status_code == 400
    assert post(api, f"/api/v1/wallets/{paper().wallet_id}/tokens", contract=liar, asset="FUN").status_code == 409
    seen = api.get(f"{path}/chain-transactions?limit=2").json()
    assert [len(row["transfers"]) for row in seen["results"]] == [1, 1]
    assert post(api, f"{path}/read").status_code == 202
    assert post(api, f"/api/v1/wallets/{paper().wallet_id}/read").status_code == 409


def test_only_who_may_change_wallets_says_what_a_token_is(nodes: Nodes) -> None:
    nodes.ethereum.contracts["0x" + "22" * 20] = Contract("T", "Token", 6)
    nodes.ethereum.mine()
    nodes.ethereum.move("0x" + "22" * 20, OTHER, ETHEREUM, 5)
    wallet = watch("ethereum")
    read(wallet)
    with pytest.raises(Forbidden):
        services.token_trust(
            wallet=wallet_get(wallet_id=wallet.wallet_id),
            contract="0x" + "22" * 20,
            asset="T",
            user=make_person("trader", "trader"),
        )


def test_a_watched_wallet_takes_no_deposit() -> None:
    with pytest.raises(Conflict):
        services.wallet_deposit(wallet=watch("solana"), asset="SOL", amount="1")
