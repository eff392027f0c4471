"""Every rule of docs/reference/fill-rules.md as a few candles and the trades that must come of them, worked out by hand.

Both simulators are held to them. Cash is 1000, without fees or slippage where nothing is said; candles are O H L C (V).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from tests.engine.tables import Outcome, Wish, by_kernel, by_reference, candles
from trading.engine.types import Account, Exits, Fees, Ladder, Limits, Rules, Sizing, Slippage

PLAIN = Account(1000.0)
FLAT = "100 100 100 100"


def flat(count: int) -> str:
    return f"{FLAT}\n" * count


@dataclass(frozen=True)
class Table:
    rule: str
    candles: str
    wish: Wish
    trades: tuple[str, ...] = ()
    unfilled: tuple[str, ...] = ()
    account: Account = PLAIN
    position: str = "single"
    warmup: int = 0
    cash: float | None = None
    second: tuple[str, Wish] | None = None
    """Candles and wishes of a second symbol."""


def exits(**levels: float) -> Account:
    return Account(1000.0, exits=Exits(**levels))  # type: ignore[arg-type]


def fixed(value: float, **more: object) -> Account:
    return Account(1000.0, sizing=Sizing("fixed", value), **more)  # type: ignore[arg-type]


def volume(max_share: float, impact: float = 0.0) -> Slippage:
    return Slippage("volume_share", 0.0, max_share, impact)


SIGNALS = [
    Table(
        "in and out at the next open",
        "100 100 100 100 \n 100 110 95 105 \n 106 108 104 107 \n 125 125 120 121 \n 121 121 121 121",
        Wish(entry=(0,), exit=(2,)),
        ("10: 1 @100 -> 3 @125 exit_signal",),
        cash=1250,
    ),
    Table(
        "what is open at the end is sold at the last close",
        "100 100 100 100 \n 100 110 95 105 \n 106 108 104 107",
        Wish(entry=(0,)),
        ("10: 1 @100 -> 2 @107 end_of_data",),
        cash=1070,
    ),
    Table("nothing is decided at the last candle", flat(3), Wish(entry=(2,)), cash=1000),
    Table("warm-up: three candles must have closed", flat(5), Wish(entry=(0, 1)), warmup=3),
    Table("warm-up: the third close may decide", flat(5), Wish(entry=(0, 2)), ("10: 3 @100 -> 4 @100 end_of_data",), warmup=3),
    Table("exit wins over entry", flat(4), Wish(entry=(0, 1), exit=(1,)), ("10: 1 @100 -> 2 @100 exit_signal",)),
    Table("single: entries in position are ignored", flat(5), Wish(entry=(0, 1, 2)), ("10: 1 @100 -> 4 @100 end_of_data",)),
    Table(
        "merge: an entry adds at the average price",
        "100 100 100 100 \n 100 100 100 100 \n 125 125 125 125 \n 100 100 100 100",
        Wish(entry=(0, 1)),
        ("9: 1 @111.111 -> 3 @100 end_of_data",),
        account=fixed(500),
        position="merge",
    ),
    Table(
        "lots: each entry is its own trade",
        "100 100 100 100 \n 100 100 100 100 \n 125 125 125 125 \n 100 100 100 100",
        Wish(entry=(0, 1)),
        ("5: 1 @100 -> 3 @100 end_of_data", "4: 2 @125 -> 3 @100 end_of_data"),
        account=fixed(500),
        position="lots",
    ),
    Table("weight scales the entry", flat(3), Wish(entry=(0,), weight={0: 0.5}), ("5: 1 @100 -> 2 @100 end_of_data",)),
    Table("weight 0 asks for nothing", flat(3), Wish(entry=(0,), weight={0: 0.0})),
    Table("weight NaN asks for nothing", flat(3), Wish(entry=(0,), weight={})),
]

PROTECTION = [
    Table(
        "a stop that the open gaps through sells at the open",
        "100 100 100 100 \n 100 105 95 100 \n 80 85 75 82 \n 82 82 82 82",
        Wish(entry=(0,)),
        ("10: 1 @100 -> 2 @80 stop_loss",),
        account=exits(stop_loss=0.125),
    ),
    Table(
        "a stop that is only touched sells",
        "100 100 100 100 \n 100 100 95 100 \n 95 96 87.5 90 \n 90 90 90 90",
        Wish(entry=(0,)),
        ("10: 1 @100 -> 2 @87.5 stop_loss",),
        account=exits(stop_loss=0.125),
    ),
    Table(
        "a stop holds in the entry candle",
        "100 100 100 100 \n 100 105 85 104 \n 104 104 104 104",
        Wish(entry=(0,)),
        ("10: 1 @100 -> 1 @87.5 stop_loss",),
        account=exits(stop_loss=0.125),
    ),
    Table(
        "stop and take-profit in one candle: the stop",
        "100 100 100 100 \n 100 100 100 100 \n 100 120 80 110 \n 110 110 110 110",
        Wish(entry=(0,)),
        ("10: 1 @100 -> 2 @87.5 stop_loss",),
        account=exits(stop_loss=0.125, take_profit=0.125),
    ),
    Table(
        "a take-profit that is only touched waits",
        "100 100 100 100 \n 100 100 100 100 \n 100 112.5 100 110 \n 110 113 105 108 \n 108 108 108 108",
        Wish(entry=(0,)),
        ("10: 1 @100 -> 3 @112.5 take_profit",),
        account=exits(take_profit=0.125),
    ),
    Table(
        "a take-profit that the open gaps over sells at its level",
        "100 100 100 100 \n 100 100 100 100 \n 120 125 118 121 \n 121 121 121 121",
        Wish(entry=(0,)),
        ("10: 1 @100 -> 2 @112.5 take_profit",),
        account=exits(take_profit=0.125),
    ),
    Table(
        "bought at the open, it may take profit in the same candle",
        "100 100 100 100 \n 100 120 100 110 \n 110 110 110 110",
        Wish(entry=(0,)),
        ("10: 1 @100 -> 1 @112.5 take_profit",),
        account=exits(take_profit=0.125),
    ),
    Table(
        "bought inside the candle, it cannot take profit in it",
        "110 110 110 110 \n 110 130 95 105 \n 105 113 101 102 \n 102 102 102 102",
        Wish(entry_limit={0: 100}),
        ("10: 1 @100 -> 2 @112.5 take_profit",),
        account=exits(take_profit=0.125),
    ),
    Table(
        "bought inside the candle, it is stopped at the level and not at the open before it",
        "90 90 90 90 \n 90 105 85 100 \n 100 100 100 100",
        Wish(entry_stop={0: 100}),
        ("10: 1 @100 -> 1 @93.75 stop_loss",),
        account=exits(stop_loss=0.0625),
    ),
    Table(
        "added to inside a candle whose open gapped through its stop, a lot sells at that open",
        "100 100 100 100 \n 100 200 100 200 \n 110 120 100 115 \n 115 115 115 115",
        Wish(entry_limit={0: 100, 1: 105}),
        ("9.7619: 1 @102.439 -> 2 @110 trailing_stop",),
        account=Account(1000.0, sizing=Sizing("fixed", 500), exits=Exits(trailing_stop=0.125)),
        position="merge",
    ),
    Table(
        "a resting limit that the open gaps through is stopped at that open, not at a level never traded",
        "110 110 110 110 \n 110 110 105 106 \n 80 85 75 82 \n 82 82 82 82",
        Wish(entry_limit={0: 100}),
        ("10: 2 @100 -> 2 @80 stop_loss",),
        account=exits(stop_loss=0.125),
    ),
    Table(
        "slippage that puts the level over the candle does not sell over it",
        "90 90 90 90 \n 90 100 85 95 \n 95 95 95 95",
        Wish(entry_stop={0: 100}),
        ("8: 1 @125 -> 1 @75 stop_loss",),
        account=Account(1000.0, slippage=Slippage("bps", 2500.0), exits=Exits(stop_loss=0.125)),
    ),
    Table(
        "trailing looks at earlier highs only",
        "100 100 100 100 \n 100 100 100 100 \n 100 160 100 150 \n 150 152 139 145 \n 145 145 145 145",
        Wish(entry=(0,)),
        ("10: 1 @100 -> 3 @140 trailing_stop",),
        account=exits(trailing_stop=0.125),
    ),
    Table(
        "trailing counts the entry candle's high if bought at its open",
        "100 100 100 100 \n 100 160 95 105 \n 105 106 90 95 \n 95 95 95 95",
        Wish(entry=(0,)),
        ("10: 1 @100 -> 2 @105 trailing_stop",),
        account=exits(trailing_stop=0.125),
    ),
    Table(
        "trailing does not count the entry candle's high if bought inside it",
        "110 110 110 110 \n 110 160 95 105 \n 105 106 90 95 \n 95 95 87 88 \n 88 88 88 88",
        Wish(entry_limit={0: 100}),
        ("10: 1 @100 -> 3 @92.75 trailing_stop",),
        account=exits(trailing_stop=0.125),
    ),
    Table(
        "the higher of stop and trailing stop holds, and names the reason",
        "100 100 100 100 \n 100 104 100 102 \n 102 102 80 90 \n 90 90 90 90",
        Wish(entry=(0,)),
        ("10: 1 @100 -> 2 @93.75 stop_loss",),
        account=exits(stop_loss=0.0625, trailing_stop=0.125),
    ),
    Table(
        "held for two candles, sold at the next open",
        "100 100 100 100 \n 100 100 100 100 \n 100 100 100 100 \n 101 101 101 101 \n 102 102 102 102",
        Wish(entry=(0,)),
        ("10: 1 @100 -> 3 @101 time_limit",),
        account=exits(max_candles=2),
    ),
]

ENTRIES = [
    Table(
        "a limit above the open takes at the open on its first candle",
        "120 120 120 120 \n 100 110 99 105 \n 105 105 105 105",
        Wish(entry_limit={0: 125}),
        ("8: 1 @100 -> 2 @105 end_of_data",),
    ),
    Table(
        "a limit that takes pays slippage, but never more than its price",
        "100 100 100 100 \n 100 110 99 105 \n 105 105 105 105",
        Wish(entry_limit={0: 125}),
        ("8: 1 @125 -> 2 @75 end_of_data",),
        account=Account(1000.0, slippage=Slippage("half_spread", 30.0)),
    ),
    Table(
        "a limit that is only touched waits: others were in the queue before us",
        "110 110 110 110 \n 110 110 100 105 \n 105 106 99 101 \n 101 101 101 101",
        Wish(entry_limit={0: 100}),
        ("10: 2 @100 -> 3 @101 end_of_data",),
    ),
    Table(
        "a limit that rested fills at its price even if the open is under it",
        "110 110 110 110 \n 110 112 105 110 \n 90 95 85 92 \n 92 92 92 92",
        Wish(entry_limit={0: 100}),
        ("10: 2 @100 -> 3 @92 end_of_data",),
    ),
    Table(
        "a stop that is only touched buys",
        "90 90 90 90 \n 95 100 94 98 \n 98 98 98 98",
        Wish(entry_stop={0: 100}),
        ("10: 1 @100 -> 2 @98 end_of_data",),
    ),
    Table(
        "a stop that the open gaps over buys at the open what the held cash can pay",
        "90 90 90 90 \n 125 125 124 125 \n 125 125 125 125",
        Wish(entry_stop={0: 100}),
        ("8: 1 @125 -> 2 @125 end_of_data",),
    ),
    Table(
        "a stop-limit triggered by an open over its limit rests",
        "90 90 90 90 \n 110 112 108 111 \n 108 109 104 106 \n 106 106 106 106",
        Wish(entry_stop={0: 100}, entry_limit={0: 105}),
        ("5: 2 @105 -> 3 @106 end_of_data",),
        account=fixed(525),
    ),
    Table(
        "a stop-limit that rests is no maker in the candle that triggered it",
        "90 90 90 90 \n 95 110 90 104 \n 99 100 97 98 \n 98 98 98 98",
        Wish(entry_stop={0: 100}, entry_limit={0: 98}),
        ("5: 2 @98 -> 3 @98 end_of_data",),
        account=fixed(490),
    ),
    Table(
        "a stop-limit triggered inside buys at its stop",
        "90 90 90 90 \n 95 110 90 104 \n 104 104 104 104",
        Wish(entry_stop={0: 100}, entry_limit={0: 105}),
        ("5: 1 @100 -> 2 @104 end_of_data",),
        account=fixed(525),
    ),
    Table(
        "an order expires after its candles",
        f"{flat(3)} 100 100 40 100 \n 100 100 100 100",
        Wish(entry_limit={0: 50}),
        unfilled=("0 buy limit expired 2",),
        account=Account(1000.0, order_ttl=2),
    ),
    Table(
        "an order fills in its last candle",
        f"{flat(2)} 100 100 40 100 \n 100 100 100 100",
        Wish(entry_limit={0: 50}),
        ("20: 2 @50 -> 3 @100 end_of_data",),
        account=Account(1000.0, order_ttl=2),
    ),
    Table("what rests at the end is cancelled", flat(3), Wish(entry_limit={0: 50}), unfilled=("0 buy limit cancelled 2",)),
    Table(
        "a new entry replaces what rests",
        f"{flat(2)} 100 100 49 58 \n 58 58 58 58",
        Wish(entry_limit={0: 50, 1: 80}),
        ("12.5: 2 @80 -> 3 @58 end_of_data",),
        ("0 buy limit cancelled 1",),
    ),
    Table(
        "lots: a new entry stands beside what rests",
        f"{flat(2)} 100 100 49 58 \n 58 58 58 58",
        Wish(entry_limit={0: 50, 1: 80}),
        ("8: 2 @50 -> 3 @58 end_of_data", "5: 2 @80 -> 3 @58 end_of_data"),
        account=fixed(400),
        position="lots",
    ),
    Table(
        "an exit cancels what rests",
        f"{flat(2)} 100 100 40 100 \n 100 100 100 100",
        Wish(entry_limit={0: 50}, exit=(1,)),
        unfilled=("0 buy limit cancelled 1",),
    ),
    Table(
        "a price must be positive",
        flat(3),
        Wish(entry_limit={0: 0.0}),
        unfilled=("0 buy limit refused 0 bad_price",),
    ),
]

EXITS = [
    Table(
        "an exit limit that is only touched waits",
        f"{flat(2)} 100 110 100 105 \n 105 111 104 106 \n 106 106 106 106",
        Wish(entry=(0,), exit_limit={1: 110}),
        ("10: 1 @100 -> 3 @110 exit_signal",),
    ),
    Table(
        "an exit limit under the open takes at the open on its first candle",
        f"{flat(2)} 115 116 112 114 \n 114 114 114 114",
        Wish(entry=(0,), exit_limit={1: 110}),
        ("10: 1 @100 -> 2 @115 exit_signal",),
    ),
    Table(
        "an exit stop that is only touched sells",
        f"{flat(2)} 100 101 95 97 \n 97 97 97 97",
        Wish(entry=(0,), exit_stop={1: 95}),
        ("10: 1 @100 -> 2 @95 exit_signal",),
    ),
    Table(
        "an exit stop that the open gaps through sells at the open",
        f"{flat(2)} 90 91 85 87 \n 87 87 87 87",
        Wish(entry=(0,), exit_stop={1: 95}),
        ("10: 1 @100 -> 2 @90 exit_signal",),
    ),
    Table(
        "an exit stop-limit triggered under its limit rests, and is no maker in that candle",
        f"{flat(2)} 90 94 85 91 \n 91 94 90 92 \n 92 92 92 92",
        Wish(entry=(0,), exit_stop={1: 95}, exit_limit={1: 93}),
        ("10: 1 @100 -> 3 @93 exit_signal",),
    ),
    Table(
        "an exit stop-limit triggered at its limit sells there",
        f"{flat(2)} 100 101 90 91 \n 91 91 91 91",
        Wish(entry=(0,), exit_stop={1: 95}, exit_limit={1: 95}),
        ("10: 1 @100 -> 2 @95 exit_signal",),
    ),
    Table(
        "a stop that sells all cancels the exit order",
        f"{flat(2)} 100 101 80 90 \n 90 90 90 90",
        Wish(entry=(0,), exit_limit={1: 120}),
        ("10: 1 @100 -> 2 @87.5 stop_loss",),
        ("1 sell limit cancelled 2",),
        account=exits(stop_loss=0.125),
    ),
    Table(
        "a new exit takes the place of the earlier one",
        f"{flat(3)} 102 102 102 102 \n 102 102 102 102",
        Wish(entry=(0,), exit=(2,), exit_limit={1: 120}),
        ("10: 1 @100 -> 3 @102 exit_signal",),
        ("1 sell limit cancelled 2",),
    ),
    Table(
        "an exit order passes by what was bought inside the candle",
        f"{flat(3)} 100 112 90 100 \n 100 100 100 100",
        Wish(entry_limit={0: 100, 2: 95}, exit_limit={1: 110}),
        ("4.75: 1 @100 -> 3 @110 exit_signal", "5: 3 @95 -> 4 @100 end_of_data"),
        account=fixed(475),
        position="lots",
    ),
]

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
        "a rung's refusal is told once",
        flat(5),
        Wish(ladder=Ladder(1, np.array([50.0]), np.array([60.0]))),
        unfilled=("1 buy limit refused 1 below_lot_size",),
        account=Account(1000.0, rules=(Rules(lot=100.0),)),
        position="lots",
    ),
]  # fmt: skip

TABLES = [*SIGNALS, *PROTECTION, *ENTRIES, *EXITS, *COSTS, *VOLUME, *PORTFOLIO, *TARGETS]


@pytest.mark.parametrize("simulator", [by_kernel, by_reference])
@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.rule)
def test_what_comes_of_these_candles(table: Table, simulator: Callable[..., Outcome]) -> None:
    series, wants = [candles(table.candles)], [table.wish]
    if table.second:
        series.append(candles(table.second[0], "B"))
        wants.append(table.second[1])
    signals = [wish.signals(len(one)) for one, wish in zip(series, wants, strict=True)]
    outcome = simulator(table.account, series, signals, table.warmup, table.position)
    assert outcome.trades == list(table.trades)
    assert outcome.unfilled == sorted(table.unfilled)
    assert outcome.equity[-1] == outcome.cash
    if table.cash is not None:
        assert outcome.cash == pytest.approx(table.cash, rel=1e-12)


@pytest.mark.parametrize("simulator", [by_kernel, by_reference])
def test_equity_marks_a_symbol_without_a_candle_at_its_last_close(simulator: Callable[..., Outcome]) -> None:
    other = candles("100 100 100 100 \n 100 120 100 120 \n - \n 90 90 90 90", "B")
    wishes = [Wish().signals(4), Wish(entry=(0,)).signals(3)]
    outcome = simulator(Account(1000.0, rules=(Rules(), Rules())), [candles(flat(4)), other], wishes, 0, "single")
    assert outcome.equity == [1000, 1200, 1200, 900]
