"""Venue keys: where prices come from, in one word. `binance` is the real venue; `binance-sandbox` and `binance-testnet` are not,
and their candles, instruments and bots never mix with those of `binance`.

Which venues there are is told by `market/exchanges/registry.py`."""

from __future__ import annotations

LIVE = "live"
ENVIRONMENTS = ("sandbox", "testnet")


def venue_key(venue: str, environment: str) -> str:
    return venue if environment == LIVE else f"{venue}-{environment}"


def venue_split(key: str) -> tuple[str, str]:
    """`binance-sandbox` -> (`binance`, `sandbox`); `binance` -> (`binance`, `live`)."""
    venue, dash, environment = key.rpartition("-")
    return (venue, environment) if dash and environment in ENVIRONMENTS else (key, LIVE)
