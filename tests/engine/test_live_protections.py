"""Protections at a venue: a trade that reports close bars entries, in however many parts they come, whatever is stored between."""

from __future__ import annotations

from engine.live import OHLCV, SignalRow, Trader
from engine.live.previews import preview_open
from engine.types import Account, Exits, Fees, Protections, Rules
from tests.engine.driving import reloaded

MINUTE = 60_000
PRICE = {"BTC-USD": 100.0}
CANDLE = {"BTC-USD": OHLCV(100.0, 100.0, 100.0, 100.0, 50.0)}
ENTRY = {"BTC-USD": SignalRow(entry=True)}


def stopped(protections: Protections, *, parts: int, fee_base: float = 0.0) -> Trader:
    """A trader that bought at 100 and was stopped at 89, sold in so many executions."""
    rules, fees = (Rules(lot=0.01),), Fees(0.001, 0.001)
    account = Account(1_000.0, exits=Exits(stop_loss=0.1), protections=protections, rules=rules, fees=fees)
    trader = Trader(account, ["BTC-USD"], MINUTE, "single", external=True)
    trader.close(0, CANDLE, ENTRY)
    trader.open(MINUTE, PRICE)
    (entry,) = trader.entries(PRICE).wanted
    trader.apply_fill(entry.number, 100.0, entry.quantity, 0.0, False, MINUTE, fee_base=fee_base * entry.quantity)
    (sale,) = trader.apply_price("BTC-USD", 89.0, MINUTE).wanted
    for _ in range(parts):
        trader.apply_fill(sale.number, 89.0, sale.quantity / parts, 0.0, False, MINUTE)
    return trader


def refusals(trader: Trader, candle: int) -> list[str]:
    return [done.refusal for done in trader.close(candle * MINUTE, CANDLE, ENTRY).done]


def test_a_stop_bars_entries_for_its_pause_and_no_longer_also_after_a_restart() -> None:
    trader = stopped(Protections(stop_count=1, stop_window=5, stop_pause=2), parts=1)
    assert refusals(trader, 1) == ["protection"]
    trader = reloaded(trader)
    assert refusals(trader, 2) == ["protection"]
    assert refusals(trader, 3) == []
    assert preview_open(trader, PRICE).wanted


def test_one_stop_in_many_executions_is_one_stop() -> None:
    trader = stopped(Protections(stop_count=2, stop_window=5, stop_pause=5), parts=4)
    assert refusals(trader, 1) == []
    assert preview_open(trader, PRICE).wanted


def test_crumbs_that_a_fee_left_behind_do_not_keep_a_trade_from_closing() -> None:
    trader = stopped(Protections(cooldown=1), parts=1, fee_base=0.00075)
    assert 0.0 < trader.positions()["BTC-USD"] < 0.01
    assert refusals(trader, 1) == ["protection"]
