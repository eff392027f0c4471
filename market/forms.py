"""The import form, and what a file's name tells about its candles."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings

from core.errors import Invalid
from core.symbols import QUOTES, symbol_normalise, venue_normalise
from engine.types import INTERVALS

VENUES = ("binance", "coinbase", "kraken", "bybit", "okx", "bitstamp", "bitfinex", "kucoin", "demo")
NAME = re.compile(
    rf"^(?:(?P<venue>{'|'.join(VENUES)})[-_ .])?"
    rf"(?P<base>[A-Z0-9]{{2,15}}?)(?P<dash>[-_]?)(?P<quote>{'|'.join(QUOTES)})"
    rf"[-_ .](?P<interval>1mo|{'|'.join(INTERVALS)})(?P<date>-\d{{4}}-\d{{2}}(?:-\d{{2}})?)?(?:[-_ .]|$)",
    re.IGNORECASE,
)


def guess_series(filename: str) -> dict[str, str]:
    """`venue`, `symbol` and `interval` as far as a file's name tells them: ADABTC-1m-2021-11-27.csv is Binance's, ADA-BTC, 1m."""
    found = NAME.match(filename.rsplit("/")[-1].rsplit("\\")[-1])
    if not found:
        return {}
    # Binance's public archive writes pairs without a dash, and the date at the end.
    archive = "binance" if found["date"] and not found["dash"] else ""
    venue = (found["venue"] or archive).lower()
    guessed = {"symbol": f"{found['base']}-{found['quote']}".upper(), "interval": read_interval(found["interval"])}
    return {"venue": venue, **guessed} if venue else guessed


def read_interval(text: str) -> str:
    """`1H` is 1h; but `1M` is a month and `1m` a minute. Binance's archive calls months `1mo`."""
    return "1M" if text == "1M" or text.lower() == "1mo" else text.lower()


class ImportForm(forms.Form):
    """A file of candles, and where it belongs. What is left empty is taken from the file's name."""

    file = forms.FileField(allow_empty_file=True, error_messages={"required": "Choose a file."})
    venue = forms.CharField(required=False, max_length=32)
    symbol = forms.CharField(required=False, max_length=32)
    interval = forms.ChoiceField(
        required=False,
        choices=[("", "From the file’s name"), *((name, name) for name in INTERVALS)],
        error_messages={"invalid_choice": f"Unknown interval. Use one of {', '.join(INTERVALS)}."},
    )
    skip_bad_rows = forms.BooleanField(required=False)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.IMPORT_MAX_BYTES:
            raise forms.ValidationError(
                f"The file has {file.size / 1e6:,.0f} MB; at most {settings.IMPORT_MAX_BYTES / 1e6:,.0f} MB are taken. "
                "Split it, or raise IMPORT_MAX_MB."
            )
        return file

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        guessed = guess_series(given["file"].name or "") if given.get("file") else {}
        for name, normalise in (("venue", venue_normalise), ("symbol", symbol_normalise), ("interval", str)):
            self.fill(given, name, normalise, guessed)
        return given

    def fill(self, given: dict[str, Any], name: str, normalise: Any, guessed: dict[str, str]) -> None:
        if name in self.errors or "file" in self.errors:
            return
        if not (value := given.get(name) or guessed.get(name, "")):
            self.add_error(name, f"The file’s name does not tell the {name}. Give it here.")
            return
        try:
            given[name] = normalise(value)
        except Invalid as error:
            self.add_error(name, str(error))
