"""Numbers of the columns as the interfaces write them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from core import text


def float_text(number: float) -> str | None:
    """As `core.text.float_text`; None for NaN and infinities."""
    return text.float_text(number) if math.isfinite(number) else None


def float_texts(numbers: Iterable[Any]) -> list[str | None]:
    return [float_text(number) for number in numbers]


def time_texts(milliseconds: Any) -> list[str]:
    """Open times (whole seconds) as `2022-01-31T05:30:00Z`; ten times faster than one by one."""
    texts: list[str] = np.datetime_as_string(np.asarray(milliseconds, dtype="datetime64[ms]"), unit="s").tolist()
    return [f"{text}Z" for text in texts]


def finite_ratio(number: float) -> float | None:
    """A plain number; None for NaN."""
    value = float(number)
    return value if math.isfinite(value) else None
