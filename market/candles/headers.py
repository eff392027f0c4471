"""Which column of a file is which, by the names that venues, charts and notebooks give their columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from core.errors import Invalid

PRICES = ("open", "high", "low", "close")
VALUES = (*PRICES, "volume")
TIMES = (
    *("open_time", "timeopen", "time_open", "timestamp", "unix_timestamp", "unix", "time", "datetime", "date"),
    *("start", "start_time", "t", "ts", "index", "index_level_0", ""),
)
"""Names of the column of open times. If a file has several of them, the first in this list counts. The last three are those of an
index that pandas wrote without a name of its own."""
SHOWN = 20

LAYOUTS = {
    5: ("CSV", ("time", *PRICES)),
    6: ("CSV", ("time", *VALUES)),
    7: ("Kraken CSV", ("time", *VALUES, "trades")),
    8: ("Kraken CSV", ("time", "open", "high", "low", "close", "vwap", "volume", "trades")),
    12: ("Binance CSV", ("open_time", *VALUES, *(f"_{index}" for index in range(6)))),
}
"""Files without a header, by their number of columns: the plain forms, Kraken's archive and answers, Binance's archive. Rows of
another order do not pass as candles, because their high and low do not enclose open and close."""


def find_columns(names: Sequence[str], base: str = "") -> dict[str, int]:
    """The positions of the time, the prices and, if there is one, the volume, whatever their case. `base` is the asset of the
    symbol: files that count the volume in both assets name it in the column. `Invalid` at `file` names those that are missing."""
    known = {simplify_name(name): index for index, name in reversed(list(enumerate(names)))}
    wanted = {"time": TIMES, **{name: tuple(_list_names(name, base)) for name in VALUES}}
    found = {field: next((known[name] for name in choices if name in known), None) for field, choices in wanted.items()}
    if missing := [field for field, index in found.items() if index is None and field != "volume"]:
        there = ", ".join(str(name)[:40] for name in names[:SHOWN])
        lacks = [" or ".join(filter(None, TIMES)) if field == "time" else field for field in missing]
        raise Invalid.at("file", f"The file lacks the column {', '.join(lacks)}. It has {there}.")
    chosen = {field: index for field, index in found.items() if index is not None}
    if twice := [str(names[index]) for index in chosen.values() if list(names).count(names[index]) > 1]:
        raise Invalid.at("file", f"The file has two columns named {twice[0][:40]}. Rename or leave out one of them.")
    return chosen


def note_volume(names: Sequence[str], chosen: Mapping[str, object]) -> list[str]:
    """What a person should know where a file has no volume in the symbol's base."""
    if "volume" in chosen:
        return []
    others = [str(name)[:40] for name in names if simplify_name(name).startswith("vol")]
    passed = f" {', '.join(others)} was passed over, as it is not in the symbol's base." if others else ""
    return [f"The file has no volume, so that it is unknown: what needs it refuses these candles.{passed}"]


def simplify_name(name: object) -> str:
    """`Open time`, `"open_time"` and `OPEN-TIME` are one name, and so are `Volume BTC` and `Volume_(BTC)`."""
    return re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_")


def _list_names(field: str, base: str) -> Iterator[str]:
    if field == "volume" and base:
        yield f"volume_{base.lower()}"
    yield field
    if field == "volume":
        yield "vol"
    yield field[0]


def suggest_header(columns: int) -> str:
    """A first line for a file of that many columns, five at least; the reader passes over those that it does not know."""
    named = ("time", *VALUES)[:columns]
    return ",".join((*named, *(f"other_{number}" for number in range(1, columns - len(named) + 1))))
