"""What other clients ask of the venues while they start and trade: answered as to an account without the product, never 404.

`python -m tests.clients` runs the clients themselves.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
import requests
from binance import AsyncClient
from binance.exceptions import BinanceAPIException

from market.sandbox.server import RunningSandbox, running_sandbox
from tests.market.sandbox.coinbase import rest_client

SIGNED: dict[str, Any] = {
    "capital/deposit/hisrec": [],
    "capital/withdraw/history": [],
    "asset/assetDividend": {"rows": [], "total": 0},
    "asset/transfer": {"rows": [], "total": 0},
    "asset/dribblet": {"total": 0, "userAssetDribblets": []},
    "simple-earn/flexible/position": {"rows": [], "total": 0},
}
"""Under `/sapi/v1/`: what an account without any movement is told."""


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


def ask(running: RunningSandbox, path: str) -> requests.Response:
    return requests.get(running.addresses["binance"]["rest"] + path, timeout=10)


async def ask_signed(client: AsyncClient, path: str, **given: Any) -> Any:
    return await client._request_margin_api("get", path, signed=True, data=given)


@pytest.mark.parametrize("path", SIGNED)
async def test_movements_that_never_were_are_empty_lists(client: AsyncClient, path: str) -> None:
    needed = {"type": "MAIN_FUNDING"} if path == "asset/transfer" else {}
    assert await ask_signed(client, path, **needed) == SIGNED[path]


async def test_every_coin_is_listed_with_what_the_account_has(client: AsyncClient) -> None:
    coins = {row["coin"]: row for row in await ask_signed(client, "capital/config/getall")}
    assert {"BTC", "ETH", "USDT"} <= coins.keys()
    assert Decimal(coins["USDT"]["free"]) == 100_000
    assert coins["USDT"]["networkList"] == []


async def test_fees_are_told_for_all_symbols_or_one(client: AsyncClient) -> None:
    assert {row["symbol"] for row in await ask_signed(client, "asset/tradeFee")} >= {"BTCUSDT", "ETHUSDT"}
    only = await ask_signed(client, "asset/tradeFee", symbol="BTCUSDT")
    assert only == [{"symbol": "BTCUSDT", "makerCommission": "0.00100000", "takerCommission": "0.00100000"}]


@pytest.mark.parametrize("path", ["/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo", "/eapi/v1/exchangeInfo"])
def test_markets_that_are_not_played_list_nothing(running: RunningSandbox, path: str) -> None:
    assert (ask(running, path).status_code, ask(running, path).json()["symbols"]) == (200, [])


@pytest.mark.parametrize("path", ["/sapi/v1/margin/account", "/fapi/v2/account", "/papi/v1/balance", "/dapi/v1/positionRisk"])
def test_products_that_the_account_lacks_are_refused_as_by_the_venue(running: RunningSandbox, path: str) -> None:
    assert (ask(running, path).status_code, ask(running, path).json()["code"]) == (401, -2015)


async def place(client: AsyncClient, price: str) -> dict[str, Any]:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": price}
    return dict(await client.create_order(**order))


async def replace(client: AsyncClient, order_id: int, **given: Any) -> Any:
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.01", "price": "60000"}
    mode = {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": order_id}
    return await client._request_api("post", "order/cancelReplace", signed=True, data={**order, **mode, **given})


async def test_an_order_is_replaced_by_another(client: AsyncClient) -> None:
    first = await place(client, "59000")
    done = await replace(client, first["orderId"])
    assert (done["cancelResult"], done["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert [order["orderId"] for order in await client.get_open_orders(symbol="BTCUSDT")] == [done["newOrderResponse"]["orderId"]]


async def test_a_replacement_stops_at_an_order_that_is_over(client: AsyncClient) -> None:
    with pytest.raises(BinanceAPIException) as refused:
        await replace(client, 999)
    assert (refused.value.code, refused.value.status_code) == (-2022, 400)
    assert await client.get_open_orders(symbol="BTCUSDT") == []
    with pytest.raises(BinanceAPIException) as halves:
        await replace(client, 999, cancelReplaceMode="ALLOW_FAILURE")
    assert (halves.value.code, halves.value.status_code) == (-2021, 409)
    assert len(await client.get_open_orders(symbol="BTCUSDT")) == 1


class TestCoinbase:
    def test_currencies_and_rates_are_public(self, running: RunningSandbox) -> None:
        rest = running.addresses["coinbase"]["rest"]
        fiat, crypto, rates = (
            requests.get(f"{rest}/v2/{path}", timeout=10).json()["data"]
            for path in ("currencies", "currencies/crypto", "exchange-rates")
        )
        assert [row["id"] for row in fiat] == ["USD"]
        assert "BTC" in {row["code"] for row in crypto}
        assert 0 < float(rates["rates"]["BTC"]) < 1

    def test_accounts_of_the_app_are_those_of_trading_and_nothing_moved(self, running: RunningSandbox) -> None:
        client = rest_client(running)
        apps = client.get("/v2/accounts")["data"]
        assert {row["id"] for row in apps} == {row["uuid"] for row in client.get("/api/v3/brokerage/accounts")["accounts"]}
        assert client.get(f"/v2/accounts/{apps[0]['id']}/transactions")["data"] == []

    def test_a_portfolio_is_broken_down_into_what_the_account_has(self, running: RunningSandbox) -> None:
        client = rest_client(running)
        [only] = client.get_portfolios().portfolios
        found = client.get_portfolio_breakdown(only.uuid).breakdown
        held = {row.currency for row in client.get_accounts().accounts}
        assert (found.portfolio.uuid, {row.asset for row in found.spot_positions}) == (only.uuid, held)
        assert found.perp_positions == found.futures_positions == []
        worth = sum(row.total_balance_fiat for row in found.spot_positions)
        assert worth == pytest.approx(float(found.portfolio_balances["total_balance"]["value"]), abs=1)

    def test_an_account_without_a_bank_has_no_payment_methods(self, running: RunningSandbox) -> None:
        assert rest_client(running).list_payment_methods().payment_methods == []

    @pytest.mark.parametrize("path", ["/api/v3/brokerage/intx/positions", "/v2/payment-methods"])
    def test_products_that_the_account_lacks_are_refused_as_by_the_venue(self, running: RunningSandbox, path: str) -> None:
        with pytest.raises(requests.HTTPError) as refused:
            rest_client(running).get(path)
        assert refused.value.response is not None
        assert (refused.value.response.status_code, refused.value.response.json()["error"]) == (403, "PERMISSION_DENIED")

    @pytest.mark.parametrize(
        "claims",
        [
            {"iss": "coinbase-cloud", "aud": ["retail_rest_api_proxy"], "uri": "GET http://{place}"},
            {"iss": "cdp", "aud": ["cdp_service"], "uris": ["GET {place}"]},
        ],
    )
    def test_tokens_are_taken_in_every_form_that_the_venue_takes(self, running: RunningSandbox, claims: dict[str, Any]) -> None:
        address, path = running.addresses["coinbase"], "/api/v3/brokerage/accounts"
        place, now = urlsplit(address["rest"]).netloc + path, int(time.time())
        asked = {name: value.format(place=place) if name == "uri" else value for name, value in claims.items()}
        asked |= {"uris": [one.format(place=place) for one in claims["uris"]]} if "uris" in claims else {}
        made = {"sub": address["api_key"], "nbf": now, "exp": now + 120, **asked}
        token = jwt.encode(made, address["api_secret"], "ES256", headers={"kid": address["api_key"]})
        answer = requests.get(address["rest"] + path, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        assert answer.status_code == 200
