"""What a venue's refusal means: each documented code and text has one meaning, and one that is not known is not sent again."""

from __future__ import annotations

import time
from typing import Any

import pytest

from market.exchanges.base import NotFoundAtVenue, OrderRequest, RateLimited, Refused, Report, Retryable, Unauthorised, Unknown
from tests.market.exchanges.canned import Answer
from tests.market.exchanges.test_rows import BINANCE_ORDER, COINBASE_ORDER, D, Venues, venues

__all__ = ["venues"]
ORDER = OrderRequest("qd-41", "BTC-USDT", "buy", "limit", D("0.5"), D(60000))
AT_COINBASE = OrderRequest("qd-41", "BTC-USD", "buy", "limit", D("0.5"), D(60000))


def refusal(code: object, text: str = "no", status: int = 400, **headers: str) -> Answer:
    return Answer({"code": code, "msg": text}, status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("code", "text", "kind", "told"),
    [
        (-1013, "Filter failure: LOT_SIZE", "lasting", "LOT_SIZE"),
        (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS", "lasting", "MAX_NUM_ALGO_ORDERS"),
        (-1111, "Precision is over the maximum defined for this asset.", "ours", "-1111"),
        (-1121, "Invalid symbol.", "ours", "-1121"),
        (-2010, "Account has insufficient balance for requested action.", "person", "-2010"),
        (-2010, "This symbol is not permitted for this account.", "person", "-2010"),
        (-2010, "Market is closed.", "passing", "-2010"),
        (-2010, "Stop price would trigger? Order would trigger immediately.", "passing", "-2010"),
        (-2010, "Order would immediately match and take.", "passing", "-2010"),
        (-2010, "Market orders are not supported for this symbol.", "lasting", "-2010"),
        (-2010, "Price * QTY is zero or less.", "ours", "-2010"),
        (-2016, "No trading window could be found for the symbol.", "passing", "-2016"),
        (-9999, "A reason of next year.", "lasting", "-9999"),
        ("odd", "A code that is none.", "lasting", "400"),
    ],
)
async def test_a_refusal_of_binance_says_who_can_change_it(venues: Venues, code: object, text: str, kind: str, told: str) -> None:
    exchange = await venues.connect("binance")
    venues.canned.answers["POST order"] = refusal(code, text)
    with pytest.raises(Refused) as refused:
        await exchange.place(ORDER)
    assert (refused.value.kind, refused.value.code, refused.value.lasting) == (kind, told, kind != "passing")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Unknown order sent.", NotFoundAtVenue),
        ("Order was not canceled due to cancel restrictions.", Refused),
        ("Market is closed.", Refused),
        ("This account may not place or cancel orders.", Refused),
    ],
)
async def test_only_an_order_that_is_not_there_is_not_found(venues: Venues, text: str, error: type[Refused]) -> None:
    exchange = await venues.connect("binance")
    venues.canned.answers["DELETE order"] = refusal(-2011, text)
    with pytest.raises(Refused) as refused:
        await exchange.cancel("BTC-USDT", "qd-41")
    assert type(refused.value) is error


async def test_an_order_that_was_put_away_is_not_asked_for_again(venues: Venues) -> None:
    exchange = await venues.connect("binance")
    venues.canned.answers["GET order"] = refusal(-2026, "Order was canceled or expired with no executed qty over 90 days ago.")
    with pytest.raises(NotFoundAtVenue):
        await exchange.order("BTC-USDT", "qd-41")


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (refusal(-1008, "Server is currently overloaded."), 60.0),
        (refusal(-1016, "This service is no longer available.", 503), 10.0),
        (refusal(-1034, "Too many connections."), 10.0),
        (refusal(-1003, "Way too much.", 418, Retry_After="600"), 600.0),
        (refusal(-1003, "Way too much.", 429, Retry_After="nan"), 60.0),
        (refusal(-1003, "Way too much.", 418, Retry_After="1e99"), 3 * 86_400.0),
    ],
)
async def test_what_passes_is_not_refused_and_says_how_long_it_takes(venues: Venues, answer: Answer, after: float) -> None:
    exchange = await venues.connect("binance")
    venues.canned.answers["POST order"] = answer
    with pytest.raises(Retryable) as problem:
        await exchange.place(ORDER)
    assert problem.value.after == after


async def test_a_ban_that_tells_its_end_in_its_text_lasts_until_then(venues: Venues) -> None:
    exchange = await venues.connect("binance")
    ends = int((time.time() + 1000) * 1000)
    venues.canned.answers["GET api/v3/account"] = refusal(-1003, f"Way too many requests; IP banned until {ends}.", 418)
    with pytest.raises(RateLimited) as problem:
        await exchange.balances()
    assert 900 < problem.value.after <= 1000


def coinbase_refusal(new: str = "UNKNOWN_FAILURE_REASON", preview: str = "UNKNOWN_PREVIEW_FAILURE_REASON", error: str = "") -> Any:
    told = {"error": error, "message": "no", "preview_failure_reason": preview, "new_order_failure_reason": new}
    return {"success": False, "error_response": told}


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (coinbase_refusal("INSUFFICIENT_FUND"), "person", "INSUFFICIENT_FUND"),
        (coinbase_refusal(preview="PREVIEW_INSUFFICIENT_FUND"), "person", "PREVIEW_INSUFFICIENT_FUND"),
        (coinbase_refusal("ORDER_ENTRY_DISABLED"), "passing", "ORDER_ENTRY_DISABLED"),
        (
            coinbase_refusal(preview="PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE"),
            "passing",
            "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE",
        ),
        (coinbase_refusal(error="INVALID_PRICE_PRECISION"), "ours", "INVALID_PRICE_PRECISION"),
        (coinbase_refusal("A_REASON_OF_NEXT_YEAR"), "lasting", "A_REASON_OF_NEXT_YEAR"),
    ],
)
async def test_a_refusal_of_coinbase_says_who_can_change_it(venues: Venues, answer: Any, kind: str, code: str) -> None:
    exchange = await venues.connect("coinbase")
    venues.canned.answers["POST orders"] = answer
    with pytest.raises(Refused) as refused:
        await exchange.place(AT_COINBASE)
    assert (refused.value.kind, refused.value.code) == (kind, code)


@pytest.mark.parametrize("answer", [coinbase_refusal(), {"success": False}, {"success": "false", "error_response": None}])
async def test_a_refusal_without_a_reason_leaves_the_order_unknown(venues: Venues, answer: Any) -> None:
    exchange = await venues.connect("coinbase")
    venues.canned.answers["POST orders"] = answer
    with pytest.raises(Unknown):
        await exchange.place(AT_COINBASE)


async def test_an_order_that_coinbase_has_already_is_looked_up(venues: Venues) -> None:
    exchange = await venues.connect("coinbase")
    venues.canned.answers["POST orders"] = coinbase_refusal("DUPLICATE_CLIENT_ORDER_ID")
    venues.canned.answers["GET orders/historical/batch"] = {"orders": [COINBASE_ORDER], "has_next": False}
    report = await exchange.place(AT_COINBASE)
    assert isinstance(report, Report)
    assert (report.venue_order_id, report.status) == ("v-41", "accepted")


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
async def test_an_order_that_lives_already_and_cannot_be_read_is_neither_refused_nor_sent_again(venues: Venues, venue: str) -> None:
    exchange = await venues.connect(venue)
    venues.canned.answers |= {
        "POST api/v3/order": refusal(-2010, "Duplicate order sent."),
        "GET api/v3/order": [refusal(-2013, "Order does not exist."), Answer("", 503), {**BINANCE_ORDER, "side": "?"}],
        "POST orders": coinbase_refusal("DUPLICATE_CLIENT_ORDER_ID"),
        "GET orders/historical/batch": [{"orders": []}, Answer("", 503), {"orders": [{**COINBASE_ORDER, "side": "?"}]}],
    }
    for _ in range(3):
        with pytest.raises(Unknown):
            await exchange.place(ORDER if venue == "binance" else AT_COINBASE)


@pytest.mark.parametrize(
    ("reason", "error", "kind"),
    [
        ("UNKNOWN_CANCEL_ORDER", NotFoundAtVenue, "lasting"),
        ("ORDER_IS_BEING_REPLACED", Refused, "passing"),
        ("NOT_ALLOWED_TO_CANCEL", Refused, "person"),
    ],
)
async def test_a_cancellation_that_coinbase_refuses(venues: Venues, reason: str, error: type[Refused], kind: str) -> None:
    exchange = await venues.connect("coinbase")
    venues.canned.answers["POST batch_cancel"] = {"results": [{"success": False, "failure_reason": reason}]}
    with pytest.raises(Refused) as refused:
        await exchange.cancel("BTC-USD", "qd-41", "v-41")
    assert (type(refused.value), refused.value.kind) == (error, kind)


async def test_a_cancellation_refused_without_a_reason_is_unknown(venues: Venues) -> None:
    exchange = await venues.connect("coinbase")
    told = {"success": False, "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON"}
    venues.canned.answers["POST batch_cancel"] = {"results": [told]}
    with pytest.raises(Unknown):
        await exchange.cancel("BTC-USD", "qd-41", "v-41")


async def test_a_missing_page_is_not_a_missing_order(venues: Venues) -> None:
    """A 404 that does not say what was not found comes from somebody between us and the venue."""
    exchange = await venues.connect("coinbase")
    venues.canned.answers["GET orders/historical/v-41"] = Answer("<html>404</html>", 404, "text/html")
    with pytest.raises(Retryable):
        await exchange.order("BTC-USD", "", "v-41")
    venues.canned.answers["GET orders/historical/v-41"] = Answer({"error": "NOT_FOUND", "message": "order not found"}, 404)
    with pytest.raises(NotFoundAtVenue):
        await exchange.order("BTC-USD", "", "v-41")


async def test_a_person_is_needed_where_the_key_is_not_taken(venues: Venues) -> None:
    exchange = await venues.connect("binance")
    venues.canned.answers["GET api/v3/account"] = refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)
    with pytest.raises(Unauthorised) as refused:
        await exchange.balances()
    assert refused.value.kind == "person"
