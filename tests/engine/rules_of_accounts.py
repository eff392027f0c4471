"""Candle tables: costs, the volume cap, several symbols, targets and ladders."""

from __future__ import annotations

import numpy as np

from engine.types import Account, Exits, Fees, Ladder, Limits, Rules, Sizing, Slippage
from tests.engine.rules import Table, fixed, flat, volume
from tests.engine.tables import Wish

COSTS = [
    Table(
        "the taker's fee is paid out of the cash",
        flat(3),
        Wish(entry=(0,)),
        ("8: 1 @100 -> 2 @100 end_of_data",),
        account=Account(1000.0, Fees(taker=0.25)),
        cash=600,
    ),
    Table(
        "who rested pays the maker's fee",
        "110 110 110 110 \n 110 110 99 100 \n 100 100 100 100",
        Wish(entry_limit={0: 100}),
        ("8: 1 @100 -> 2 @100 end_of_data",),
        account=Account(1000.0, Fees(maker=0.125, taker=0.25)),  # held 8 x 100 x 1.25; paid 900, got 600
        cash=700,
    ),
    Table(
        "basis points on both sides",
        flat(3),
        Wish(entry=(0,)),
        ("8: 1 @125 -> 2 @75 end_of_data",),
        account=Account(1000.0, slippage=Slippage("bps", 2500.0)),
        cash=600,
    ),
    Table(
        "a taker's price is rounded to the tick against us",
        flat(3),
        Wish(entry=(0,)),
        ("4: 1 @100.5 -> 2 @99.5 end_of_data",),
        account=fixed(402, slippage=Slippage("half_spread", 0.2), rules=(Rules(tick=0.5),)),
    ),
    Table(
        "a buying limit is rounded down to the tick",
        "110 110 110 110 \n 110 110 100.5 105 \n 105 105 99 100 \n 100 100 100 100",
        Wish(entry_limit={0: 100.75}),
        ("10: 2 @100 -> 3 @100 end_of_data",),
        account=Account(1000.0, rules=(Rules(tick=1.0),)),
    ),
    Table("quantities are rounded down to the lot", flat(3), Wish(entry=(0,)), ("9: 1 @100 -> 2 @100 end_of_data",),
          account=Account(1000.0, rules=(Rules(lot=3.0),))),
    Table("less than a lot is refused", flat(3), Wish(entry=(0,)), unfilled=("0 buy market refused 1 below_lot_size",),
          account=Account(1000.0, rules=(Rules(lot=20.0),))),
    Table("less than the minimum notional is refused", flat(3), Wish(entry=(0,)),
          unfilled=("0 buy market refused 1 below_min_notional",), account=fixed(9, rules=(Rules(min_notional=10.0),))),
    Table("the minimum notional itself is enough", "3 3 3 3 \n 3 3 3 3 \n 3 3 3 3", Wish(entry=(0,)),
          ("3.33333: 1 @3 -> 2 @3 end_of_data",), account=fixed(10, rules=(Rules(min_notional=10.0),))),
    Table("a purchase is cut to the largest one", flat(3), Wish(entry=(0,)), ("4: 1 @100 -> 2 @100 end_of_data",),
          ("1 buy market refused 1 above_maximum",), account=Account(1000.0, rules=(Rules(market_max_quantity=4.0),))),
    Table("the largest market order is no limit's", "110 110 110 110 \n 110 110 99 100 \n 100 100 100 100",
          Wish(entry_limit={0: 100}), ("8: 1 @100 -> 2 @100 end_of_data",), ("0 buy limit refused 0 above_maximum",),
          account=Account(1000.0, rules=(Rules(market_max_quantity=4.0, max_notional=800.0),))),
    Table("no more is bought than may be held", flat(4), Wish(entry=(0, 1, 2)),
          ("4: 1 @100 -> 3 @100 end_of_data", "1: 2 @100 -> 3 @100 end_of_data"),
          ("2 buy market refused 2 above_maximum", "2 buy market refused 3 above_maximum"),
          account=fixed(400, rules=(Rules(max_position=5.0),)), position="lots"),
    Table("a fixed amount that the cash cannot pay is refused", flat(3), Wish(entry=(0,)),
          unfilled=("0 buy market refused 1 insufficient_cash",), account=fixed(2000)),
    Table("four quarters of the cash can be spent", flat(6), Wish(entry=(0, 1, 2, 3, 4)),
          tuple(f"2.5: {t} @100 -> 5 @100 end_of_data" for t in (1, 2, 3, 4)),
          ("4 buy market refused 5 insufficient_cash",), account=fixed(250), position="lots"),
    Table("all in leaves nothing to spend, not dust", "3 3 3 3 \n 3 3 3 3 \n 7 7 7 7 \n 7 7 7 7", Wish(entry=(0, 1)),
          ("332.336: 1 @3 -> 3 @7 end_of_data",), ("1 buy market refused 2 insufficient_cash",),
          account=Account(1000.0, Fees(taker=0.003)), position="lots"),
]  # fmt: skip

VOLUME = [
    Table(
        "an order takes its share of each candle, and goes as it came",
        "100 100 100 100 20 \n" * 4 + "110 110 110 110 20 \n 120 120 120 120 20 \n 120 120 120 120 20",
        Wish(entry=(0,), exit=(3,)),
        ("5: 1 @100 -> 4 @110 exit_signal", "5: 1 @100 -> 5 @120 exit_signal"),
        account=Account(1000.0, slippage=volume(0.25)),
    ),
    Table(
        "the share moves the price by its square",
        "100 100 100 100 16 \n" * 3,
        Wish(entry=(0,)),
        ("4: 1 @103.125 -> 2 @96.875 end_of_data",),  # 450 / 112.5 = 4; 4 / 16 = 1/4; 1/16 x 0.5 = 3.125 %
        account=fixed(450, slippage=volume(0.5, 0.5)),
    ),
    Table(
        "what the volume leaves of a stop is sold at the next opens",
        "100 100 100 100 40 \n 100 100 100 100 40 \n 100 100 80 85 8 \n 84 84 84 84 400 \n 84 84 84 84 400",
        Wish(entry=(0,)),
        ("2: 1 @100 -> 2 @87.5 stop_loss", "8: 1 @100 -> 3 @84 stop_loss"),
        account=Account(1000.0, slippage=volume(0.25), exits=Exits(stop_loss=0.125)),
    ),
    Table(
        "without volume an entry waits",
        "100 100 100 100 0 \n 100 100 100 100 0 \n 50 50 50 50 1000 \n 50 50 50 50 1000",
        Wish(entry=(0,)),
        ("10: 2 @50 -> 3 @50 end_of_data",),
        account=Account(1000.0, slippage=volume(0.25)),
    ),
    Table(
        "what rests of an entry is cancelled by an exit",
        "100 100 100 100 20 \n 100 100 100 100 20 \n 110 110 110 110 20 \n 110 110 110 110 20",
        Wish(entry=(0,), exit=(1,)),
        ("5: 1 @100 -> 2 @110 exit_signal",),
        ("0 buy market cancelled 1",),
        account=Account(1000.0, slippage=volume(0.25)),
    ),
    Table(
        "an exit stop that the cap leaves nothing is queued when it is triggered, behind what was queued before",
        flat(4) + "100 100 85 95 4 \n 96 96 96 96 4 \n 97 97 97 97 \n 97 97 97 97",
        Wish(entry=(0, 2), exit_stop={1: 90}),
        ("1: 1 @100 -> 4 @100 time_limit", "1: 1 @100 -> 5 @96 time_limit", "2: 3 @100 -> 6 @97 exit_signal"),
        account=fixed(200, slippage=volume(0.25), exits=Exits(max_candles=3)),
        position="lots",
    ),
]

PORTFOLIO = [
    Table(
        "one position at most",
        flat(3),
        Wish(entry=(0,)),
        ("A 5: 1 @100 -> 2 @100 end_of_data",),
        ("B 0 buy market refused 0 max_open_positions",),
        account=fixed(500, limits=Limits(max_open_positions=1), rules=(Rules(), Rules())),
        second=(flat(3), Wish(entry=(0,))),
    ),
    Table(
        "symbols share the cash, in order",
        flat(3),
        Wish(entry=(0,)),
        ("A 10: 1 @100 -> 2 @100 end_of_data",),
        ("B 0 buy market refused 1 insufficient_cash",),
        account=Account(1000.0, rules=(Rules(), Rules())),
        second=(flat(3), Wish(entry=(0,))),
    ),
    Table(
        "exits come before entries, so that one symbol pays for the other",
        flat(4),
        Wish(entry=(1,)),
        ("B 10: 1 @100 -> 2 @100 exit_signal", "A 10: 2 @100 -> 3 @100 end_of_data"),
        account=Account(1000.0, rules=(Rules(), Rules())),
        second=(flat(4), Wish(entry=(0,), exit=(1,))),
    ),
    Table(
        "a symbol without a candle waits",
        flat(4),
        Wish(),
        ("B 10: 2 @200 -> 3 @200 end_of_data",),
        account=Account(2000.0, rules=(Rules(), Rules())),
        second=("100 100 100 100 \n - \n 200 200 200 200 \n 200 200 200 200", Wish(entry=(0,))),
    ),
    Table("a symbol's share of equity is capped", flat(4), Wish(entry=(0, 1)), ("2.5: 1 @100 -> 3 @100 end_of_data",),
          ("1 buy market refused 2 symbol_cap",), account=Account(1000.0, limits=Limits(symbol_cap=0.25)), position="merge"),
    Table("a cap counts what rests", flat(3), Wish(ladder=Ladder(0, np.array([90.0, 80.0]), np.array([95.0, 95.0]))),
          unfilled=("0 buy limit cancelled 2", "0 buy limit refused 0 symbol_cap"),
          account=Account(1000.0, limits=Limits(symbol_cap=0.25)), position="lots"),
    Table("a fraction of equity", flat(3), Wish(entry=(0,)), ("2.5: 1 @100 -> 2 @100 end_of_data",),
          account=Account(1000.0, sizing=Sizing("fraction", 0.25))),
    Table(
        "volatility: two log returns of ln 1.1, up and down, are 97.72 a year",
        "100 100 100 100 \n 110 110 110 110 \n 100 100 100 100 \n 100 100 100 100 \n 100 100 100 100",
        Wish(entry=(1, 2)),  # at the close of 1 there is only one return
        ("1.02334: 3 @100 -> 4 @100 end_of_data",),
        account=Account(1000.0, sizing=Sizing("volatility", 10.0, lookback=2)),
    ),
    Table(
        "kelly: after +50 % and -20 %, K = 0.5 - 0.5 / 2.5 = 0.3",
        "100 100 100 100 \n 100 150 100 150 \n 150 150 125 125 \n 125 125 100 100 \n" + flat(3),
        Wish(entry=(0, 2, 4), exit=(1, 3)),
        ("5: 1 @100 -> 2 @150 exit_signal", "5: 3 @125 -> 4 @100 exit_signal", "1.6875: 5 @100 -> 6 @100 end_of_data"),
        account=Account(1000.0, sizing=Sizing("kelly", 0.5, min_trades=2)),
    ),
]  # fmt: skip

TARGETS = [
    Table(
        "a target buys and sells the difference",
        "100 100 100 100 \n 100 200 100 200 \n 200 200 200 200 \n 200 200 200 200",
        Wish(target={0: 0.5, 1: 0.5}),  # 500 + 5 x 200 = 1500; 1000 - 750 = 250
        ("1.25: 1 @100 -> 2 @200 rebalance", "3.75: 1 @100 -> 3 @200 end_of_data"),
        position="merge",
    ),
    Table(
        "under one percent it is left alone",
        "100 100 100 100 \n 100 102 100 102 \n 102 102 102 102 \n 102 102 102 102",
        Wish(target={0: 0.5, 1: 0.5}),
        ("5: 1 @100 -> 3 @102 end_of_data",),
        position="merge",
    ),
    Table("a target of 0 sells all", flat(4), Wish(target={0: 1.0, 1: 0.0}), ("10: 1 @100 -> 2 @100 rebalance",), position="merge"),
    Table("the cap cuts a target", flat(3), Wish(target={0: 1.0}), ("2.5: 1 @100 -> 2 @100 end_of_data",),
          account=Account(1000.0, limits=Limits(symbol_cap=0.25)), position="merge"),
    Table(
        "targets sell before they buy, and a place that is freed can be taken",
        flat(4),
        Wish(target={1: 1.0}),
        ("B 10: 1 @100 -> 2 @100 rebalance", "A 10: 2 @100 -> 3 @100 end_of_data"),
        account=Account(1000.0, limits=Limits(max_open_positions=1), rules=(Rules(), Rules())),
        position="merge",
        second=(flat(4), Wish(target={0: 1.0, 1: 0.0})),
    ),
    Table(
        "a rung buys, sells at its own price, and is placed again",
        "110 110 110 110 \n 110 110 95 105 \n 105 121 104 120 \n 120 120 99 101 \n 101 101 101 101",
        Wish(ladder=Ladder(0, np.array([100.0, 80.0]), np.array([120.0, 100.0]))),  # 1000 / 2 at 100; then 1100 / 2
        ("5: 1 @100 -> 2 @120 take_profit", "5.5: 3 @100 -> 4 @101 end_of_data"),
        ("0 buy limit cancelled 4",),
        position="lots",
    ),
    Table(
        "a rung at the close or over it waits for a higher close",
        "100 100 100 100 \n 100 101 100 101 \n 101 101 99 100 \n 100 100 100 100",
        Wish(ladder=Ladder(0, np.array([100.0]), np.array([120.0]))),
        ("10: 2 @100 -> 3 @100 end_of_data",),
        position="lots",
    ),
    Table(
        "a ladder whose start lies after its symbol's last candle is never set",
        flat(2),
        Wish(ladder=Ladder(0, np.array([80.0]), np.array([90.0]))),
        account=Account(1000.0, rules=(Rules(), Rules())),
        position="lots",
        warmup=3,
        second=(flat(4), Wish()),
    ),
    Table(
        "a rung's refusal is told once",
        flat(5),
        Wish(ladder=Ladder(1, np.array([50.0]), np.array([60.0]))),
        unfilled=("1 buy limit refused 1 below_lot_size",),
        account=Account(1000.0, rules=(Rules(lot=100.0),)),
        position="lots",
    ),
]  # fmt: skip
