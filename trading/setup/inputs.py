"""The inputs of a form: each with its place in the configuration, its label and help, and its range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.strategy import Parameter, Strategy
from engine.types import INTERVALS, REMEMBERED

KINDS = {"integer": "integer", "number": "number", "choice": "choice", "boolean": "flag"}
"""A parameter's kind, and the input for it."""


@dataclass(frozen=True, slots=True)
class Input:
    """`key` is the dotted name in the configuration, where the parser puts its faults. `only_for` is the choice of the section's
    kind to which the input belongs; others with the same key stand in for it under another choice."""

    key: str
    label: str
    help: str = ""
    kind: str = "number"
    default: Any = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    only_for: str = ""

    @property
    def name(self) -> str:
        return f"{self.key}.{self.only_for}" if self.only_for else self.key

    @property
    def chooser(self) -> str:
        """The input that decides whether this one counts."""
        return f"{self.key.split('.')[0]}.kind" if self.only_for else ""

    @property
    def step(self) -> str:
        return "1" if self.kind == "integer" else "any"


def parameter_inputs(strategy: type[Strategy]) -> tuple[Input, ...]:
    """The inputs for a strategy's own parameters."""
    return tuple(parameter_input(name, parameter) for name, parameter in strategy.parameters.items())


def parameter_input(name: str, parameter: Parameter) -> Input:
    return Input(
        f"params.{name}",
        parameter.label or name.replace("_", " ").capitalize(),
        help=parameter.help,
        kind=KINDS[parameter.kind],
        default=parameter.default,
        low=parameter.low,
        high=parameter.high,
        choices=tuple((str(choice), str(choice)) for choice in parameter.choices),
    )


MARKET = (
    Input(
        "interval",
        "Interval",
        "Higher ones are made of the candles that are there.",
        "choice",
        choices=tuple((i, i) for i in INTERVALS),
    ),
    Input("start", "From (UTC)", "Empty: from the first candle.", "moment"),
    Input("end", "To (UTC)", "Not included. Empty: to the last candle.", "moment"),
)
MONEY = (
    Input("cash", "Cash", "Quote currency to start with.", default="10000", low=0),
    Input("fees.taker_bps", "Taker fee", "For orders that take: market orders, stops.", default=10, low=0, high=10_000, unit="bps"),
    Input("fees.maker_bps", "Maker fee", "For orders that rested in the book.", default=10, low=0, high=10_000, unit="bps"),
    Input(
        "slippage.kind",
        "Slippage",
        "What a taker loses to the market beside the fee.",
        "choice",
        "bps",
        choices=(("bps", "Basis points of the price"), ("half_spread", "Half the spread"), ("volume_share", "Share of the volume")),
    ),
    Input("slippage.value", "Basis points", "1 bps is 0.01 %.", default=0, low=0, high=5_000, unit="bps", only_for="bps"),
    Input("slippage.value", "Half spread", "In quote currency, for each unit.", default=0, low=0, only_for="half_spread"),
    Input(
        "slippage.max_share",
        "Largest share",
        "Of a candle’s volume that an order gets; the rest waits.",
        "ratio",
        0.025,
        0,
        1,
        only_for="volume_share",
    ),
    Input(
        "slippage.impact", "Impact", "The price moves by impact × share².", default=0.1, low=0, high=100, only_for="volume_share"
    ),
)
SIZING = (
    Input(
        "sizing.kind",
        "Each entry spends",
        "",
        "choice",
        "all_in",
        choices=(
            ("all_in", "All free cash"),
            ("fixed", "A fixed amount"),
            ("fraction", "A share of equity"),
            ("volatility", "By volatility target"),
            ("kelly", "By Kelly, capped"),
        ),
    ),
    Input("sizing.value", "Amount", "Quote currency for each entry, fee included.", default="1000", low=0, only_for="fixed"),
    Input("sizing.value", "Share", "Of equity for each entry.", "ratio", 0.1, 0, 1, only_for="fraction"),
    Input("sizing.value", "Yearly volatility", "That each position should have.", "ratio", 0.2, 0, 10, only_for="volatility"),
    Input(
        "sizing.lookback",
        "Lookback",
        "Candles whose returns tell the volatility.",
        "integer",
        100,
        2,
        100_000,
        only_for="volatility",
    ),
    Input("sizing.cap", "At most", "Largest share of equity for one entry.", "ratio", 1, 0, 1, only_for="volatility"),
    Input("sizing.value", "Part of Kelly", "0.5 is half Kelly.", "ratio", 0.5, 0, 1, only_for="kelly"),
    Input(
        "sizing.min_trades", "Trades first", "Closed trades before Kelly is computed.", "integer", 20, 1, 100_000, only_for="kelly"
    ),
    Input("sizing.cap", "At most", "Largest share of equity for one entry.", "ratio", 1, 0, 1, only_for="kelly"),
)
EXITS = (
    Input("exits.stop_loss", "Stop-loss", "Below the entry price. 0 is none.", "ratio", 0, 0, 1),
    Input("exits.take_profit", "Take-profit", "Above the entry price. 0 is none.", "ratio", 0, 0, 1_000),
    Input("exits.trailing_stop", "Trailing stop", "Below the highest price since the entry. 0 is none.", "ratio", 0, 0, 1),
    Input("exits.max_candles", "Time limit", "Sell after so many candles. 0 is none.", "integer", 0, 0, unit="candles"),
)
LIMITS = (
    Input("limits.max_open_positions", "Open positions", "At most so many symbols at once. 0 is no limit.", "integer", 0, 0, 1_000),
    Input("limits.symbol_cap", "Symbol cap", "Largest share of equity in one symbol. 0 is none.", "ratio", 0, 0, 1),
    Input(
        "order_ttl", "Orders live", "Candles until a resting entry order expires. 0 is for ever.", "integer", 0, 0, unit="candles"
    ),
    Input("seed", "Seed", "For what is drawn at random, as the audit’s samples.", "integer", 0, 0),
)
PROTECTIONS = (
    Input(
        "protections.cooldown", "Cool-down", "No entries in a symbol after its trade. 0 is none.", "integer", 0, 0, unit="candles"
    ),
    Input("protections.stop_count", "Stop guard", "So many losing stops, then no entries. 0 is off.", "integer", 0, 0, REMEMBERED),
    Input("protections.stop_window", "Stop window", "Candles in which the stops are counted.", "integer", 0, 0, unit="candles"),
    Input("protections.stop_pause", "Stop pause", "No entries for so long after the last stop.", "integer", 0, 0, unit="candles"),
    Input(
        "protections.stop_scope",
        "Stops of",
        "Counted together, and barred.",
        "choice",
        "symbol",
        choices=(("symbol", "Each symbol by itself"), ("all", "All symbols")),
    ),
    Input("protections.drawdown", "Drawdown guard", "Fall of what closed trades earned. 0 is off.", "ratio", 0, 0, 1),
    Input("protections.drawdown_window", "Drawdown window", "Candles whose high counts.", "integer", 0, 0, unit="candles"),
    Input("protections.drawdown_trades", "Drawdown trades", "At least so many in its window.", "integer", 1, 1, REMEMBERED),
    Input("protections.drawdown_pause", "Drawdown pause", "No entries in any symbol.", "integer", 0, 0, unit="candles"),
    Input("protections.profit_window", "Low-profit lock", "Candles it looks back. 0 is off.", "integer", 0, 0, unit="candles"),
    Input("protections.profit_least", "Least profit", "Of a symbol: sum of its trades’ returns.", "ratio", 0, -REMEMBERED, 1_000),
    Input("protections.profit_trades", "Low-profit trades", "At least so many in its window.", "integer", 1, 1, REMEMBERED),
    Input("protections.profit_pause", "Low-profit pause", "No entries in the symbol.", "integer", 0, 0, unit="candles"),
)
NAME = Input("name", "Name", "To find it again. Does not change the result.", "text")
PLAIN = (*MARKET, *MONEY, *SIZING, *EXITS, *LIMITS, *PROTECTIONS, NAME)
