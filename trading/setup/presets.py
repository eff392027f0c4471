"""Bots to begin with: what they do in a sentence, and how they are set up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    name: str
    title: str
    text: str
    config: Mapping[str, Any]


PRESETS = (
    Preset(
        "trend",
        "Trend by the hour",
        "Buys when a fast average crosses above a slow one, with a stop below. Loses a little often, wins in long moves.",
        {
            "strategy": "ema_cross",
            "interval": "1h",
            "sizing": {"kind": "fraction", "value": 0.5},
            "exits": {"stop_loss": 0.05},
            "risk": {"daily_loss": 50},
        },
    ),
    Preset(
        "reversion",
        "Dips on fifteen minutes",
        "Buys what has fallen fast and sells the rebound. Wins small and often; the stop limits what a slide costs.",
        {
            "strategy": "rsi_reversion",
            "interval": "15m",
            "sizing": {"kind": "fraction", "value": 0.25},
            "exits": {"stop_loss": 0.03, "take_profit": 0.04},
            "risk": {"daily_loss": 30},
        },
    ),
    Preset(
        "grid",
        "A grid for quiet markets",
        "Buys at steps below and sells at steps above. Earns while the price goes sideways, holds what fell when it does not.",
        {"strategy": "grid", "interval": "5m", "risk": {"daily_loss": 50}},
    ),
    Preset(
        "saver",
        "Buy a little, regularly",
        "Spends a fixed amount at fixed times, whatever the price.",
        {"strategy": "dca", "interval": "1h"},
    ),
)


def preset_named(name: str) -> Preset | None:
    return next((one for one in PRESETS if one.name == name), None)
