"""The honesty part of a run's results, in the words of its band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from market.templatetags import desk


@dataclass(frozen=True, slots=True)
class Check:
    """`kind`: ok, warn, bad, or empty for what is only said. `mark` says the same without the colour."""

    name: str
    kind: str
    finding: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Band:
    kind: str
    headline: str
    notices: list[dict[str, str]]
    checks: list[Check]


KINDS = {"danger": "bad", "warning": "warn", "info": "info"}
MEANINGS = {
    "look_ahead": "The strategy is asked again with the end of the candles cut off. What it said about a candle must not change.",
    "warmup": "Candles that must have closed before the indicators mean anything. Signals before that are ignored.",
    "gaps": "Candles missing inside the span. The run trades across them as if nothing had happened.",
    "best_three": "How much of the profit three trades made. Near or above 100 %, the rest of the strategy earned nothing.",
    "costs": "The same run with fees and slippage doubled. An edge that does not survive this is thin.",
}


def checks(found: Mapping[str, Any], results: Mapping[str, Any]) -> Band:
    notices = [{**one, "kind": KINDS[one["level"]]} for one in found["warnings"]]
    kinds = {one["kind"] for one in notices}
    kind = "bad" if "bad" in kinds else "warn" if "warn" in kinds else "ok"
    told = [look_ahead(found["look_ahead"]), warmup(found["warmup"]), gaps(found["gaps"]), best_three(found), costs(found, results)]
    return Band(kind, headline(kind, notices), notices, told)


def headline(kind: str, notices: list[dict[str, str]]) -> str:
    if kind == "bad":
        return "Do not trust this result"
    if kind == "warn":
        count = sum(one["kind"] == "warn" for one in notices)
        return f"{count} {'warning' if count == 1 else 'warnings'}: read before you trust this result"
    return "No check found a fault. That is no promise: past prices are all it has seen"


def look_ahead(found: Mapping[str, Any]) -> Check:
    if found["verdict"] == "clean":
        finding = f"Clean: {found['prefixes']} shortened histories gave the same signals"
        return Check("Look-ahead", "ok", finding, MEANINGS["look_ahead"])
    return Check("Look-ahead", "bad", "Caught: the strategy sees the future", MEANINGS["look_ahead"])


def warmup(found: Mapping[str, Any]) -> Check:
    ignored = found["signals_ignored"]
    signals = f"; {ignored:,} {'signal' if ignored == 1 else 'signals'} before it ignored" if ignored else ""
    finding = f"{found['candles']:,} candles{signals}"
    return Check("Warm-up", "warn" if found["unknown_after"] else "ok", finding, MEANINGS["warmup"])


def gaps(found: list[Mapping[str, Any]]) -> Check:
    missing, count = sum(one["missing"] for one in found), sum(one["count"] for one in found)
    finding = f"{missing:,} candles missing in {count:,} {'gap' if count == 1 else 'gaps'}" if missing else "None in the span"
    return Check("Data gaps", "warn" if missing else "ok", finding, MEANINGS["gaps"])


def best_three(found: Mapping[str, Any]) -> Check:
    share = found["best_three_trades_share"]
    if share is None:
        return Check("Best three trades", "", "No profit to share out", MEANINGS["best_three"])
    concentrated = any(one["code"] == "profit_concentrated" for one in found["warnings"])
    return Check("Best three trades", "warn" if concentrated else "ok", f"Made {share:.0%} of the profit", MEANINGS["best_three"])


def costs(found: Mapping[str, Any], results: Mapping[str, Any]) -> Check:
    doubled = found["cost_sensitivity"]["total_return"]
    finding = f"{sign(doubled)} instead of {sign(results['total_return'])}"
    fragile = any(one["code"] == "fragile_to_costs" for one in found["warnings"])
    return Check("At double costs", "warn" if fragile else "ok" if (doubled or 0) > 0 else "", finding, MEANINGS["costs"])


def sign(ratio: float | None) -> str:
    return "unknown" if ratio is None else ("+" if ratio > 0 else "") + str(desk.percent(ratio))
