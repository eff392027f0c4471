"""Numbers of the columns as the interfaces write them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np


def decimal_text(number: float) -> str | None:
    """The shortest text that reads back to the same float, in decimal notation; None for NaN."""
    text = repr(float(number))
    if "e" in text:
        text = str(np.format_float_positional(number, trim="-"))
    elif text.endswith(".0"):
        text = text[:-2]
    return None if text in {"nan", "inf", "-inf"} else text


def decimal_texts(numbers: Iterable[Any]) -> list[str | None]:
    return [decimal_text(number) for number in numbers]


def ratio(number: float) -> float | None:
    """A plain number; None for NaN."""
    value = float(number)
    return value if math.isfinite(value) else None
