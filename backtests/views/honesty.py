"""The honesty part of a run's results, in the words of its band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from market.templatetags import desk


@dataclass(frozen=True, slots=True)
class HonestyCheck:
    """`kind`: ok, warn, bad, or empty for a finding that is neither good nor bad."""

    name: str
    kind: str
    finding: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Band:
    kind: str
    headline: str
    notices: list[dict[str, str]]
    checks: list[HonestyCheck]


KINDS = {"danger": "bad", "warning": "warn", "info": "info"}
MEANINGS = {
    "look_ahead": "The strategy is asked again with the end of the candles cut off. What it said about a candle must not change.",
    "warmup": "Candles that must have closed before the indicators mean anything. Signals before that are ignored.",
    "gaps": "Candles missing inside the span. The run trades across them as if nothing had happened.",
    "best_three": "How much of the profit three trades made. Near or above 100 %, the rest of the strategy earned nothing.",
    "costs": "The same run with fees and slippage doubled. An edge that does not survive this is thin.",
}


def honesty_band(found: Mapping[str, Any], results: Mapping[str, Any]) -> Band:
    notices = [{**one, "kind": KINDS[one["level"]]} for one in found["warnings"]]
    kinds = {one["kind"] for one in notices}
    kind = "bad" if "bad" in kinds else "warn" if "warn" in kinds else "ok"
    made = [
        check_look_ahead(found["look_ahead"]),
        check_warmup(found["warmup"]),
        check_gaps(found["gaps"]),
        check_best_three(found),
        check_costs(found, results),
    ]
    return Band(kind, band_headline(kind, notices), notices, made)


def band_headline(kind: str, notices: list[dict[str, str]]) -> str:
    if kind == "bad":
        return "Do not trust this result"
    if kind == "warn":
        count = sum(one["kind"] == "warn" for one in notices)
        return f"{count} {'warning' if count == 1 else 'warnings'}: read before you trust this result"
    return "No check found a fault. That is no promise: past prices are all it has seen"


def check_look_ahead(found: Mapping[str, Any]) -> HonestyCheck:
    if found["verdict"] == "clean":
        finding = f"Clean: {found['prefixes']} shortened histories gave the same signals"
        return HonestyCheck("Look-ahead", "ok", finding, MEANINGS["look_ahead"])
    return HonestyCheck("Look-ahead", "bad", "Caught: the strategy sees the future", MEANINGS["look_ahead"])


def check_warmup(found: Mapping[str, Any]) -> HonestyCheck:
    ignored = found["signals_ignored"]
    signals = f"; {ignored:,} {'signal' if ignored == 1 else 'signals'} before it ignored" if ignored else ""
    finding = f"{found['candles']:,} candles{signals}"
    return HonestyCheck("Warm-up", "warn" if found["unknown_after"] else "ok", finding, MEANINGS["warmup"])


def check_gaps(found: list[Mapping[str, Any]]) -> HonestyCheck:
    missing, count = sum(one["missing"] for one in found), sum(one["count"] for one in found)
    finding = f"{missing:,} candles missing in {count:,} {'gap' if count == 1 else 'gaps'}" if missing else "None in the span"
    return HonestyCheck("Data gaps", "warn" if missing else "ok", finding, MEANINGS["gaps"])


def check_best_three(found: Mapping[str, Any]) -> HonestyCheck:
    share = found["best_three_trades_share"]
    if share is None:
        return HonestyCheck("Best three trades", "", "No profit to share out", MEANINGS["best_three"])
    concentrated = any(one["code"] == "profit_concentrated" for one in found["warnings"])
    return HonestyCheck(
        "Best three trades", "warn" if concentrated else "ok", f"Made {share:.0%} of the profit", MEANINGS["best_three"]
    )


def check_costs(found: Mapping[str, Any], results: Mapping[str, Any]) -> HonestyCheck:
    doubled = found["cost_sensitivity"]["total_return"]
    finding = f"{signed_percent(doubled)} instead of {signed_percent(results['total_return'])}"
    fragile = any(one["code"] == "fragile_to_costs" for one in found["warnings"])
    return HonestyCheck("At double costs", "warn" if fragile else "ok" if (doubled or 0) > 0 else "", finding, MEANINGS["costs"])


def signed_percent(ratio: float | None) -> str:
    return "unknown" if ratio is None else ("+" if ratio > 0 else "") + str(desk.percent(ratio))
