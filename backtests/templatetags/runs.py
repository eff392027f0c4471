"""How pages write runs, their figures and their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template

from backtests.explanations import REASONS_IN_WORDS, REFUSALS_IN_WORDS
from backtests.models import BacktestRun
from engine.metrics import DEFINITIONS, KINDS
from engine.strategies import registry
from market.templatetags import desk

register = template.Library()

LABELS = {
    "total_return": "Return",
    "cagr": "CAGR",
    "buy_and_hold_return": "Buy and hold",
    "sharpe": "Sharpe ratio",
    "sortino": "Sortino ratio",
    "calmar": "Calmar ratio",
    "sqn": "SQN",
    "max_drawdown_duration_s": "Longest drawdown",
    "average_duration_s": "Average holding",
    "max_consecutive_losses": "Losses in a row",
    "probabilistic_sharpe": "Probabilistic Sharpe",
}
CHANGES = (
    "total_return",
    "cagr",
    "buy_and_hold_return",
    "max_drawdown",
    "best_trade",
    "worst_trade",
    "average_trade_return",
    "median_trade_return",
)
"""Ratios that are gains or losses, and so carry a sign."""


@register.filter
def metric_label(name: str) -> str:
    return LABELS.get(name, name.replace("_", " ").capitalize())


@register.filter
def metric_definition(name: str) -> str:
    return DEFINITIONS.get(name, "")


@register.simple_tag
def figure(name: str, value: Any, currency: str = "") -> str:
    """A metric's value, written as its kind is."""
    if name in CHANGES:
        return desk.change(value)
    kind = KINDS.get(name, "number")
    if kind == "money":
        return desk.money(value, currency)
    if kind == "percent":
        return desk.percent(value)
    if kind == "seconds":
        return desk.duration(value)
    return desk.number(value, 0 if kind == "count" else 2)


@register.filter
def strategy_title(name: str) -> str:
    """The strategy's title; its name where it is not installed any more."""
    kind = registry.find_strategies().strategies.get(name)
    return kind.title if kind else name


@register.filter
def params_text(config: Mapping[str, Any]) -> str:
    """fast 10, slow 50."""
    return ", ".join(f"{name.replace('_', ' ')} {plain(value)}" for name, value in config.get("params", {}).items())


@register.filter
def plain(value: Any) -> str:
    """A setting as a person writes it: yes, 30, 0.5."""
    return ("no", "yes")[value] if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


@register.filter
def run_title(run: BacktestRun) -> str:
    return run.name or f"{strategy_title(run.strategy)} on {symbols_text(run)}"


@register.filter
def symbols_text(run: BacktestRun) -> str:
    """All symbols, or the first two and how many more."""
    symbols = run.symbols.split(",")
    return ", ".join(symbols) if len(symbols) < 4 else f"{', '.join(symbols[:2])} and {len(symbols) - 2} more"


@register.filter
def quote(run: BacktestRun) -> str:
    """The currency that the run's money is in."""
    return run.symbols.split(",")[0].rpartition("-")[2]


@register.filter
def code_words(code: str) -> str:
    """A code as words: exit_signal is exit signal."""
    return code.replace("_", " ")


@register.filter
def reason_meaning(code: str) -> str:
    return REASONS_IN_WORDS.get(code) or REFUSALS_IN_WORDS.get(code, "")


@register.filter
def item(mapping: Mapping[str, Any], name: str) -> Any:
    return mapping.get(name)


@register.filter
def progress_share(run: BacktestRun) -> int:
    """Percent of the candles done."""
    return int(100 * run.candles_processed / run.candles_total) if run.candles_total else 0


@register.filter
def moment(text: str) -> str:
    """A time as the selectors write it, 2022-01-31T12:00:00Z, for people."""
    return desk.utc(datetime.fromisoformat(text))


@register.filter
def signed_percent(value: float | None) -> str:
    """A return in a cell that has no room for an arrow: +1.20 %."""
    text = desk.percent(value)
    return f"+{text}" if value and value > 0 and any(digit in "123456789" for digit in text) else text


@register.simple_tag
def difference(name: str, value: Any) -> str:
    """How far a figure is from the first run's: ratios in points of a percent."""
    found = desk.read_decimal(value)
    if found is None:
        return ""
    sign, size = ("+" if found > 0 else "−" if found < 0 else "±"), abs(found)
    kind = KINDS.get(name, "number")
    if kind == "percent":
        return f"{sign}{desk.number(size * 100, 2)} points"
    if kind == "seconds":
        return f"{sign}{desk.duration(size)}"
    return f"{sign}{desk.money(size) if kind == 'money' else desk.number(size, 0 if kind == 'count' else 2)}"


@register.filter
def price(value: Any) -> str:
    """A price with decimals by its size, as the chart's axis has them."""
    found = desk.read_decimal(value)
    return desk.quantity(value, 2 if found is None or abs(found) >= 100 else 4 if abs(found) >= 1 else 8)


@register.filter
def setting_label(name: str) -> str:
    """A setting's dotted name as words: fees.maker_bps is Fees: maker bps; a parameter stands by itself."""
    section, _, own = name.rpartition(".")
    label = own.replace("_", " ")
    return f"{section.capitalize()}: {label}" if section not in ("", "params") else label.capitalize()
