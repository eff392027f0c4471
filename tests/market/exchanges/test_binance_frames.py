"""Binance's recorded frames and answers are read as exactly the values that stand in them."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.times import from_ms
from market.exchanges.base import Balance, Balances, Candle, Depth, Execution, OrderRequest, Refused, Report, Tick
from market.exchanges.binance import frames, orders
from market.exchanges.parsing import Malformed, from_milliseconds, parse_number
from market.exchanges.reading import Reader
from market.size_rules import limits_json

D = Decimal
NOW = datetime(2026, 1, 1, tzinfo=UTC)
NAMES = {
    "NKNUSDT": "NKN-USDT",
    "BLZETH": "BLZ-ETH",
    "LRCBTC": "LRC-BTC",
    "RUNEEUR": "RUNE-EUR",
    "ETHUSDT": "ETH-USDT",
    "ETHBTC": "ETH-BTC",
    "LTCBTC": "LTC-BTC",
    "BTCUSDT": "BTC-USDT",
    "BNBBTC": "BNB-BTC",
}


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> Path:
    return shared_data / "exchange" / "binance"


def load(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text())


def stream(folder: Path) -> list[dict[str, Any]]:
    """The frames of the recording. Each line has the time of receipt and a frame; the first line is the address."""
    lines = (folder / "market-streams-2021-10-12.txt").read_text().splitlines()[1:]
    return [json.loads(line.split(": ", 1)[1]) for line in lines if line]


def test_every_frame_of_the_recorded_stream_says_what_it_said(recorded: Path) -> None:
    kinds: Counter[str] = Counter()
    for frame in stream(recorded):
        data, kind = frame["data"], frame["stream"].partition("@")[2]
        event = frames.market_event(frame, NAMES, 1.5, NOW)
        kinds[kind] += 1
        if kind == "depth@100ms":
            assert event is None  # changes of a book that nobody keeps
            continue
        assert isinstance(event, Depth | Tick | Candle)
        assert event.symbol == NAMES[data["s"]]
        if isinstance(event, Depth):
            assert event.bids == ((D(data["b"]), D(data["B"])),)
            assert event.asks == ((D(data["a"]), D(data["A"])),)
            assert event.time == NOW
        elif isinstance(event, Tick):
            assert (event.price, event.quantity) == (D(data["p"]), D(data["q"]))
            assert (event.time, event.received) == (from_ms(data["T"]), 1.5)
        else:
            bar = data["k"]
            assert (event.open, event.high, event.low, event.close) == (D(bar["o"]), D(bar["h"]), D(bar["l"]), D(bar["c"]))
            assert (event.volume, event.closed, event.interval, event.time) == (D(bar["v"]), bar["x"], "1m", from_ms(bar["t"]))
    assert kinds == {"depth@100ms": 177, "bookTicker": 84, "aggTrade": 2, "kline_1m": 2}


def test_a_partial_depth_is_of_the_symbol_that_its_stream_names(recorded: Path) -> None:
    book = load(recorded, "http-depth_response")
    event = frames.market_event({"stream": "ethbtc@depth20", "data": book}, NAMES, 0.0, NOW)
    assert event == Depth("binance", "ETH-BTC", NOW, ((D(4), D(431)),), ((D("4.000002"), D(12)),))


def test_recorded_filters_are_the_rules_of_that_day(recorded: Path) -> None:
    rules = {each.symbol: each for each in map(frames.parse_instrument, load(recorded, "exchange-info-2021-10-11")["symbols"])}
    assert len(rules) == 12
    bitcoin = rules["BTC-USDT"]
    assert (bitcoin.venue_symbol, bitcoin.base, bitcoin.quote, bitcoin.trading) == ("BTCUSDT", "BTC", "USDT", True)
    assert (bitcoin.tick_size, bitcoin.lot_size) == (D("0.01"), D("0.00001"))
    assert (bitcoin.min_quantity, bitcoin.max_quantity, bitcoin.min_notional) == (D("0.00001"), D(9000), D(10))
    assert (bitcoin.market_lot, bitcoin.market_min_quantity, bitcoin.min_notional_market) == (None, None, True)
    assert (bitcoin.market_max_quantity or 0) > 0
    assert (bitcoin.buy_up, bitcoin.buy_down, bitcoin.sell_up, bitcoin.sell_down) == (D(5), D("0.2"), D(5), D("0.2"))
    assert (bitcoin.max_orders, bitcoin.max_stops, bitcoin.max_price) == (200, 5, D(1_000_000))
    assert rules["ETH-BTC"].order_types == ("limit", "market", "stop_limit")
    bare = frames.parse_instrument(load(recorded, "http-exchange_info_response")["symbols"][0])
    assert (bare.tick_size, bare.lot_size, bare.min_notional) == (None, None, None)
    assert bare.order_types == ("limit", "market", "stop", "stop_limit")


def test_every_filter_on_size_and_price_is_a_rule_and_others_are_passed_over() -> None:
    filters = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.02", "maxPrice": "900", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.3", "maxQty": "70", "stepSize": "0.1"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.4", "maxQty": "33.21", "stepSize": "0.2"},
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            **{"bidMultiplierUp": "1.3", "bidMultiplierDown": "0.4", "askMultiplierUp": "2.5", "askMultiplierDown": "0.7"},
            "avgPriceMins": 1,
        },
        {
            "filterType": "NOTIONAL",
            **{"minNotional": "6", "applyMinToMarket": False, "maxNotional": "8000", "applyMaxToMarket": True, "avgPriceMins": 1},
        },
        {"filterType": "MAX_POSITION", "maxPosition": "150"},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 120},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 7},
        {"filterType": "A_FILTER_OF_TOMORROW", "most": {"of": ["something"]}},
    ]
    symbol = {"symbol": "ABCDEF", "baseAsset": "ABC", "quoteAsset": "DEF", "status": "TRADING", "orderTypes": ["LIMIT"]}
    rules = frames.parse_instrument(symbol | {"filters": filters})
    assert limits_json(rules) == {
        **{"min_quantity": "0.3", "max_quantity": "70"},
        **{"market_lot": "0.2", "market_min_quantity": "0.4", "market_max_quantity": "33.21"},
        **{"max_notional": "8000", "min_notional_market": False, "max_notional_market": True, "max_position": "150"},
        **{"min_price": "0.02", "max_price": "900", "buy_up": "1.3", "buy_down": "0.4", "sell_up": "2.5", "sell_down": "0.7"},
        **{"max_orders": 120, "max_stops": 7, "takes_market": False},
    }


def test_recorded_answers(recorded: Path) -> None:
    assert [frames.parse_balance(row) for row in load(recorded, "http-account_response")["balances"]] == [
        Balance("BTC", D("4723846.89208129"), D(0)),
        Balance("LTC", D("4763368.68006011"), D(0)),
    ]
    trade = load(recorded, "http-account_trades_response")[0]
    assert frames.own_trade(trade, trade["symbol"]) == (
        "100234",
        Execution("28457", D("4.000001"), D(12), D("10.1"), "BNB", maker=False, time=from_ms(1499865549590), side="buy"),
    )
    tick = frames.parse_ticker(load(recorded, "http-ticker_24hr_response"), NAMES)
    assert tick == Tick("binance", "BNB-BTC", D("4.000002"), from_ms(1499869899040), D("4.0"), D("4.000002"))


def test_recorded_candles(recorded: Path) -> None:
    (bar,) = (frames.parse_candle(row, "LTC-BTC", "1d") for row in load(recorded, "http-klines_response"))
    assert (bar.open, bar.high, bar.low, bar.close) == (D("0.0163479"), D("0.8"), D("0.015758"), D("0.015771"))
    assert (bar.volume, bar.time, bar.closed) == (D("148976.11427815"), from_ms(1499040000000), True)


@pytest.mark.parametrize("name", ["http-order_response", "http-open_orders_response", "http-all_orders_response"])
def test_recorded_orders(recorded: Path, name: str) -> None:
    answer = load(recorded, name)
    report = frames.parse_order(answer[0] if isinstance(answer, list) else answer, NAMES)
    assert report == Report(
        "binance", "LTC-BTC", "myOrder1", "1", "accepted", "buy", "limit", D(1), D(0), from_ms(1499827319559), limit=D("0.1")
    )


def test_a_cancelled_order_keeps_our_id(recorded: Path) -> None:
    report = frames.parse_order(load(recorded, "http-cancel_order_response"), NAMES)
    assert (report.client_order_id, report.venue_order_id, report.status) == ("myOrder1", "4", "cancelled")


def test_a_new_order_tells_its_executions(recorded: Path) -> None:
    report = frames.parse_placement(load(recorded, "http-new_order_full_response"), NAMES)
    assert (report.status, report.filled, report.limit, report.stop) == ("filled", D(10), None, None)
    assert [each.trade_id for each in report.executions] == ["56", "57", "58", "59", "60"]
    assert sum(each.quantity for each in report.executions) == report.filled
    assert report.executions[1] == Execution("57", D(3999), D(5), D("19.995"), "USDT", maker=False, time=report.time)


@pytest.mark.parametrize(
    ("name", "status", "kind", "filled", "reason"),
    [
        ("new", "accepted", "limit", D(0), ""),
        ("canceled", "cancelled", "limit", D(0), ""),
        ("expired", "expired", "limit", D(0), "INSUFFICIENT_LIQUIDITY"),
        ("stop_loss", "accepted", "stop_limit", D(0), ""),
        ("trade", "filled", "limit", D(1), ""),
    ],
)
def test_recorded_execution_reports(recorded: Path, name: str, status: str, kind: str, filled: Decimal, reason: str) -> None:
    event = load(recorded, f"user-execution_report_{name}")
    report = frames.user_event(event, NAMES, Reader("binance"))
    assert isinstance(report, Report)
    assert (report.status, report.type, report.filled, report.reason) == (status, kind, filled, reason)
    assert (report.symbol, report.client_order_id, report.venue_order_id) == ("ETH-USDT", event["c"], str(event["i"]))
    assert (report.limit, report.stop) == (D(event["p"]), D(event["P"]) or None)
    assert report.time == from_ms(event["T"])
    executions = (Execution("98765432", D(2500), D(1), D("0.001"), "ETH", maker=True, time=report.time),)
    assert report.executions == (executions if name == "trade" else ())


def test_a_cancellation_by_another_id_is_told_under_ours(recorded: Path) -> None:
    event = load(recorded, "user-execution_report_canceled") | {"c": "theirs", "C": "ours"}
    report = frames.user_event(event, NAMES, Reader("binance"))
    assert isinstance(report, Report)
    assert report.client_order_id == "ours"


def test_events_in_the_envelope_of_2026(recorded: Path) -> None:
    report = frames.user_event(load(recorded, "user-execution_report_wrapped")["event"], NAMES, Reader("binance"))
    assert isinstance(report, Report)
    assert (report.symbol, report.limit, report.venue_order_id) == ("ETH-BTC", D("0.1026441"), "4293153")
    assert frames.user_event(load(recorded, "user-list_status_wrapped")["event"], NAMES, Reader("binance")) is None


def test_recorded_balances(recorded: Path) -> None:
    assert frames.user_event(load(recorded, "user-balance_update"), NAMES, Reader("binance")) is None
    assert frames.user_event(load(recorded, "user-account_position"), NAMES, Reader("binance")) == Balances(
        "binance", (Balance("USDT", D(10000), D(2500)), Balance("ETH", D(5), D(0))), from_ms(1709654400000)
    )


TRADE = {"e": "aggTrade", "s": "BTCUSDT", "a": 1, "p": "1.5", "q": "2", "T": 1}
BAR = {"t": 0, "s": "BTCUSDT", "i": "1m", "o": "1", "h": "2", "l": "1", "c": "2", "v": "0", "x": True}


@pytest.mark.parametrize(
    "data",
    [
        TRADE | {"p": "nan"},
        TRADE | {"p": "-1"},
        TRADE | {"p": 0.12345678901234568},
        TRADE | {"q": ""},
        TRADE | {"T": "soon"},
        TRADE | {"T": 10**21},
        TRADE | {"s": "NOSUCH"},
        {"e": "aggTrade"},
        {"e": "kline", "k": BAR | {"h": "0.5"}},
        {"e": "kline", "k": BAR | {"i": "7m"}},
        {"e": "kline", "k": BAR | {"x": "yes"}},
        {"e": "kline", "k": None},
        [],
    ],
)
def test_a_malformed_frame_is_counted_logged_once_and_skipped(data: Any, caplog: pytest.LogCaptureFixture) -> None:
    reader, frame = Reader("binance"), {"stream": "btcusdt@aggTrade", "data": data}
    for _ in range(3):
        assert reader.parse_with("aggTrade", frames.market_event, frame, NAMES, 0.0, NOW) is None
    assert reader.skipped == {"aggTrade": 3}
    assert len(caplog.records) == 1


def test_a_price_is_never_rounded() -> None:
    tick = frames.parse_trade(TRADE | {"p": "12345678901234567890.123456789012345678"}, NAMES, 0.0)
    assert str(tick.price) == "12345678901234567890.123456789012345678"


def order(**changes: Any) -> OrderRequest:
    usual = {"client_order_id": "q-1", "symbol": "BTC-USDT", "side": "buy", "type": "limit", "quantity": D("0.00001")}
    return OrderRequest(**{**usual, "limit": D("65000.10"), **changes})


def test_an_order_is_written_in_plain_decimals_under_our_id() -> None:
    assert orders.order_parameters(order()) == {
        "symbol": "BTCUSDT",
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "0.00001",
        "price": "65000.10",
        "timeInForce": "GTC",
        "newClientOrderId": "q-1",
        "newOrderRespType": "FULL",
    }
    assert orders.order_parameters(order(quantity=D("1E-7")))["quantity"] == "0.0000001"


def test_each_kind_of_order() -> None:
    post_only = orders.order_parameters(order(time_in_force="post_only"))
    assert (post_only["type"], "timeInForce" in post_only) == ("LIMIT_MAKER", False)
    assert "price" not in orders.order_parameters(order(type="market", limit=None))
    stop = orders.order_parameters(order(type="stop", side="sell", limit=None, stop=D(60000)))
    assert (stop["type"], stop["stopPrice"], "price" in stop) == ("STOP_LOSS", "60000", False)
    both = orders.order_parameters(order(type="stop_limit", stop=D(60000), time_in_force="ioc"))
    assert (both["type"], both["timeInForce"]) == ("STOP_LOSS_LIMIT", "IOC")


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"limit": None}, "limit"), ({"type": "stop"}, "stop"), ({"type": "market", "time_in_force": "post_only"}, "time_in_force")],
)
def test_an_order_that_lacks_something_never_leaves(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused, match=f"^{field}:"):
        orders.order_parameters(order(**changes))


def test_a_float_is_taken_only_for_what_was_written() -> None:
    assert parse_number(0.1) == D("0.1")
    assert parse_number(31234.56789) == D("31234.56789")
    for rounded in (0.1 + 0.2, 12345678901234567.0, float("nan"), float("inf"), True):
        with pytest.raises(Malformed):
            parse_number(rounded)


@pytest.mark.parametrize("written", [1_790_000_000, 1_790_000_000_000, 1_790_000_000_000_000, "1790000000000"])
def test_a_time_is_told_in_whatever_unit_it_comes(written: object) -> None:
    assert from_milliseconds(written) == from_ms(1_790_000_000_000)
