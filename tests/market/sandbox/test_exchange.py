"""The matching engine: money is conserved whatever happens, and orders fill when and how they should."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.sandbox.exchange import SandboxExchange
from market.sandbox.instruments import BINANCE, BINANCE_FEES, COINBASE, COINBASE_FEES
from market.sandbox.orders import OrderTicket, RequestRefused
from market.sandbox.taking import needed_funds

D = Decimal
START = 1_700_000_000_000
WEALTH = {"USDT": D(50_000), "USD": D(50_000), "BTC": D(1), "ETH": D(10)}


class Clock:
    now = START

    def __call__(self) -> int:
        return self.now


def exchange(venue: str = "binance", accounts: tuple[str, ...] = ("a",)) -> SandboxExchange:
    listed, fees = (BINANCE, BINANCE_FEES) if venue == "binance" else (COINBASE, COINBASE_FEES)
    made = SandboxExchange(venue, listed, fees, seed=7, clock=Clock())
    for name in accounts:
        made.open_account(name, WEALTH)
    return made


def limit(side: str, price: str, qty: str = "0.1", **more: object) -> OrderTicket:
    return OrderTicket("BTC-USDT", side, "limit", qty=D(qty), limit=D(price), **more)  # type: ignore[arg-type]


def market_ticket(side: str, qty: str = "0", **more: object) -> OrderTicket:
    return OrderTicket("BTC-USDT", side, "market", qty=D(qty), **more)  # type: ignore[arg-type]


def trade_at(on: SandboxExchange, price: str, qty: str = "1", *, seller: bool = True) -> None:
    on.trade("BTC-USDT", D(price), D(qty), buyer_is_maker=seller)


def balance_of(on: SandboxExchange, asset: str, account: str = "a") -> tuple[Decimal, Decimal]:
    balance = on.accounts[account].balance(asset)
    return balance.free, balance.held


def refusal(on: SandboxExchange, request: OrderTicket) -> str:
    with pytest.raises(RequestRefused) as caught:
        on.place("a", request)
    return caught.value.code


def assert_books_balance(on: SandboxExchange) -> None:
    """No money came from nowhere, and accounts hold what their open orders need."""
    assets = {asset for account in on.accounts.values() for asset in account.balances} | set(on.fees) | set(on.outside)
    for asset in assets:
        everything = sum((account.balance(asset).total for account in on.accounts.values()), D(0))
        assert everything + on.fees.get(asset, D(0)) + on.outside.get(asset, D(0)) == 0
    for account in on.accounts.values():
        for asset, balance in account.balances.items():
            held = [order for order in account.open.values() if order.hold_asset == asset]
            assert balance.free >= 0
            assert balance.held == sum((order.held for order in held), D(0))
            assert all(order.held == needed_funds(order, [], rate=on.rate) for order in held)


STEPS = st.tuples(
    st.sampled_from(["trade", "trade", "limit", "market", "quote", "stop", "stop_limit", "ioc", "fok", "post", "cancel"]),
    st.integers(-400, 400),  # ticks of 1.00 away from 65000
    st.integers(1, 60),  # lots of 0.005
    st.booleans(),
    st.sampled_from(["a", "b"]),
)


def act(on: SandboxExchange, step: tuple[str, int, int, bool, str], symbol: str) -> None:
    kind, away, lots, buys, account = step
    price, qty = D(65_000 + away), lots * D("0.005")
    side = "buy" if buys else "sell"
    if kind == "trade":
        on.trade(symbol, price, qty, buyer_is_maker=buys)
    elif kind == "cancel":
        for order in on.open_orders(account)[:1]:
            on.cancel(account, order.id)
    else:
        requests = {
            "limit": {"type": "limit", "limit": price, "qty": qty},
            "market": {"type": "market", "qty": qty},
            "quote": {"type": "market", "quote_qty": qty * 65_000 + D("0.37")},
            "stop": {"type": "stop", "stop": price, "qty": qty},
            "stop_limit": {"type": "stop_limit", "stop": price, "limit": price + 5, "qty": qty},
            "ioc": {"type": "limit", "limit": price, "qty": qty, "tif": "ioc"},
            "fok": {"type": "limit", "limit": price, "qty": qty, "tif": "fok"},
            "post": {"type": "limit", "limit": price, "qty": qty, "post_only": True},
        }
        on.place(account, OrderTicket(symbol, side, **requests[kind]))  # type: ignore[arg-type]


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
@settings(max_examples=60, deadline=None)
@given(steps=st.lists(STEPS, max_size=40))
def test_money_is_conserved_whatever_happens(venue: str, steps: list[tuple[str, int, int, bool, str]]) -> None:
    on = exchange(venue, ("a", "b"))
    symbol = "BTC-USDT" if venue == "binance" else "BTC-USD"
    for step in steps:
        try:
            act(on, step, symbol)
        except RequestRefused:
            continue
        finally:
            assert_books_balance(on)
    for account in on.accounts.values():
        assert len({(fill.symbol, fill.id) for fill in account.fills}) == len(account.fills)
        for order in account.orders.values():
            assert order.filled == sum((fill.qty for fill in order.fills), D(0)) <= order.qty
            assert (order.status == "filled") == (order.filled == order.qty)
    book = on.book(symbol)
    (bid, _), (ask, _) = book.best()
    assert bid < ask


def test_a_resting_order_fills_before_the_trade_that_went_past_it_and_in_turn_at_its_price() -> None:
    on = exchange(accounts=("a", "b"))
    first = on.place("a", limit("buy", "64000", "0.2"))
    second = on.place("b", limit("buy", "64000", "0.2"))
    better = on.place("b", limit("buy", "64500", "0.1"))
    first.queue = second.queue = D("0.5")
    trade_at(on, "64000", "0.6")
    assert [order.filled for order in (better, first, second)] == [D("0.1"), D("0.1"), D(0)]
    assert better.average == D("64500")
    trade_at(on, "64000", "0.3")
    assert [order.filled for order in (first, second)] == [D("0.2"), D("0.2")]
    trades = [(trade.price, trade.qty) for trade in on.history("BTC-USDT").trades]
    assert trades == [
        (D("64500"), D("0.1")),
        (D("64000"), D("0.1")),
        (D("64000"), D("0.5")),
        (D("64000"), D("0.1")),
        (D("64000"), D("0.2")),
    ]
    assert on.history("BTC-USDT").minutes[-1].volume == D("1.0")


def test_an_account_never_trades_with_itself() -> None:
    on = exchange(accounts=("a", "b"))
    (_, _), (ask, _) = on.book("BTC-USDT").best()
    inside = ask - D("0.01")
    mine = on.place("a", limit("sell", str(inside)))
    theirs = on.place("b", limit("sell", str(inside)))
    bought = on.place("a", limit("buy", str(inside), tif="ioc"))
    assert (mine.status, mine.reason) == ("expired", "self_trade")
    assert (theirs.status, bought.status, bought.average) == ("filled", "filled", inside)
    assert not {fill.id for fill in theirs.fills} - {fill.id for fill in bought.fills}
    assert_books_balance(on)


def test_a_market_order_beyond_all_depth_fills_what_there_is() -> None:
    on = exchange()
    on.deposit("a", "BTC", D(1000))
    order = on.place("a", market_ticket("sell", "1000"))
    assert (order.status, order.reason) == ("expired", "immediate")
    assert D(0) < order.filled < D(1000)
    assert balance_of(on, "BTC") == (D(1001) - order.filled, D(0))


def test_coinbase_takes_its_fee_in_quote_and_never_more_than_was_held() -> None:
    on = exchange("coinbase")
    order = on.place("a", OrderTicket("BTC-USD", "buy", "limit", qty=D("0.1"), limit=D(60_000)))
    assert balance_of(on, "USD") == (D(50_000) - D("6036"), D("6036"))
    on.trade("BTC-USD", D(59_999), D(1), buyer_is_maker=True)
    assert (order.status, order.fees, order.fills[0].fee_asset) == ("filled", D("24"), "USD")
    assert balance_of(on, "USD") == (D(50_000) - D("6024"), D(0))
    spent = on.place("a", OrderTicket("BTC-USD", "buy", "market", quote_qty=D(1000)))
    assert D("999.99") < spent.value + spent.fees <= D(1000)


def test_a_deadline_ends_an_order() -> None:
    on = exchange()
    order = on.place("a", limit("buy", "60000", tif="gtd", expires=START + 1000))
    on.expire(START + 999)
    assert order.status == "open"
    on.expire(START + 1000)
    assert (order.status, order.reason, balance_of(on, "USDT")) == ("expired", "deadline", (D(50_000), D(0)))


def test_stops_set_each_other_off_and_a_stop_takes_what_its_account_can_pay() -> None:
    on = exchange()
    falling = [on.place("a", OrderTicket("BTC-USDT", "sell", "stop", qty=D("0.3"), stop=D(price))) for price in (64_900, 64_890)]
    trade_at(on, "64895")
    assert [order.status for order in falling] == ["filled", "filled"]
    poor = on.place("a", OrderTicket("BTC-USDT", "buy", "stop", qty=D("1.3"), stop=D(66_000)))
    on.place("a", limit("sell", "300000", "0.1"))
    on.trade("BTC-USDT", D(70_000), D(1), buyer_is_maker=False)
    assert (poor.status, poor.reason) == ("expired", "immediate")
    assert D(0) < poor.filled < D("1.3")
    assert balance_of(on, "USDT")[0] >= 0
    assert_books_balance(on)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (OrderTicket("NO-NO", "buy", "market", qty=D(1)), "unknown_symbol"),
        (market_ticket("buy"), "bad_request"),
        (market_ticket("buy", "-1"), "bad_request"),
        (market_ticket("buy", "1", limit=D(5)), "bad_request"),
        (limit("buy", "60000", tif="gtd"), "bad_request"),
        (limit("buy", "60000", tif="ioc", post_only=True), "bad_request"),
        (limit("buy", "60000.001"), "price_filter"),
        (limit("buy", "1000"), "percent_price"),
        (limit("buy", "60000", "0.000001"), "lot_size"),
        (limit("buy", "60000", "0.00001"), "min_notional"),
        (market_ticket("buy", quote_qty=D("4.99")), "min_notional"),
        (limit("buy", "60000", "0.9"), "insufficient_balance"),
        (market_ticket("sell", "1.1"), "insufficient_balance"),
        (limit("buy", "66000", post_only=True), "would_take"),
        (OrderTicket("BTC-USDT", "buy", "stop", qty=D("0.1"), stop=D(64_000)), "would_trigger"),
    ],
)
def test_refused_orders_leave_nothing(asked: OrderTicket, code: str) -> None:
    on = exchange()
    assert refusal(on, asked) == code
    with pytest.raises(RequestRefused):
        on.check("a", asked)
    assert on.orders("a") == []
    assert_books_balance(on)


@pytest.mark.parametrize(
    ("filters", "asked", "code"),
    [
        ({"max_qty": D("0.05")}, limit("buy", "60000", "0.1"), "too_large"),
        ({"market_max_qty": D("0.05")}, market_ticket("sell", "0.1"), "market_lot_size"),
        ({"market_max_qty": D("0.05")}, limit("buy", "60000", "0.1"), ""),
        ({"max_notional": D(5_000)}, limit("buy", "60000", "0.1"), "max_notional"),
        ({"max_notional": D(5_000)}, market_ticket("sell", "0.1"), ""),
        ({"max_position": D("1.15")}, limit("buy", "60000", "0.1"), "max_position"),
        ({"max_position": D("1.15")}, limit("sell", "70000", "0.1"), ""),
        ({"max_orders": 1}, limit("buy", "60000", "0.1"), "too_many_orders"),
        ({"max_orders": 1}, market_ticket("sell", "0.1"), ""),
        ({"max_stops": 1}, OrderTicket("BTC-USDT", "sell", "stop", qty=D("0.1"), stop=D(60_000)), ""),
        ({"takes_market": False}, market_ticket("sell", "0.1"), "no_market"),
    ],
)
def test_the_filters_that_are_listed_are_kept(filters: dict[str, Any], asked: OrderTicket, code: str) -> None:
    on = exchange()
    on.place("a", limit("buy", "60000", "0.1"))
    on.change_filters("BTC-USDT", **filters)
    assert (refusal(on, asked) if code else on.place("a", asked).symbol) == (code or "BTC-USDT")


def test_so_many_stops_may_wait() -> None:
    on, stop = exchange(), OrderTicket("BTC-USDT", "sell", "stop", qty=D("0.1"), stop=D(60_000))
    on.change_filters("BTC-USDT", max_stops=1)
    on.place("a", stop)
    assert refusal(on, stop) == "too_many_stops"


def test_delisting_gives_money_back_and_trading_ends() -> None:
    on = exchange()
    resting, waiting = (
        on.place("a", limit("buy", "60000")),
        on.place("a", OrderTicket("BTC-USDT", "sell", "stop", qty=D("0.1"), stop=D(60_000))),
    )
    on.delist("BTC-USDT")
    assert {resting.reason, waiting.reason} == {"delisted"}
    assert balance_of(on, "USDT") == (D(50_000), D(0))
    assert refusal(on, limit("buy", "60000")) == "halted"
    trade_at(on, "50000")
    assert on.book("BTC-USDT").last == D(65_000)
    assert on.place("a", OrderTicket("ETH-USDT", "buy", "market", qty=D("0.1"))).status == "filled"


def test_fees_are_cut_not_rounded_up_so_that_what_was_held_always_suffices() -> None:
    on = exchange("coinbase")
    (_, _), (ask, _) = on.book("BTC-USD").best()
    qty, rate = D("0.00123457"), on.fee_rates.taker
    exact = ask * qty * rate
    assert exact != exact.quantize(D("0.00000001"))
    on.deposit("a", "USD", ask * qty + exact - balance_of(on, "USD")[0])
    order = on.place("a", OrderTicket("BTC-USD", "buy", "limit", qty=qty, limit=ask))
    assert order.status == "filled"
    free, held = balance_of(on, "USD")
    assert (D(0) < free < D("0.00000001"), held) == (True, D(0))
    assert_books_balance(on)
