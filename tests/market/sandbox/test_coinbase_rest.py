"""The sandbox's Coinbase face over REST, through Coinbase's own client."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Iterator
from decimal import Decimal
from multiprocessing import AuthenticationError
from typing import Any

import jwt
import pytest
from coinbase.rest import RESTClient
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from requests import HTTPError, request

from market.sandbox.coinbase.limits import CoinbaseRateLimits
from market.sandbox.keys import coinbase_key
from market.sandbox.server import RunningSandbox, running_sandbox
from tests.market.sandbox.coinbase import coinbase_face, error_response, price_of, rest_client


@pytest.fixture(scope="module")
def running() -> Iterator[RunningSandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(autouse=True)
def _no_limits(running: RunningSandbox) -> None:
    """Lifts the rate limits: one that is met by accident would fail whatever test comes next."""
    coinbase_face(running).rest.limits = CoinbaseRateLimits(coinbase_face(running).now)


@pytest.fixture(scope="module")
def client(running: RunningSandbox) -> RESTClient:
    return rest_client(running)


@pytest.fixture(scope="module")
def anyone(running: RunningSandbox) -> RESTClient:
    return rest_client(running, api_key=None, api_secret=None)


class TestMarket:
    def test_everyone_may_look_at_the_market(self, running: RunningSandbox, anyone: RESTClient) -> None:
        names = [product.product_id for product in anyone.get_public_products().products]
        product = anyone.get_public_product("BTC-USD")
        assert names == running.addresses["coinbase"]["symbols"]
        assert Decimal(product.price) == price_of(running)
        assert (product.base_increment, product.quote_increment, product.quote_min_size) == ("0.00000001", "0.01", "1")
        assert (product.status, product.trading_disabled) == ("online", False)

    def test_products_are_told_by_name_and_page(self, client: RESTClient) -> None:
        chosen = client.get_products(product_ids=["SOL-USD", "ETH-USD"]).products
        paged = client.get_products(limit=1, offset=1).products
        assert {product.product_id for product in chosen} == {"SOL-USD", "ETH-USD"}
        assert [product.product_id for product in paged] == ["ETH-USD"]

    def test_candles_come_newest_first_and_are_the_history(self, running: RunningSandbox, anyone: RESTClient) -> None:
        rows = running.do(lambda: running.exchange("coinbase").history("ETH-USD").candles("5m"))
        first, last = rows[2].time // 1000, rows[9].time // 1000
        candles = anyone.get_public_candles("ETH-USD", str(first), str(last), "FIVE_MINUTE").candles
        told = [[Decimal(candle[name]) for name in ("start", "open", "high", "low", "close", "volume")] for candle in candles]
        assert told == [
            [Decimal(row.time // 1000), row.open, row.high, row.low, row.close, row.volume] for row in reversed(rows[2:10])
        ]

    @pytest.mark.parametrize(
        ("start", "end", "granularity"),
        [("0", "21001", "ONE_MINUTE"), ("9", "8", "ONE_DAY"), ("x", "9", "ONE_DAY"), ("1", "2", "ONE")],
    )
    def test_candles_of_no_sensible_span_are_refused(self, anyone: RESTClient, start: str, end: str, granularity: str) -> None:
        with pytest.raises(HTTPError) as error:
            anyone.get_public_candles("BTC-USD", start, end, granularity)
        assert (error_response(error).status_code, error_response(error).json()["error"]) == (400, "INVALID_ARGUMENT")

    def test_the_book_surrounds_the_price(self, client: RESTClient) -> None:
        book = client.get_product_book("BTC-USD", limit=3)
        bids, asks = ([Decimal(level.price) for level in side] for side in (book.pricebook.bids, book.pricebook.asks))
        [best] = client.get_best_bid_ask(["BTC-USD"]).pricebooks
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert len(bids) == len(asks) == 3
        assert bids[0] < asks[0]
        assert [level.price for level in (*best.bids, *best.asks)] == [book.pricebook.bids[0].price, book.pricebook.asks[0].price]

    def test_trades_come_newest_first_with_the_makers_side(self, running: RunningSandbox, client: RESTClient) -> None:
        running.trade("coinbase", "SOL-USD", "150.20", "2", buyer_is_maker=False)
        running.trade("coinbase", "SOL-USD", "150.10", "3.5", buyer_is_maker=True)
        answer = client.get_market_trades("SOL-USD", 2)
        assert [(row.price, row.size, row.side) for row in answer.trades] == [("150.1", "3.5", "BUY"), ("150.2", "2", "SELL")]
        assert answer.best_bid == "150.1"

    def test_an_unknown_product_is_not_found(self, anyone: RESTClient) -> None:
        with pytest.raises(HTTPError) as error:
            anyone.get_public_product("NO-USD")
        assert (error_response(error).status_code, error_response(error).json()["error"]) == (404, "NOT_FOUND")

    def test_a_filter_that_changes_and_a_delisting_show(self, client: RESTClient) -> None:
        with running_sandbox() as other:
            asking = rest_client(other)
            other.fault(
                {"fault": "filters", "symbol": "SOL-USD", "tick": "0.5"},
                {"fault": "delist", "symbol": "ETH-USD", "venue": "coinbase"},
            )
            sol, eth = asking.get_product("SOL-USD"), asking.get_product("ETH-USD")
            refused = asking.market_order_buy("late", "ETH-USD", quote_size="10")
        assert sol.price_increment == "0.5"
        assert (eth.trading_disabled, eth.status) == (True, "delisted")
        assert refused.error_response["error"] == "ORDER_ENTRY_DISABLED"


class TestAccount:
    def test_money_is_shown_by_asset(self, client: RESTClient) -> None:
        listed = client.get_accounts()
        one = client.get_account(listed.accounts[0].uuid).account
        assert [account.currency for account in listed.accounts] == ["BTC", "ETH", "SOL", "USD"]
        assert (one.currency, one.available_balance) == ("BTC", {"value": "2", "currency": "BTC"})
        with pytest.raises(HTTPError):
            client.get_account(str(uuid.uuid4()))

    def test_accounts_come_in_pages(self, client: RESTClient) -> None:
        first = client.get_accounts(limit=3)
        second = client.get_accounts(limit=3, cursor=first.cursor)
        assert (first.has_next, len(first.accounts)) == (True, 3)
        assert (second.has_next, [account.currency for account in second.accounts]) == (False, ["USD"])

    def test_fees_and_permissions_are_told(self, client: RESTClient) -> None:
        tier, may = client.get_transaction_summary().fee_tier, client.get_api_key_permissions()
        assert (tier["maker_fee_rate"], tier["taker_fee_rate"]) == ("0.004", "0.006")
        assert (may.can_view, may.can_trade, may.can_transfer) == (True, True, False)

    def test_the_clock_is_told(self, anyone: RESTClient) -> None:
        assert abs(int(anyone.get_unix_time().epoch_millis) - time.time() * 1000) < 60_000


class TestTokens:
    def test_nothing_of_an_account_without_a_key(self, running: RunningSandbox, anyone: RESTClient) -> None:
        with pytest.raises(AuthenticationError):
            anyone.get_accounts()
        assert request("GET", f"{running.addresses['coinbase']['rest']}/api/v3/brokerage/accounts", timeout=20).status_code == 401

    def test_an_ed25519_key_opens_its_account(self, running: RunningSandbox) -> None:
        secret = ed25519.Ed25519PrivateKey.generate()
        account = running.addresses["coinbase"]["api_key"]
        running.do(lambda: coinbase_face(running).admit("organizations/o/apiKeys/ed", secret.public_key(), account))
        text = base64.b64encode(secret.private_bytes_raw() + secret.public_key().public_bytes_raw()).decode()
        asking = rest_client(running, api_key="organizations/o/apiKeys/ed", api_secret=text)
        assert len(asking.get_accounts().accounts) == 4

    def test_a_key_of_another_sandbox_opens_nothing(self, running: RunningSandbox) -> None:
        stranger = coinbase_key(seed=99)
        other_secret = ed25519.Ed25519PrivateKey.generate().private_bytes_raw()
        for asking in (
            rest_client(running, api_key=stranger.name, api_secret=stranger.secret),
            rest_client(running, api_secret=stranger.secret),
            rest_client(running, api_secret=base64.b64encode(other_secret).decode()),
        ):
            with pytest.raises(HTTPError) as error:
                asking.get_accounts()
            assert error_response(error).status_code == 401

    def test_a_revoked_key_opens_nothing(self, running: RunningSandbox) -> None:
        public = coinbase_face(running).keys[running.addresses["coinbase"]["api_key"]].public
        running.do(lambda: coinbase_face(running).admit("brief", public, running.addresses["coinbase"]["api_key"]))
        asking = rest_client(running, api_key="brief")
        assert asking.get_accounts().accounts
        running.do(lambda: coinbase_face(running).revoke("brief"))
        with pytest.raises(HTTPError) as error:
            asking.get_accounts()
        assert error_response(error).status_code == 401

    def test_a_key_does_what_it_may_and_says_so(self, running: RunningSandbox, client: RESTClient) -> None:
        name = running.addresses["coinbase"]["api_key"]
        running.do(lambda: coinbase_face(running).permit(name, can_trade=False, can_transfer=True))
        may = client.get_api_key_permissions()
        with pytest.raises(HTTPError, match="Missing Required Scopes") as error:
            client.market_order_buy("no", "BTC-USD", quote_size="10")
        running.do(lambda: coinbase_face(running).permit(name))
        assert (may.can_trade, may.can_transfer) == (False, True)
        assert error_response(error).status_code == 403
        assert not running.exchange("coinbase").orders(name)

    def test_a_clock_that_is_off_is_told_apart(self, running: RunningSandbox, client: RESTClient, anyone: RESTClient) -> None:
        running.fault({"fault": "clock_skew", "venue": "coinbase", "skew": 300_000})
        with pytest.raises(HTTPError) as error:
            client.get_accounts()
        ahead = int(anyone.get_unix_time().epoch_millis) - time.time() * 1000
        running.mend()
        assert error_response(error).status_code == 401
        assert ahead > 200_000
        assert client.get_accounts().accounts

    def test_a_token_is_for_one_request_and_for_two_minutes(self, running: RunningSandbox) -> None:
        claims = self.claims(running)
        assert self.ask(running, claims) == 200
        for change in (
            {"uri": claims["uri"].replace("GET", "POST")},
            {"uri": claims["uri"] + "/x"},
            {"exp": int(time.time()) - 60, "nbf": int(time.time()) - 180},
            {"exp": int(time.time()) + 3600},
            {"nbf": int(time.time()) + 60, "exp": int(time.time()) + 120},
            {"sub": "another"},
            {"iss": "another"},
            {"exp": None},
            {"exp": "soon"},
        ):
            changed = {name: value for name, value in (claims | change).items() if value is not None}
            assert self.ask(running, changed) == 401, change

    def test_a_token_that_is_not_signed_by_the_key_opens_nothing(self, running: RunningSandbox) -> None:
        name = running.addresses["coinbase"]["api_key"]
        public = coinbase_face(running).keys[name].public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        unsigned = jwt.encode(self.claims(running), "", algorithm="none", headers={"kid": name})
        by_public_key = jwt.encode(self.claims(running), public, algorithm="HS256", headers={"kid": name})
        for token in (unsigned, by_public_key, "", "x.y.z", "é"):
            assert self.answer(running, token) == 401, token

    def claims(self, running: RunningSandbox) -> dict[str, Any]:
        address, now = running.addresses["coinbase"], int(time.time())
        uri = f"GET {address['rest'].removeprefix('http://')}/api/v3/brokerage/accounts"
        return {"sub": address["api_key"], "iss": "cdp", "nbf": now, "exp": now + 120, "uri": uri}

    def ask(self, running: RunningSandbox, claims: dict[str, Any]) -> int:
        address = running.addresses["coinbase"]
        return self.answer(
            running, jwt.encode(claims, address["api_secret"], algorithm="ES256", headers={"kid": address["api_key"]})
        )

    def answer(self, running: RunningSandbox, token: str) -> int:
        url = f"{running.addresses['coinbase']['rest']}/api/v3/brokerage/accounts"
        return request("GET", url, headers={"Authorization": f"Bearer {token}".encode()}, timeout=20).status_code


class TestLimits:
    def test_what_is_left_is_told_and_then_refused(self, running: RunningSandbox) -> None:
        limits = coinbase_face(running).rest.limits
        clock, limits.now = limits.now, lambda: 1000
        asking = rest_client(running, rate_limit_headers=True)
        try:
            left = [int(asking.get_accounts().rate_limit_remaining) for _ in range(30)]
            with pytest.raises(HTTPError) as error:
                asking.get_accounts()
            limits.now = lambda: 2000
            after = asking.get_accounts()
        finally:
            limits.now = clock
        assert left == list(range(29, -1, -1))
        assert (error_response(error).status_code, error_response(error).headers["x-ratelimit-remaining"]) == (429, "0")
        assert after.rate_limit_remaining == "29"

    def test_a_fault_refuses_a_number_of_requests(self, running: RunningSandbox, client: RESTClient) -> None:
        running.fault({"fault": "rate_limit", "venue": "coinbase", "path": "*/accounts", "times": 2, "retry_after": 7})
        for _ in range(2):
            with pytest.raises(HTTPError) as error:
                client.get_accounts()
            assert (error_response(error).status_code, error_response(error).headers["Retry-After"]) == (429, "7")
        assert client.get_accounts().accounts

    def test_a_server_in_trouble_says_so(self, running: RunningSandbox, client: RESTClient) -> None:
        running.fault({"fault": "error", "venue": "coinbase", "status": 502})
        with pytest.raises(HTTPError) as error:
            client.get_accounts()
        assert error_response(error).status_code == 502


@pytest.mark.parametrize(
    "path",
    [
        "products?limit=0",
        "products?limit=x",
        "orders/historical/fills?cursor=-1",
        "orders/historical/fills?sort_by=PRICE",
        "orders/historical/batch?start_date=yesterday",
        "product_book?product_id=BTC-USD&aggregation_price_increment=1",
    ],
)
def test_parameters_that_cannot_be_are_refused(client: RESTClient, path: str) -> None:
    name, _, query = path.partition("?")
    with pytest.raises(HTTPError) as error:
        client.get(f"/api/v3/brokerage/{name}", params=dict(pair.split("=") for pair in query.split("&")))
    assert (error_response(error).status_code, error_response(error).json()["error"]) == (400, "INVALID_ARGUMENT")
