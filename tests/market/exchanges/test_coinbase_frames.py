"""Coinbase's recorded messages and answers are read as exactly the values that stand in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from market.exchanges.base import Balance, Candle, Depth, Execution, OrderRequest, Refused, Report, Tick
from market.exchanges.coinbase import frames, orders
from market.exchanges.coinbase.accounts import list_spot, parse_account
from market.exchanges.coinbase.streams import Orders
from market.exchanges.coinbase.trades import MarketMessages
from market.exchanges.longer import merge_candles
from market.exchanges.parsing import from_iso
from market.exchanges.reading import Reader

D = Decimal


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> Path:
    return shared_data / "exchange" / "coinbase"


def load(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text())


def feed(folder: Path, *names: str) -> list[Any]:
    state = MarketMessages(["BTC-USD"], ["1m"], reader := Reader("coinbase"))
    events = [event for name in names for message in [load(folder, name)] for event in state(message, time(message), 2.5)]
    assert not reader.skipped
    return events


def time(message: dict[str, Any]) -> datetime:
    return from_iso(message["timestamp"])


def test_recorded_trades_are_ticks(recorded: Path) -> None:
    first, second = feed(recorded, "ws_market_trades")
    at = datetime(2026, 4, 7, 14, 30, 2, 789012, UTC)
    assert first == Tick("coinbase", "BTC-USD", D("68900.50"), at, quantity=D("0.0015"), received=2.5)
    assert (second.price, second.quantity, second.time.microsecond) == (D("68900"), D("0.05"), 800000)


def test_the_recorded_book_and_its_change(recorded: Path) -> None:
    before, after = feed(recorded, "ws_l2_data_snapshot", "ws_l2_data_update")
    assert isinstance(before, Depth)
    assert before.bids == ((D("68900"), D("1.5")), (D("68899.5"), D("0.75")), (D("68899"), D("2.3")))
    assert before.asks == tuple(
        (D(each["price_level"]), D(each["new_quantity"]))
        for each in load(recorded, "ws_l2_data_snapshot")["events"][0]["updates"][3:]
    )
    assert after.bids[0] == (D("68900"), D("2"))
    assert after.asks[0][0] == D("68901.5")  # the level of quantity zero is gone


def test_recorded_ticker_candles_and_quiet_messages(recorded: Path) -> None:
    message = load(recorded, "ws_ticker")
    tick = frames.parse_ticker(message["events"][0]["tickers"][0], time(message))
    assert (tick.price, tick.bid, tick.ask) == (D("68900.5"), D("68900"), D("68901"))
    bar = frames.parse_candle(load(recorded, "ws_candles")["events"][0]["candles"][0], "BTC-USD", "5m", closed=False)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (D("68900"), D("68950"), D("68850"), D("68920.5"), D("42.15"))
    assert bar.time == datetime.fromtimestamp(1775521800, UTC)
    assert feed(recorded, "ws_heartbeats", "ws_subscriptions") == []


def test_recorded_candles(recorded: Path) -> None:
    rows = load(recorded, "http_candles")["candles"]
    start = datetime.fromtimestamp(1712188800, UTC)
    bars = sorted((frames.parse_candle(row, "BTC-USD", "1h") for row in rows), key=lambda bar: bar.time)[:2]
    assert [bar.time for bar in bars] == [start, start + timedelta(hours=1)]
    assert bars[0] == Candle(
        "coinbase", "BTC-USD", "1h", start, D("65984.18"), D("66387.77"), D("65857.35"), D("66314.59"), D("358.74851052"), True
    )
    (merged,) = merge_candles(bars, "2h")
    assert (merged.open, merged.close) == (bars[0].open, bars[1].close)
    assert (merged.high, merged.low, merged.volume) == (D("66387.77"), D("65857.35"), D("714.57747295"))


def test_recorded_products(recorded: Path) -> None:
    rules = frames.parse_instrument(load(recorded, "http_product"))
    assert (rules.symbol, rules.venue_symbol, rules.base, rules.quote, rules.trading) == ("BTC-USD", "BTC-USD", "BTC", "USD", True)
    assert (rules.tick_size, rules.lot_size, rules.min_quantity) == (D("0.01"), D("1E-8"), D("1E-8"))
    assert (rules.max_quantity, rules.min_notional) == (D(3400), D(1))
    assert (rules.max_notional, rules.max_notional_market, rules.takes_market) == (D(150_000_000), True, True)
    assert not frames.parse_instrument(load(recorded, "http_product") | {"limit_only": True}).takes_market
    products = load(recorded, "http_products")["products"]
    assert [frames.parse_instrument(each).symbol for each in products] == ["BTC-USD", "BTC-USDC"]
    now = datetime(2026, 4, 7, tzinfo=UTC)
    assert frames.product_tick(products[0], now) == Tick("coinbase", "BTC-USD", D("68925.98"), now)
    assert not frames.parse_instrument(load(recorded, "http_product") | {"trading_disabled": True}).trading


def test_the_recorded_book_of_rest(recorded: Path) -> None:
    book = frames.parse_book(load(recorded, "http_product_book")["pricebook"], "BTC-USD")
    assert book.bids[0] == (D("68923.66"), D("0.17189468"))
    assert book.asks[-1] == (D("68928"), D("0.058"))
    assert (len(book.bids), len(book.asks)) == (5, 5)
    latest = load(recorded, "http_ticker")["trades"][0]
    assert frames.parse_trade(latest)[0] == 995098663
    assert frames.parse_trade(latest)[1].price == D("68923.67")


def test_recorded_accounts_and_fills(recorded: Path) -> None:
    balances = list_spot(parse_account(each) for each in load(recorded, "http_accounts")["accounts"])
    assert balances == [Balance("BTC", D("1.23456789"), D("0.005")), Balance("USD", D("10000.5"), D(450))]
    first, second = (frames.parse_fill(each, each["product_id"]) for each in load(recorded, "http_fills")["fills"])
    at = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
    maker = Execution("1111-11111-111111", D("45123.45"), D("0.005"), D("1.14"), "USD", maker=True, time=at, side="buy")
    assert first == ("0000-000000-000000", maker)
    assert (second[1].quantity, second[1].fee, second[1].maker) == (D("0.0325"), D("0.5"), False)


def test_recorded_orders(recorded: Path) -> None:
    report = frames.parse_order(load(recorded, "http_order")["order"])
    assert (report.client_order_id, report.venue_order_id) == ("11111-000000-000000", "0000-000000-000000")
    assert (report.status, report.quantity, report.filled, report.limit) == ("partially_filled", D("0.001"), D("0.001"), D(10000))
    assert report.reason == ""
    resting, bought = (frames.parse_order(each) for each in load(recorded, "http_orders_list")["orders"])
    assert (resting.status, resting.type, resting.quantity, resting.filled) == ("accepted", "limit", D("0.01"), D(0))
    assert (bought.status, bought.type, bought.side) == ("filled", "market", "sell")
    assert bought.quantity == bought.filled == D("0.0325")


def test_the_recorded_user_message(recorded: Path) -> None:
    message = load(recorded, "ws_user")
    (report,) = Orders(Reader("coinbase"))(message, time(message), 0.0)
    assert report == Report(
        "coinbase",
        "BTC-USD",
        "11111-000000-000001",
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "accepted",
        "buy",
        "limit",
        D("0.001"),
        D(0),
        datetime(2026, 4, 7, 14, 30, 6, tzinfo=UTC),
    )


def test_a_malformed_trade_costs_no_other(recorded: Path, caplog: pytest.LogCaptureFixture) -> None:
    message = load(recorded, "ws_market_trades")
    message["events"][0]["trades"].insert(1, message["events"][0]["trades"][0] | {"price": "many"})
    state = MarketMessages(["BTC-USD"], ["1m"], reader := Reader("coinbase"))
    assert [event.price for event in state(message, time(message), 0.0) if isinstance(event, Tick)] == [D("68900.5"), D("68900")]
    assert reader.skipped == {"market_trades": 1}
    assert "many" in caplog.text


def test_a_pair_with_usdc_hears_its_twin(recorded: Path) -> None:
    message = load(recorded, "ws_market_trades")
    state = MarketMessages(["BTC-USDC"], [], Reader("coinbase"))
    assert {event.symbol for event in state(message, time(message), 0.0) if isinstance(event, Tick)} == {"BTC-USDC"}


def order(**changes: Any) -> OrderRequest:
    usual = {"client_order_id": "q-1", "symbol": "BTC-USD", "side": "buy", "type": "limit", "quantity": D("1E-7")}
    return OrderRequest(**{**usual, "limit": D("65000.10"), **changes})


def test_each_kind_of_order() -> None:
    size, price = {"base_size": "0.0000001"}, {"limit_price": "65000.10"}
    assert orders.order_body(order()) == {
        "client_order_id": "q-1",
        "product_id": "BTC-USD",
        "side": "BUY",
        "order_configuration": {"limit_limit_gtc": {**size, **price, "post_only": False}},
    }
    assert orders.order_configuration(order(type="market", limit=None)) == {"market_market_ioc": size}
    assert orders.order_configuration(order(time_in_force="ioc")) == {"sor_limit_ioc": size | price}
    assert orders.order_configuration(order(time_in_force="fok")) == {"limit_limit_fok": size | price}
    assert orders.order_configuration(order(time_in_force="post_only"))["limit_limit_gtc"]["post_only"] is True
    stop = orders.order_configuration(order(type="stop_limit", side="sell", stop=D(60000)))["stop_limit_stop_limit_gtc"]
    assert (stop["stop_price"], stop["stop_direction"]) == ("60000", "STOP_DIRECTION_STOP_DOWN")


@pytest.mark.parametrize(
    ("changes", "field"), [({"limit": None}, "limit"), ({"type": "stop", "stop": D(1)}, "type"), ({"type": "stop_limit"}, "stop")]
)
def test_an_order_that_the_venue_has_no_form_for_never_leaves(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused, match=f"^{field}:"):
        orders.order_body(order(**changes))
