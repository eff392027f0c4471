"""How venues, symbols and intervals are written here. Every way in normalises through these."""

from __future__ import annotations

import re

from core.errors import Invalid

SYMBOL = re.compile(r"[A-Z0-9]{1,15}-[A-Z0-9]{1,15}")
VENUE = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
QUOTES = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USD", "EUR", "GBP", "TRY", "BTC", "ETH", "BNB")


def symbol_normalise(raw: str) -> str:
    """`btc/usd`, `BTC_USD` and `BTC-USD` are all `BTC-USD`. `Invalid` at `symbol` for what cannot be one."""
    symbol = re.sub(r"[/_]", "-", str(raw).strip()).upper()
    if SYMBOL.fullmatch(symbol):
        return symbol
    raise Invalid.at(
        "symbol", f"{str(raw)[:40]!r} is not a symbol. Write base and quote with a dash, such as {_guess_symbol(symbol)}."
    )


def venue_normalise(raw: str) -> str:
    """Venue names are small letters, digits, dash and underscore: `binance`. `Invalid` at `venue` otherwise."""
    venue = str(raw).strip().lower()
    if VENUE.fullmatch(venue):
        return venue
    raise Invalid.at("venue", f"{str(raw)[:40]!r} is not a venue's name. Use letters, digits, '-' and '_', such as binance.")


def _guess_symbol(symbol: str) -> str:
    """BTCUSDT -> BTC-USDT where it ends in a well-known quote, else the example everybody knows."""
    for quote in QUOTES:
        if (base := symbol.removesuffix(quote)) != symbol and SYMBOL.fullmatch(f"{base}-{quote}"):
            return f"{base}-{quote}"
    return "BTC-USD"
