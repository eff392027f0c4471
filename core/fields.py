"""Reads an untrusted mapping field by field, and gathers every fault with its dotted name and remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from core.errors import Invalid

DIGITS = 18
"""How many decimal places money and quantities are kept with."""
EXACT = Context(prec=60)
FLAGS = {"true": True, "True": True, "on": True, "1": True, "false": False, "False": False, "off": False, "0": False}
DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what stands after them: with them a name can be made to look like another one."""


class Fields:
    """One level of a mapping. Readers answer the value, or the default if the field is absent or faulty. `close()` adds a fault for
    each name that nobody asked for, and `refuse()` raises `Invalid` if there was any fault here or in a section."""

    def __init__(self, raw: Any, path: str = "", faults: dict[str, list[str]] | None = None) -> None:
        self.path = path
        self.faults: dict[str, list[str]] = {} if faults is None else faults
        self.known: list[str] = []
        self.raw: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        if not isinstance(raw, Mapping):
            self.faults[path or "config"] = ["must be an object of names and values."]

    def fault(self, name: str, message: str) -> None:
        self.faults.setdefault(f"{self.path}.{name}" if self.path else name, []).append(message)

    def take(self, name: str, default: Any = None) -> Any:
        """The raw value. Null and empty text count as absent."""
        self.known.append(name)
        value = self.raw.get(name)
        return default if value is None or (isinstance(value, str) and not value.strip()) else value

    def section(self, name: str) -> Fields:
        return Fields(self.take(name, {}), f"{self.path}.{name}" if self.path else name, self.faults)

    def text(self, name: str, default: str = "", *, longest: int = 200) -> str:
        value = self.take(name, default)
        if not isinstance(value, str):
            self.fault(name, f"must be text; got {show_value(value)}.")
        elif len(value) > longest:
            self.fault(name, f"must have at most {longest} characters; it has {len(value)}.")
        elif "\x00" in value:
            self.fault(name, "must not contain the null character.")
        elif DIRECTIONS & set(value):
            self.fault(name, "must not contain characters that turn the direction of the text.")
        else:
            return value.strip()
        return default

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        value = self.take(name, default)
        if value in choices:
            return str(value)
        self.fault(name, f"must be one of {', '.join(choices)}; got {show_value(value)}.{did_you_mean(value, choices)}")
        return default

    def decimal(
        self,
        name: str,
        default: Decimal | int | str = 0,
        *,
        low: Decimal | int | str = 0,
        high: Decimal | int | str,
        above_low: bool = False,
        below_high: bool = False,
    ) -> Decimal:
        """A finite number from `low` to `high` (either of them excluded on request), to DIGITS places."""
        value = self.take(name, default)
        low, high = Decimal(low), Decimal(high)
        number = finite_decimal(value)
        if number is not None:
            number = EXACT.quantize(number, Decimal(1).scaleb(-DIGITS)).normalize(EXACT) + 0
        if number is None:
            self.fault(name, f"must be a number; got {show_value(value)}.")
        elif number < low or (above_low and number == low):
            self.fault(name, f"must be {'above' if above_low else 'at least'} {low:f}; got {show_value(value)}.")
        elif number > high or (below_high and number == high):
            self.fault(name, f"must be {'below' if below_high else 'at most'} {high:f}; got {show_value(value)}.")
        else:
            return number
        return Decimal(default)

    def ratio(self, name: str, default: float = 0.0, *, low: float = 0, high: float = 1, above_low: bool = False) -> float:
        return float(self.decimal(name, str(default), low=str(low), high=str(high), above_low=above_low))

    def integer(self, name: str, default: int = 0, *, low: int = 0, high: int) -> int:
        value = self.take(name, default)
        number = finite_decimal(value)
        if number is None or number != number.to_integral_value():
            self.fault(name, f"must be a whole number; got {show_value(value)}.")
        elif not low <= number <= high:
            self.fault(name, f"must be from {low} to {high}; got {show_value(value)}.")
        else:
            return int(number)
        return default

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false, or the words that forms send for them."""
        value = self.take(name, default)
        if isinstance(value, bool) or (isinstance(value, str) and value in FLAGS):
            return FLAGS.get(value, False) if isinstance(value, str) else value
        self.fault(name, f"must be true or false; got {show_value(value)}.")
        return default

    def moment(self, name: str) -> datetime | None:
        """A date or a time in ISO-8601, in UTC if it does not say. A date is its first moment."""
        value = self.take(name)
        if value is None or isinstance(value, datetime):
            return value
        try:
            parsed = datetime.fromisoformat(value.strip())
            return (parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed).astimezone(UTC)
        except (AttributeError, TypeError, ValueError, OverflowError):
            self.fault(name, f"must be a date like 2022-01-31 or a time like 2022-01-31T12:00:00Z; got {show_value(value)}.")
            return None

    def merge(self, error: Invalid, name: str) -> None:
        """Takes over the faults of another reader. Those that it put at no field are put at `name`."""
        for field, messages in (error.fields or {name: [str(error)]}).items():
            for message in messages:
                self.fault(field, message)

    def close(self) -> None:
        for name in self.raw:
            if name not in self.known:
                hint = did_you_mean(name, self.known) or f" Known are {', '.join(self.known)}."
                self.fault(str(name)[:80], f"is not a setting here.{hint}")

    def refuse(self, message: str) -> None:
        if self.faults:
            raise Invalid(message, fields=self.faults)


def finite_decimal(value: Any) -> Decimal | None:
    """`value` as an exact number of a believable size, or else None. A float stands for its shortest text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal) or len(str(value)) > 64:
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() and number.adjusted() < 32 else None


def show_value(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def did_you_mean(value: Any, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` with a leading space, or nothing."""
    near = difflib.get_close_matches(str(value), list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
