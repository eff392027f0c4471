"""The venues' own words: every documented value of every list in their present APIs, and what the desk makes of it.

The adapters read words by this table, `docs/reference/venues.md` is written from it, and tests make the sandbox say each word.
"""

from __future__ import annotations

from typing import Any

from market.exchanges.vocabulary import binance, binance_errors, coinbase, coinbase_errors
from market.exchanges.vocabulary.words import Enumeration

VOCABULARY: dict[str, tuple[Enumeration[Any], ...]] = {
    "binance": (*binance.ENUMERATIONS, *binance_errors.ENUMERATIONS),
    "coinbase": (*coinbase.ENUMERATIONS, *coinbase_errors.ENUMERATIONS),
}
