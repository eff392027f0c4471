"""A backtest's or bot's configuration: one reader from untrusted input, and one complete canonical form to store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.errors import Invalid
from core.fields import Fields, show_value
from core.symbols import symbol_normalise, venue_normalise
from core.text import float_text, utc_text
from engine.strategies import registry
from engine.types import INTERVALS, REMEMBERED, Account, Exits, Fees, Limits, Protections, Rules, Sizing, Slippage

MOST_CASH = Decimal(10) ** 12
MOST_QUANTITY = Decimal(10) ** 18
MOST_ORDERS = 10**9
MOST_SYMBOLS = 50
LONGEST_CONFIG = 100_000
UNUSABLE = "The configuration has fields that cannot be used."
SIZINGS = ("all_in", "fixed", "fraction", "volatility", "kelly")
SLIPPAGES = ("bps", "half_spread", "volume_share")
STOP_SCOPES = ("symbol", "all")
GUARDS = {
    "stop": ("stop_count", "stop_window", "stop_pause"),
    "drawdown": ("drawdown", "drawdown_window", "drawdown_pause"),
    "profit": ("profit_window", "profit_pause"),
}
"""What a protection cannot do without, by how the names of its settings begin."""
LONGEST = 10_000_000
"""Candles."""
RULES_SHOWN = ("tick", "lot", "min_notional")
"""Of a venue's rules: those that a stored configuration always names."""
DEFAULT_FEE_BPS = 10
"""What most venues take from a small account. Costs are on unless switched off by name."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Everything that decides a run beside the candles and the code."""

    strategy: str
    params: Mapping[str, Any]
    venue: str
    symbols: tuple[str, ...]
    interval: str
    cash: Decimal
    start: datetime | None = None
    end: datetime | None = None
    fees: Fees = field(default_factory=Fees)
    slippage: Slippage = field(default_factory=Slippage)
    sizing: Sizing = field(default_factory=Sizing)
    exits: Exits = field(default_factory=Exits)
    limits: Limits = field(default_factory=Limits)
    protections: Protections = field(default_factory=Protections)
    order_ttl: int = 0
    seed: int = 0
    rules: Mapping[str, Rules] = field(default_factory=dict)
    """The venue's rules for each symbol, as they were when the run was made."""
    name: str = ""
    """A label; not part of the canonical form, so that it cannot change results."""

    def account(self, *, costs: float = 1.0) -> Account:
        """What the simulator needs, with all costs multiplied by `costs`."""
        return Account(
            cash=float(self.cash),
            fees=Fees(min(self.fees.maker * costs, 1.0), min(self.fees.taker * costs, 1.0)),
            slippage=replace(self.slippage, value=self.slippage.value * costs, impact=self.slippage.impact * costs),
            sizing=self.sizing,
            exits=self.exits,
            limits=self.limits,
            protections=self.protections,
            rules=tuple(self.rules.get(symbol, Rules()) for symbol in self.symbols),
            order_ttl=self.order_ttl,
        )

    def to_json(self) -> dict[str, Any]:
        """The canonical form: complete, JSON-ready, read back by `parse` to an equal config."""
        return {
            "strategy": self.strategy,
            "params": dict(self.params),
            "venue": self.venue,
            "symbols": list(self.symbols),
            "interval": self.interval,
            "start": utc_text(self.start),
            "end": utc_text(self.end),
            "cash": f"{self.cash:f}",
            "fees": {"maker_bps": bps_of_share(self.fees.maker), "taker_bps": bps_of_share(self.fees.taker)},
            "slippage": slippage_json(self.slippage),
            "sizing": sizing_json(self.sizing),
            "exits": {name: plain_number(value) for name, value in asdict(self.exits).items()},
            "limits": {"max_open_positions": self.limits.max_open_positions, "symbol_cap": plain_number(self.limits.symbol_cap)},
            **({"protections": protections_json(self.protections)} if self.protections.on else {}),
            "order_ttl": self.order_ttl,
            "seed": self.seed,
            "rules": {symbol: rules_json(rules) for symbol, rules in self.rules.items()},
        }


def parse_config(raw: Any) -> RunConfig:
    """`raw` as a config; `Invalid` with every fault at its dotted field name.

    Shorthands: `symbol` for one symbol, `fee_bps` for both fees, `slippage_bps` for slippage in basis points.
    What only the candle store knows (do the symbols exist, is there data) is checked by `backtests.data`.
    """
    config, form = read_config(raw)
    form.refuse(UNUSABLE)
    return config


def read_config(raw: Any) -> tuple[RunConfig, Fields]:
    """What can be read of `raw`, with defaults where it is faulty, and the faults."""
    form = Fields(raw)
    if not form.faults and len(str(raw)) > LONGEST_CONFIG:
        raise Invalid.at("config", f"The configuration is too large: at most {LONGEST_CONFIG} characters.")
    return read_settings(form), form


def read_settings(form: Fields) -> RunConfig:
    strategy, params = read_strategy(form)
    symbols = read_symbols(form)
    start, end = form.moment("start"), form.moment("end")
    if start and end and end <= start:
        form.fault("end", f"must be after start; it is {utc_text(end)}, and start is {utc_text(start)}.")
    config = RunConfig(
        strategy=strategy,
        params=params,
        venue=read_venue(form),
        symbols=symbols,
        interval=read_interval(form),
        cash=form.decimal("cash", 10_000, high=MOST_CASH, above_low=True),
        start=start,
        end=end,
        fees=read_fees(form),
        slippage=read_slippage(form),
        sizing=read_sizing(form.section("sizing")),
        exits=read_exits(form.section("exits")),
        limits=read_limits(form.section("limits")),
        protections=read_protections(form.section("protections")),
        order_ttl=form.integer("order_ttl", high=10_000_000),
        seed=form.integer("seed", high=2**63 - 1),
        rules=read_rules(form.section("rules"), symbols),
        name=form.text("name", longest=200),
    )
    form.close()
    return config


def read_strategy(form: Fields) -> tuple[str, dict[str, Any]]:
    name = form.text("strategy", longest=64)
    raw = form.take("params", {})
    if not isinstance(raw, Mapping):
        form.fault("params", f"must be an object of parameter names and values; got {show_value(raw)}.")
        raw = {}
    if not name:
        form.fault("strategy", f"is required. Strategies: {', '.join(kind.name for kind in registry.list_strategies())}.")
        return "", {}
    try:
        return name, registry.get_strategy(name).parse({str(key): value for key, value in raw.items()})
    except Invalid as error:
        form.merge(error, "strategy")
        return name, {}


def read_symbols(form: Fields) -> tuple[str, ...]:
    """From `symbol` or `symbols`, in our form (BTC-USD), in the order given; empty with a fault where they cannot be used."""
    one, many = form.take("symbol"), form.take("symbols")
    if one is not None and many is not None:
        form.fault("symbol", "give symbol or symbols, not both.")
    raw = many if many is not None else one
    listed = [raw] if isinstance(raw, str) else raw if isinstance(raw, list | tuple) else []
    if not listed or not all(isinstance(symbol, str) and symbol.strip() for symbol in listed):
        form.fault("symbols", f'must be a list with at least one symbol, like ["BTC-USD"]; got {show_value(raw)}.')
        return ()
    try:
        symbols = tuple(symbol_normalise(symbol) for symbol in listed)
    except Invalid as error:
        form.fault("symbols", str(error))
        return ()
    if len(symbols) > MOST_SYMBOLS:
        form.fault("symbols", f"must be at most {MOST_SYMBOLS} symbols; got {len(symbols)}.")
    if twice := sorted({symbol for symbol in symbols if symbols.count(symbol) > 1}):
        form.fault("symbols", f"names {', '.join(twice)[:200]} more than once.")
    return symbols


def read_venue(form: Fields) -> str:
    """Empty where it is left to the candle store: the only venue that has the symbols."""
    venue = form.text("venue", longest=32)
    try:
        return venue_normalise(venue) if venue else ""
    except Invalid as error:
        form.merge(error, "venue")
        return ""


def read_interval(form: Fields) -> str:
    if form.take("interval") is None:
        form.fault("interval", f"is required. Use one of {', '.join(INTERVALS)}.")
        return ""
    return form.choice("interval", "", tuple(INTERVALS))


def read_fees(form: Fields) -> Fees:
    if form.take("fee_bps") is not None:
        if form.take("fees") is not None:
            form.fault("fee_bps", "give fee_bps or fees, not both.")
        both = form.decimal("fee_bps", high=10_000)
        return Fees(share_of_bps(both), share_of_bps(both))
    fees = form.section("fees")
    taker = fees.decimal("taker_bps", DEFAULT_FEE_BPS, high=10_000)
    maker = fees.decimal("maker_bps", taker, high=10_000)
    fees.close()
    return Fees(share_of_bps(maker), share_of_bps(taker))


def read_slippage(form: Fields) -> Slippage:
    """From `slippage`, or `slippage_bps` for basis points."""
    if form.take("slippage_bps") is not None:
        if form.take("slippage") is not None:
            form.fault("slippage_bps", "give slippage_bps or slippage, not both.")
        return Slippage("bps", float(form.decimal("slippage_bps", high=5_000)))
    return read_slippage_section(form.section("slippage"))


def read_slippage_section(given: Fields) -> Slippage:
    kind = given.choice("kind", "bps", SLIPPAGES)
    value = given.decimal("value", high=5_000 if kind == "bps" else MOST_CASH)
    slippage = Slippage(
        kind=kind,
        value=0.0 if kind == "volume_share" else float(value),
        max_share=given.ratio("max_share", 0.025, above_low=True),
        impact=given.ratio("impact", 0.1, high=100),
    )
    given.close()
    return slippage


def read_sizing(given: Fields) -> Sizing:
    """`value` means what `kind` says: an amount of quote currency, a share of equity, a yearly volatility, or a part of Kelly."""
    kind = given.choice("kind", "all_in", SIZINGS)
    highest: dict[str, Decimal | int] = {"all_in": 1, "fixed": MOST_CASH, "fraction": 1, "volatility": 10, "kelly": 1}
    if kind == "fixed" and given.take("value") is None:
        given.fault("value", "is required: the amount of quote currency that each entry spends.")
    value = given.decimal("value", 1, high=highest[kind], above_low=True)
    sizing = Sizing(
        kind=kind,
        value=1.0 if kind == "all_in" else float(value),
        lookback=given.integer("lookback", 100, low=2, high=100_000),
        cap=given.ratio("cap", 1.0, above_low=True),
        min_trades=given.integer("min_trades", 20, low=1, high=100_000),
    )
    given.close()
    return sizing


def read_exits(given: Fields) -> Exits:
    exits = Exits(
        stop_loss=float(given.decimal("stop_loss", high=1, below_high=True)),
        take_profit=given.ratio("take_profit", high=1_000),
        trailing_stop=float(given.decimal("trailing_stop", high=1, below_high=True)),
        max_candles=given.integer("max_candles", high=10_000_000),
    )
    given.close()
    return exits


def read_limits(given: Fields) -> Limits:
    limits = Limits(given.integer("max_open_positions", high=1_000), given.ratio("symbol_cap"))
    given.close()
    return limits


def read_protections(given: Fields) -> Protections:
    """All counts and spans are in candles; 0 switches a protection off."""
    protections = Protections(
        cooldown=given.integer("cooldown", high=LONGEST),
        stop_count=given.integer("stop_count", high=REMEMBERED),
        stop_window=given.integer("stop_window", high=LONGEST),
        stop_pause=given.integer("stop_pause", high=LONGEST),
        stop_scope=given.choice("stop_scope", "symbol", STOP_SCOPES),
        drawdown=float(given.decimal("drawdown", high=1, below_high=True)),
        drawdown_window=given.integer("drawdown_window", high=LONGEST),
        drawdown_trades=given.integer("drawdown_trades", 1, low=1, high=REMEMBERED),
        drawdown_pause=given.integer("drawdown_pause", high=LONGEST),
        profit_least=given.ratio("profit_least", low=-REMEMBERED, high=1_000),
        profit_window=given.integer("profit_window", high=LONGEST),
        profit_trades=given.integer("profit_trades", 1, low=1, high=REMEMBERED),
        profit_pause=given.integer("profit_pause", high=LONGEST),
    )
    given.close()
    refuse_half_set(given, protections)
    return protections


def refuse_half_set(given: Fields, protections: Protections) -> None:
    """A protection of which something is set, but not all that it needs, would silently protect from nothing."""
    values, usual = asdict(protections), asdict(Protections())
    for guard, needed in GUARDS.items():
        if any(name.startswith(guard) and value != usual[name] for name, value in values.items()):
            for name in needed:
                if not values[name] and f"{given.path}.{name}" not in given.faults:
                    given.fault(
                        name, f"must be above 0: {' and '.join(needed)} go together. Leave all of them out to switch it off."
                    )


def read_rules(given: Fields, symbols: tuple[str, ...]) -> dict[str, Rules]:
    """Rules that the caller gives; those of the other symbols are taken from their instruments."""
    rules = {}
    for symbol in symbols:
        if given.take(symbol) is not None:
            rules[symbol] = read_symbol_rules(given.section(symbol))
    given.close()
    return rules


def read_symbol_rules(given: Fields) -> Rules:
    rules = Rules(**{each.name: read_rule(given, each.name) for each in fields(Rules)})
    given.close()
    return rules


def read_rule(given: Fields, name: str) -> Any:
    """One rule, of the kind that its usual value has."""
    usual = getattr(Rules(), name)
    if isinstance(usual, bool):
        return given.flag(name, usual)
    if isinstance(usual, int):
        return given.integer(name, usual, high=MOST_ORDERS)
    return float(given.decimal(name, high=MOST_QUANTITY))


def share_of_bps(basis_points: Decimal) -> float:
    return float(basis_points / 10_000)


def bps_of_share(share_of_value: float) -> float | int:
    return plain_number(float(Decimal(repr(share_of_value)) * 10_000))


def plain_number(number: float) -> float | int:
    """Whole numbers without a fraction, as a person would write them."""
    return int(number) if float(number).is_integer() else number


def slippage_json(slippage: Slippage) -> dict[str, Any]:
    value = float_text(slippage.value) if slippage.kind == "half_spread" else plain_number(slippage.value)
    return {
        "kind": slippage.kind,
        "value": value,
        "max_share": plain_number(slippage.max_share),
        "impact": plain_number(slippage.impact),
    }


def sizing_json(sizing: Sizing) -> dict[str, Any]:
    value = float_text(sizing.value) if sizing.kind == "fixed" else plain_number(sizing.value)
    return {
        "kind": sizing.kind,
        "value": value,
        "lookback": sizing.lookback,
        "cap": plain_number(sizing.cap),
        "min_trades": sizing.min_trades,
    }


def protections_json(protections: Protections) -> dict[str, Any]:
    return {name: value if isinstance(value, str) else plain_number(value) for name, value in asdict(protections).items()}


def rules_json(rules: Rules) -> dict[str, Any]:
    """The first three, and which others there are."""
    usual = Rules()
    named = {one.name: getattr(rules, one.name) for one in fields(Rules)}
    shown = {name: value for name, value in named.items() if name in RULES_SHOWN or value != getattr(usual, name)}
    return {name: value if isinstance(value, int) else float_text(value) for name, value in shown.items()}
