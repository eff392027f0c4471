"""A venue is one entry in the registry: whatever asks for venues finds it there, and no migration is needed for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from redis.asyncio import Redis
from rest_framework.test import APIClient

from core.errors import Invalid
from market.exchanges import connect, registry
from market.exchanges.base import Endpoint, Exchange, Refused
from market.exchanges.binance.adapter import Binance
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget
from market.exchanges.coinbase.adapter import Coinbase
from market.exchanges.registry import RequestLimit, Venue
from tests.wallets.making import API_KEY, SECRET
from trading.downloads import public_address
from wallets import services
from wallets.models import ExchangeAccount

ADDRESSES = {"rest": "", "ws": "", "ws_api": "", "ws_user": ""}
ADAPTERS: Mapping[str, Callable[..., Exchange]] = {"binance": Binance, "coinbase": Coinbase}
"""Mypy checks here that each of them fills the port: the registry knows them by name only."""


class MoonAdapter:
    """As much of an adapter as `connect` needs."""

    def __init__(self, endpoint: Endpoint, **around: Any) -> None:
        self.venue = endpoint.venue


@pytest.fixture
def moon(monkeypatch: pytest.MonkeyPatch) -> Venue:
    """A venue of one entry; it has no testnet, and its key is one secret."""
    venue = Venue(
        key="moon",
        label="Moon Exchange",
        adapter=f"{__name__}.MoonAdapter",
        environments=("sandbox", "live"),
        credentials=("api_secret",),
        addresses=("rest",),
        real_hosts=("api.moon.example",),
        limits=(RequestLimit("requests", 1, 7, "account"),),
    )
    monkeypatch.setitem(registry.VENUES, "moon", venue)
    return venue


@pytest.mark.parametrize("venue", registry.VENUES)
def test_each_entry_names_its_adapter(venue: str) -> None:
    assert registry.load_adapter(registry.VENUES[venue].adapter) is ADAPTERS[venue]
    assert registry.VENUES[venue].key == venue


def test_the_list_of_venues_imports_no_adapter() -> None:
    code = (
        "import sys, market.exchanges.registry; print([name for name in sys.modules if name in ('binance', 'coinbase', 'redis')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_new_venue_is_connected_with_its_own_limits(moon: Venue) -> None:
    endpoint, redis = Endpoint("moon", "live", api_key="key"), Redis()
    budget = Budget(redis, endpoint)
    assert budget.limits == {"requests": moon.limits[0]}
    assert isinstance(connect(endpoint, budget=budget, breaker=Breaker(redis, endpoint)), MoonAdapter)


@pytest.mark.parametrize("address", ["", "https://api.moon.example", "https://stream.binance.com"])
def test_its_real_hosts_are_guarded(moon: Venue, address: str) -> None:
    endpoint, redis = Endpoint("moon", "testnet", rest=address), Redis()
    with pytest.raises(Refused) as caught:
        connect(endpoint, budget=Budget(redis, endpoint), breaker=Breaker(redis, endpoint))
    assert caught.value.code == "rest"


@pytest.mark.django_db
def test_a_new_venue_is_in_the_forms(moon: Venue) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    page = "/admin/wallets/exchangeaccount/"
    assert '<option value="moon">Moon Exchange</option>' in client.get(f"{page}add/").content.decode()
    given = {"name": "far", "venue": "moon", "environment": "live", "new_api_key": "", "new_secret": SECRET, **ADDRESSES}
    refused = client.post(f"{page}add/", given | {"environment": "testnet"})
    assert "testnet" in str(refused.context["adminform"].form.errors["environment"])
    assert client.post(f"{page}add/", given).status_code == 302
    account = ExchangeAccount.objects.get()
    assert (account.get_venue_display(), account.has_secret) == ("Moon Exchange", True)
    assert "Moon Exchange" in client.get(f"{page}?venue=moon").content.decode()


@pytest.mark.django_db
def test_a_new_venue_is_taken_by_the_services_and_shown_by_the_api(moon: Venue) -> None:
    with pytest.raises(Invalid) as caught:
        services.account_create(name="far", venue="moon", environment="testnet")
    assert set(caught.value.fields) == {"environment"}
    account = services.account_create(name="far", venue="moon", environment="sandbox", api_key=API_KEY, secret=SECRET)
    assert services.account_endpoint(account).venue == "moon"
    services.wallet_create(name="far", kind="exchange", quote="USD", account=account)
    cache.clear()  # throttles
    client = APIClient()
    client.force_authenticate(User.objects.create_user("ada"))
    shown = client.get("/api/v1/wallets").json()["results"]
    assert [(wallet["venue"], wallet["account"]) for wallet in shown] == [("moon", {"name": "far", "environment": "sandbox"})]


@pytest.mark.django_db
def test_candles_of_a_new_venue_can_be_downloaded(moon: Venue) -> None:
    assert public_address("moon").venue == "moon"
    with pytest.raises(Invalid, match="binance or coinbase or moon"):
        public_address("mars")


@pytest.mark.django_db
def test_a_new_venue_needs_no_migration(moon: Venue) -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
