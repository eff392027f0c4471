"""Orders over the sandbox's Coinbase face, from placing to their last fill, by Coinbase's own client."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from coinbase.rest import RESTClient
from requests import HTTPError, Timeout

from market.sandbox.server import RunningSandbox, running_sandbox
from tests.market.sandbox.coinbase import error_response, rest_client

D = Decimal
FAR = "2100-01-01T00:00:00Z"


@pytest.fixture
def running() -> Iterator[RunningSandbox]:
    with running_sandbox() as sandbox:
        sandbox.trade("coinbase", "BTC-USD", "50000")
        yield sandbox


@pytest.fixture
def client(running: RunningSandbox) -> RESTClient:
    return rest_client(running)


def order_id_of(answer: Any) -> str:
    assert answer.success, answer.error_response
    return str(answer.success_response["order_id"])


def read_balance(client: RESTClient, asset: str) -> tuple[Decimal, Decimal]:
    """(available, held) of an asset."""
    account = next(row for row in client.get_accounts().accounts if row.currency == asset)
    return D(account.available_balance["value"]), D(account.hold["value"])


def read_order(client: RESTClient, order_id: str) -> dict[str, Any]:
    order: dict[str, Any] = client.get_order(order_id).order.to_dict()
    return order


class TestMarketOrders:
    def test_a_purchase_by_quote_spends_no_more_than_asked(self, client: RESTClient) -> None:
        order = read_order(client, order_id_of(client.market_order_buy("one", "BTC-USD", quote_size="10000")))
        fills = client.get_fills(order_ids=[order["order_id"]]).fills
        size, value, fees = (
            sum((D(part) for part in parts), D(0))
            for parts in zip(*[(fill.size, D(fill.size) * D(fill.price), fill.commission) for fill in fills], strict=True)
        )
        assert (order["status"], order["settled"], order["completion_percentage"]) == ("FILLED", True, "100")
        assert len(fills) == int(order["number_of_fills"]) > 1
        assert (D(order["filled_size"]), D(order["filled_value"]), D(order["total_fees"])) == (size, value, fees)
        assert D("9999.99") < D(order["total_value_after_fees"]) == value + fees <= 10_000
        assert {fill.liquidity_indicator for fill in fills} == {"TAKER"}
        assert read_balance(client, "BTC") == (2 + size, D(0))
        assert read_balance(client, "USD") == (100_000 - value - fees, D(0))

    def test_a_sale_brings_its_value_less_the_fee(self, client: RESTClient) -> None:
        order = read_order(client, order_id_of(client.market_order_sell("one", "BTC-USD", base_size="0.5")))
        assert (order["status"], order["side"], order["filled_size"]) == ("FILLED", "SELL", "0.5")
        assert read_balance(client, "BTC") == (D("1.5"), D(0))
        assert read_balance(client, "USD") == (100_000 + D(order["filled_value"]) - D(order["total_fees"]), D(0))
        assert D(order["total_value_after_fees"]) == D(order["filled_value"]) - D(order["total_fees"])

    def test_an_empty_client_order_id_is_made_up_by_the_client(self, client: RESTClient) -> None:
        answer = client.market_order_buy("", "BTC-USD", quote_size="10")
        assert read_order(client, order_id_of(answer))["client_order_id"] == answer.success_response["client_order_id"] != ""


class TestRestingOrders:
    def test_it_holds_money_fills_in_parts_and_gives_back_the_rest(self, running: RunningSandbox, client: RESTClient) -> None:
        answer = client.limit_order_gtc_buy("one", "BTC-USD", base_size="0.2", limit_price="49000")
        order = read_order(client, order_id_of(answer))
        assert answer.order_configuration.to_dict() == {
            "limit_limit_gtc": {"base_size": "0.2", "limit_price": "49000", "post_only": False}
        }
        assert (order["status"], order["time_in_force"], order["order_type"]) == ("OPEN", "GOOD_UNTIL_CANCELLED", "LIMIT")
        held = D(order["outstanding_hold_amount"])
        assert held >= D("9800")
        assert read_balance(client, "USD") == (100_000 - held, held)

        [resting] = running.exchange("coinbase").open_orders(running.addresses["coinbase"]["api_key"])
        running.trade("coinbase", "BTC-USD", "49000", str(resting.queue + D("0.05")))
        partly = read_order(client, order["order_id"])
        assert (partly["status"], partly["filled_size"], partly["completion_percentage"]) == ("OPEN", "0.05", "25")
        assert read_balance(client, "BTC") == (D("2.05"), D(0))
        running.trade("coinbase", "BTC-USD", "48999")
        filled = read_order(client, order["order_id"])
        [fill, *_] = client.get_fills(order_ids=[order["order_id"]]).fills
        assert (filled["status"], filled["average_filled_price"], filled["outstanding_hold_amount"]) == ("FILLED", "49000", "0")
        assert (fill.liquidity_indicator, fill.price) == ("MAKER", "49000")
        assert D(filled["total_fees"]) == D("9800") * D("0.004")
        assert read_balance(client, "USD") == (100_000 - D("9800") * D("1.004"), D(0))

    def test_a_cancelled_one_gives_all_back(self, client: RESTClient) -> None:
        order_id = order_id_of(client.limit_order_gtc_sell("one", "BTC-USD", base_size="1.5", limit_price="60000"))
        assert read_balance(client, "BTC") == (D("0.5"), D("1.5"))
        [first] = client.cancel_orders([order_id]).results
        [again, unknown] = client.cancel_orders([order_id, "no-such-order"]).results
        assert (first.success, first.order_id) == (True, order_id)
        assert (again.success, again.failure_reason) == (False, "DUPLICATE_CANCEL_REQUEST")
        assert (unknown.success, unknown.failure_reason) == (False, "UNKNOWN_CANCEL_ORDER")
        assert (read_order(client, order_id)["status"], read_order(client, order_id)["cancel_message"]) == (
            "CANCELLED",
            "User requested cancel",
        )
        assert read_balance(client, "BTC") == (D(2), D(0))

    def test_what_is_filled_cannot_be_cancelled(self, client: RESTClient) -> None:
        order_id = order_id_of(client.market_order_buy("one", "BTC-USD", quote_size="10"))
        [result] = client.cancel_orders([order_id]).results
        assert (result.success, result.failure_reason) == (False, "ORDER_IS_FULLY_FILLED")

    def test_a_deadline_ends_it(self, running: RunningSandbox, client: RESTClient) -> None:
        now = running.exchange("coinbase").clock()
        end = client.get_product_book("BTC-USD").pricebook.time[:-1]
        order_id = order_id_of(client.limit_order_gtd_buy("far", "BTC-USD", "0.1", "49000", FAR))
        refused = client.limit_order_gtd_buy("past", "BTC-USD", "0.1", "49000", "tomorrow")
        soon = order_id_of(client.limit_order_gtd_buy("soon", "BTC-USD", "0.1", "49000", f"{end[:-7]}.999999+00:00"))
        running.step(2000)
        assert running.exchange("coinbase").clock() == now + 2000
        assert read_order(client, order_id)["status"] == "OPEN"
        assert read_order(client, order_id)["order_configuration"]["limit_limit_gtd"]["end_time"] == "2100-01-01T00:00:00.000000Z"
        assert (read_order(client, soon)["status"], read_order(client, soon)["time_in_force"]) == (
            "EXPIRED",
            "GOOD_UNTIL_DATE_TIME",
        )
        assert refused.error_response["error"] == "INVALID_REQUEST"

    def test_a_stop_waits_for_its_price(self, running: RunningSandbox, client: RESTClient) -> None:
        order_id = order_id_of(
            client.stop_limit_order_gtc_sell("one", "BTC-USD", "0.1", "47000", "48000", "STOP_DIRECTION_STOP_DOWN")
        )
        waiting = read_order(client, order_id)
        assert (waiting["status"], waiting["trigger_status"], waiting["order_type"]) == ("OPEN", "STOP_PENDING", "STOP_LIMIT")
        assert waiting["order_configuration"] == {
            "stop_limit_stop_limit_gtc": {
                "base_size": "0.1",
                "limit_price": "47000",
                "stop_price": "48000",
                "stop_direction": "STOP_DIRECTION_STOP_DOWN",
            }
        }
        running.trade("coinbase", "BTC-USD", "48000.01")
        assert read_order(client, order_id)["trigger_status"] == "STOP_PENDING"
        running.trade("coinbase", "BTC-USD", "48000")
        sold = read_order(client, order_id)
        assert (sold["status"], sold["trigger_status"], sold["filled_size"]) == ("FILLED", "STOP_TRIGGERED", "0.1")

    def test_a_stop_with_a_deadline_is_reached_before_it(self, running: RunningSandbox, client: RESTClient) -> None:
        answer = client.stop_limit_order_gtd_buy("one", "BTC-USD", "0.1", "53000", "52000", FAR, "STOP_DIRECTION_STOP_UP")
        assert read_order(client, order_id_of(answer))["time_in_force"] == "GOOD_UNTIL_DATE_TIME"
        running.trade("coinbase", "BTC-USD", "52000")
        assert read_order(client, order_id_of(answer))["status"] == "FILLED"


class TestOrdersOfTheMoment:
    def test_what_meets_nobody_is_cancelled(self, client: RESTClient) -> None:
        for answer in (
            client.limit_order_ioc_buy("ioc", "BTC-USD", "0.1", "40000"),
            client.limit_order_fok_buy("fok", "BTC-USD", "0.1", "40000"),
        ):
            order = read_order(client, order_id_of(answer))
            assert (order["status"], order["filled_size"], order["outstanding_hold_amount"]) == ("CANCELLED", "0", "0")

    def test_all_or_nothing_takes_all_or_nothing(self, client: RESTClient) -> None:
        whole = read_order(client, order_id_of(client.limit_order_fok_buy("whole", "BTC-USD", "0.5", "51000")))
        nothing = read_order(client, order_id_of(client.limit_order_fok_buy("nothing", "BTC-USD", "1", "50005")))
        part = read_order(client, order_id_of(client.limit_order_ioc_buy("part", "BTC-USD", "1", "50005")))
        assert (whole["status"], whole["filled_size"], whole["time_in_force"]) == ("FILLED", "0.5", "FILL_OR_KILL")
        assert (nothing["status"], nothing["filled_size"]) == ("CANCELLED", "0")
        assert (part["status"], part["time_in_force"]) == ("CANCELLED", "IMMEDIATE_OR_CANCEL")

    def test_post_only_never_takes(self, client: RESTClient) -> None:
        taken = client.limit_order_gtc_buy("take", "BTC-USD", "0.1", "51000", post_only=True)
        rests = client.limit_order_gtc_buy("rest", "BTC-USD", "0.1", "49000", post_only=True)
        assert taken.error_response["error"] == "INVALID_LIMIT_PRICE_POST_ONLY"
        assert read_order(client, order_id_of(rests))["order_configuration"]["limit_limit_gtc"]["post_only"] is True


LIMIT = "limit_limit_gtc"
STOP = "stop_limit_stop_limit_gtc"


class TestRefusals:
    @pytest.mark.parametrize(
        ("product", "side", "configuration", "error"),
        [
            ("NO-USD", "BUY", {"market_market_ioc": {"quote_size": "10"}}, "INVALID_PRODUCT_ID"),
            ("BTC-USD", "HOLD", {"market_market_ioc": {"quote_size": "10"}}, "INVALID_SIDE"),
            ("BTC-USD", "BUY", {"market_market_ioc": {}}, "INVALID_REQUEST"),
            ("BTC-USD", "BUY", {"market_market_ioc": {"quote_size": "10", "base_size": "1"}}, "INVALID_REQUEST"),
            ("BTC-USD", "BUY", {"market_market_ioc": {"quote_size": "1e3"}}, "INVALID_REQUEST"),
            ("BTC-USD", "BUY", {"market_market_ioc": {"quote_size": "-5"}}, "INVALID_REQUEST"),
            ("BTC-USD", "BUY", {"market_market_ioc": {"quote_size": 10}}, "INVALID_REQUEST"),
            ("BTC-USD", "BUY", {"market_market_ioc": {"quote_size": "0.5"}}, "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"),
            ("BTC-USD", "BUY", {"market_market_ioc": {"quote_size": "200000"}}, "INSUFFICIENT_FUND"),
            ("BTC-USD", "SELL", {"market_market_ioc": {"base_size": "2.1"}}, "INSUFFICIENT_FUND"),
            ("BTC-USD", "BUY", {LIMIT: {"base_size": "0.1", "limit_price": "49000.001"}}, "INVALID_PRICE_PRECISION"),
            ("BTC-USD", "BUY", {LIMIT: {"base_size": "0.123456789", "limit_price": "49000"}}, "INVALID_SIZE_PRECISION"),
            ("BTC-USD", "BUY", {LIMIT: {"base_size": "0.1", "limit_price": "5"}}, "INVALID_LIMIT_PRICE"),
            ("BTC-USD", "BUY", {LIMIT: {"base_size": "0.1"}}, "INVALID_REQUEST"),
            ("BTC-USD", "BUY", {LIMIT: {"base_size": "0", "limit_price": "49000"}}, "INVALID_REQUEST"),
            ("BTC-USD", "BUY", {"twap_limit_gtd": {"base_size": "1"}}, "UNSUPPORTED_ORDER_CONFIGURATION"),
            ("BTC-USD", "BUY", {}, "UNSUPPORTED_ORDER_CONFIGURATION"),
            ("BTC-USD", "BUY", {STOP: {"base_size": "1", "limit_price": "1", "stop_price": "1"}}, "INVALID_REQUEST"),
            (
                "BTC-USD",
                "BUY",
                {
                    STOP: {
                        "base_size": "1",
                        "limit_price": "50000",
                        "stop_price": "49000",
                        "stop_direction": "STOP_DIRECTION_STOP_UP",
                    }
                },
                "PREVIEW_STOP_PRICE_BELOW_LAST_TRADE_PRICE",
            ),
            (
                "BTC-USD",
                "SELL",
                {
                    STOP: {
                        "base_size": "1",
                        "limit_price": "50000",
                        "stop_price": "51000",
                        "stop_direction": "STOP_DIRECTION_STOP_DOWN",
                    }
                },
                "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE",
            ),
        ],
    )
    def test_it_is_an_answer_with_the_reason_and_leaves_no_trace(
        self, running: RunningSandbox, client: RESTClient, product: str, side: str, configuration: dict[str, Any], error: str
    ) -> None:
        answer = client.create_order("bad", product, side, configuration)
        assert (answer.success, answer.error_response["error"]) == (False, error)
        assert answer.error_response["message"]
        assert client.list_orders().orders == []
        assert read_balance(client, "USD") == (D(100_000), D(0))

    @pytest.mark.parametrize(
        "body", [{}, {"client_order_id": "x"}, {"client_order_id": 5, "product_id": "BTC-USD"}, {"client_order_id": "x" * 129}]
    )
    def test_a_body_without_the_essentials_is_no_order(self, client: RESTClient, body: dict[str, Any]) -> None:
        with pytest.raises(HTTPError) as error:
            client.post("/api/v3/brokerage/orders", data=body)
        assert error_response(error).status_code == 400

    def test_an_unknown_order_is_not_found(self, client: RESTClient) -> None:
        for order_id in ("none", "5bd0c0e3-8f0c-5c55-0000-000000000009"):
            with pytest.raises(HTTPError) as error:
                client.get_order(order_id)
            assert error_response(error).status_code == 404


class TestOnce:
    def test_a_client_order_id_that_was_used_gives_its_order(self, client: RESTClient) -> None:
        first = client.market_order_buy("same", "BTC-USD", quote_size="10")
        again = client.market_order_buy("same", "BTC-USD", quote_size="10")
        other = client.market_order_buy("other", "BTC-USD", quote_size="10")
        assert order_id_of(first) == order_id_of(again) != order_id_of(other)
        assert len(client.list_orders().orders) == 2

    def test_an_order_whose_answer_was_lost_is_there_once(self, running: RunningSandbox, client: RESTClient) -> None:
        running.fault({"fault": "timeout_after", "venue": "coinbase", "path": "*/orders"})
        hasty = rest_client(running, timeout=0.5)
        with pytest.raises(Timeout):
            hasty.market_order_buy("lost", "BTC-USD", quote_size="10")
        [order] = client.list_orders().orders
        again = hasty.market_order_buy("lost", "BTC-USD", quote_size="10")
        assert (order.client_order_id, order.status) == ("lost", "FILLED")
        assert order_id_of(again) == order.order_id
        assert len(client.list_orders().orders) == 1

    def test_an_order_that_never_arrived_is_not_there(self, running: RunningSandbox, client: RESTClient) -> None:
        running.fault({"fault": "timeout_before", "venue": "coinbase", "path": "*/orders"})
        with pytest.raises(Timeout):
            rest_client(running, timeout=0.5).market_order_buy("lost", "BTC-USD", quote_size="10")
        assert client.list_orders().orders == []


class TestLists:
    def test_orders_are_filtered_and_paged(self, client: RESTClient) -> None:
        for number in range(5):
            order_id_of(client.limit_order_gtc_buy(f"open-{number}", "BTC-USD", "0.01", "45000"))
        order_id_of(client.market_order_sell("sold", "ETH-USD", base_size="0.1"))
        first = client.list_orders(limit=4)
        second = client.list_orders(limit=4, cursor=first.cursor)
        names = [order.client_order_id for order in (*first.orders, *second.orders)]
        assert names == ["sold", "open-4", "open-3", "open-2", "open-1", "open-0"]
        assert (first.has_next, second.has_next, second.cursor) == (True, False, "")
        assert len(client.list_orders(order_status=["OPEN"]).orders) == 5
        assert [order.client_order_id for order in client.list_orders(product_ids=["ETH-USD"]).orders] == ["sold"]
        assert [order.client_order_id for order in client.list_orders(order_side="SELL", order_types="MARKET").orders] == ["sold"]
        assert client.list_orders(limit=1, product_ids=["ETH-USD"]).has_next is False
        assert client.list_orders(start_date=FAR).orders == []
        assert len(client.list_orders(order_ids=[first.orders[1].order_id]).orders) == 1

    def test_fills_are_filtered_and_paged(self, client: RESTClient) -> None:
        order_id = order_id_of(client.market_order_buy("one", "BTC-USD", quote_size="10000"))
        order_id_of(client.market_order_sell("two", "ETH-USD", base_size="0.1"))
        every = client.get_fills().fills
        pages, cursor = [], ""
        while page := client.get_fills(limit=2, cursor=cursor or None, order_ids=[order_id]):
            pages += page.fills
            if not (cursor := page.cursor):
                break
        assert [fill.trade_id for fill in pages] == [fill.trade_id for fill in every if fill.order_id == order_id]
        assert len({fill.entry_id for fill in every}) == len(every) > len(pages) > 2
        assert len(client.get_fills(product_ids=["ETH-USD"]).fills) == len(every) - len(pages)
        assert client.get_fills(start_sequence_timestamp=FAR).fills == []
