"""Candle tables: protections, which refuse entries for a while."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.types import Account, Exits, Ladder, Limits, Protections, Rules
from tests.engine.rules import Table, fixed, flat, volume
from tests.engine.tables import Wish

TWO = (Rules(), Rules())
STOPPED = "100 100 80 100 \n"
"""Bought at its open, a lot is stopped at 87.5."""
UP_AND_DOWN = "100 100 100 100 \n 100 120 100 120 \n" + "120 120 120 120 \n" * 2 + "96 96 96 96 \n" * 5
"""Bought at 1 and 3, sold at 2 and 4: +100 and -100 of 500 each, so closed equity is 1000, 1100, 1000 and the returns 0.2, -0.2."""
IN_AND_OUT = Wish(entry=(0, 2, 4, 5, 6), exit=(1, 3))
MADE = ("5: 1 @100 -> 2 @120 exit_signal", "4.16667: 3 @120 -> 4 @96 exit_signal")
PAUSED = (*MADE, "5.20833: 7 @96 -> 8 @96 end_of_data")
GONE_ON = (*MADE, "5.20833: 5 @96 -> 8 @96 end_of_data")
TWICE_REFUSED = ("4 buy market refused 4 protection", "5 buy market refused 5 protection")


def stops(count: int, window: int, pause: int, scope: str = "symbol", **more: object) -> Account:
    given = {"exits": Exits(stop_loss=0.125), "protections": Protections(0, count, window, pause, scope), **more}
    return fixed(400, **given)


def drawdown(window: int, trades: int) -> Account:
    guard = Protections(drawdown=0.0625, drawdown_window=window, drawdown_trades=trades, drawdown_pause=2)
    return fixed(500, protections=guard)


def low_profit(least: float, trades: int) -> Account:
    lock = Protections(profit_least=least, profit_window=10, profit_trades=trades, profit_pause=2)
    return fixed(500, protections=lock)


COOL_DOWNS = [
    Table(
        "a cool-down of 2: nothing decided in the candle of the trade's close and the one after it",
        flat(8),
        Wish(entry=(0, 1, 2, 3, 4), exit=(1,)),
        ("10: 1 @100 -> 2 @100 exit_signal", "10: 5 @100 -> 7 @100 end_of_data"),
        ("2 buy market refused 2 protection", "3 buy market refused 3 protection"),
        account=Account(1000.0, protections=Protections(cooldown=2)),
    ),
    Table(
        "a cool-down is the symbol's own",
        flat(6),
        Wish(entry=(0, 2), exit=(1,)),
        ("A 5: 1 @100 -> 2 @100 exit_signal", "B 5: 3 @100 -> 5 @100 end_of_data"),
        ("A 2 buy market refused 2 protection",),
        account=fixed(500, protections=Protections(cooldown=3), rules=TWO),
        second=(flat(6), Wish(entry=(2,))),
    ),
    Table(
        "what rests goes on, and is not replaced by what is refused",
        flat(2) + "100 100 85 90 \n 90 90 79 85 \n 85 85 85 85",
        Wish(entry=(0,), entry_limit={1: 80, 2: 70}),
        ("5: 1 @100 -> 2 @87.5 stop_loss", "6.25: 3 @80 -> 4 @85 end_of_data"),
        ("2 buy limit refused 2 protection",),
        account=fixed(500, exits=Exits(stop_loss=0.125), protections=Protections(cooldown=5)),
        position="merge",
    ),
    Table(
        "what was queued before the trade closed goes on",
        flat(5),
        Wish(entry=(0, 1, 2)),
        ("2.5: 1 @100 -> 2 @100 time_limit", "2.5: 2 @100 -> 3 @100 time_limit"),
        ("2 buy market refused 2 protection",),
        account=fixed(250, exits=Exits(max_candles=1), protections=Protections(cooldown=5)),
        position="lots",
    ),
    Table(
        "protections are asked before anything else is",
        flat(5),
        Wish(entry=(0,), exit=(1,), entry_limit={2: 0.0}),
        ("10: 1 @100 -> 2 @100 exit_signal",),
        ("2 buy limit refused 2 protection",),
        account=Account(1000.0, limits=Limits(max_open_positions=1), protections=Protections(cooldown=1)),
    ),
    Table(
        "a rung is refused once, and placed when the pause is over",
        "110 110 110 110 \n 110 110 95 105 \n 105 121 104 120 \n 120 120 101 101 \n 101 101 101 101 \n 101 101 101 101",
        Wish(ladder=Ladder(0, np.array([100.0]), np.array([120.0]))),
        ("10: 1 @100 -> 2 @120 take_profit",),
        ("2 buy limit refused 2 protection", "4 buy limit cancelled 5"),
        account=Account(1000.0, protections=Protections(cooldown=2)),
        position="lots",
    ),
    Table(
        "a target decided under a bar does not buy; the next one may",
        flat(6),
        Wish(target={0: 1.0, 1: 0.0, 2: 0.5, 3: 0.5}),
        ("10: 1 @100 -> 2 @100 rebalance", "5: 4 @100 -> 5 @100 end_of_data"),
        ("2 buy market refused 3 protection",),
        account=Account(1000.0, protections=Protections(cooldown=1)),
        position="merge",
    ),
]

GUARDS = [
    Table(
        "two losing stops within two candles",
        flat(1) + 2 * STOPPED + flat(4),
        Wish(entry=(0, 1, 2, 3, 4)),
        ("4: 1 @100 -> 1 @87.5 stop_loss", "4: 2 @100 -> 2 @87.5 stop_loss", "4: 5 @100 -> 6 @100 end_of_data"),
        ("2 buy market refused 2 protection", "3 buy market refused 3 protection"),
        account=stops(2, 2, 2),
    ),
    Table(
        "two losing stops, but not within one candle",
        flat(1) + 2 * STOPPED + flat(4),
        Wish(entry=(0, 1, 2)),
        ("4: 1 @100 -> 1 @87.5 stop_loss", "4: 2 @100 -> 2 @87.5 stop_loss", "4: 3 @100 -> 6 @100 end_of_data"),
        account=stops(2, 1, 2),
    ),
    Table(
        "a stop that earned is none",
        "100 100 100 100 \n 100 160 100 160 \n 150 150 130 140 \n 140 140 140 140 \n 140 140 140 140",
        Wish(entry=(0, 2)),
        ("4: 1 @100 -> 2 @140 trailing_stop", "2.85714: 3 @140 -> 4 @140 end_of_data"),
        account=stops(1, 5, 5, exits=Exits(trailing_stop=0.125)),
    ),
    Table(
        "a stop sold in two parts is one, and closes with the second",
        "100 100 100 100 \n 100 100 100 100 16 \n 100 100 80 85 8 \n" + "85 85 85 85 \n" * 4,
        Wish(entry=(0, 3, 4)),
        ("2: 1 @100 -> 2 @87.5 stop_loss", "2: 1 @100 -> 3 @85 stop_loss", "4.70588: 5 @85 -> 6 @85 end_of_data"),
        ("3 buy market refused 3 protection",),
        account=stops(1, 1, 1, slippage=volume(0.25)),
    ),
    Table(
        "of one symbol each: not enough for either",
        flat(1) + STOPPED + flat(4),
        Wish(entry=(0, 1)),
        ("A 4: 1 @100 -> 1 @87.5 stop_loss", "B 4: 1 @100 -> 1 @87.5 stop_loss", "A 4: 2 @100 -> 5 @100 end_of_data"),
        account=stops(2, 5, 2, rules=TWO),
        second=(flat(1) + STOPPED + flat(4), Wish(entry=(0,))),
    ),
    Table(
        "of all symbols together: enough to bar them all",
        flat(1) + STOPPED + flat(4),
        Wish(entry=(0, 1)),
        ("A 4: 1 @100 -> 1 @87.5 stop_loss", "B 4: 1 @100 -> 1 @87.5 stop_loss", "B 4: 4 @100 -> 5 @100 end_of_data"),
        ("A 1 buy market refused 1 protection", "B 2 buy market refused 2 protection"),
        account=stops(2, 5, 2, "all", rules=TWO),
        second=(flat(1) + STOPPED + flat(4), Wish(entry=(0, 2, 3))),
    ),
    Table("closed equity is under its high", UP_AND_DOWN, IN_AND_OUT, PAUSED, TWICE_REFUSED, account=drawdown(10, 2)),
    Table(
        "its high counts what it was before the first trade within the window",
        UP_AND_DOWN,
        IN_AND_OUT,
        PAUSED,
        TWICE_REFUSED,
        account=drawdown(1, 1),
    ),
    Table("too few trades for a drawdown", UP_AND_DOWN, IN_AND_OUT, GONE_ON, account=drawdown(10, 3)),
    Table("too few trades within the window", UP_AND_DOWN, IN_AND_OUT, GONE_ON, account=drawdown(2, 2)),
    Table(
        "a target decided before its symbol was barred goes on",
        flat(5),
        Wish(target={1: 0.5, 2: 1.0}),
        ("B 5: 1 @100 -> 2 @80 rebalance", "A 5: 2 @100 -> 4 @100 end_of_data"),
        ("A 2 buy market refused 3 protection",),
        account=replace(drawdown(10, 1), rules=TWO),
        position="merge",
        second=(flat(2) + "80 80 80 80 \n" * 3, Wish(target={0: 0.5, 1: 0.0})),
    ),
    Table("returns that sum to too little", UP_AND_DOWN, IN_AND_OUT, PAUSED, TWICE_REFUSED, account=low_profit(0.0625, 2)),
    Table("returns that sum to just enough", UP_AND_DOWN, IN_AND_OUT, GONE_ON, account=low_profit(0.0, 2)),
    Table("too few trades for a low profit", UP_AND_DOWN, IN_AND_OUT, GONE_ON, account=low_profit(0.0625, 3)),
    Table(
        "a low profit locks its own symbol",
        UP_AND_DOWN,
        IN_AND_OUT,
        (*(f"A {trade}" for trade in MADE), "B 5: 5 @100 -> 8 @100 end_of_data", "A 5.20833: 7 @96 -> 8 @96 end_of_data"),
        tuple(f"A {order}" for order in TWICE_REFUSED),
        account=replace(low_profit(0.0625, 2), cash=2000.0, rules=TWO),
        second=(flat(9), Wish(entry=(4,))),
    ),
]
