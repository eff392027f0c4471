"""Tables for spreadsheets, as CSV."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from io import StringIO
from typing import Any

FORMULA = re.compile(r"[=+\-@\t\r]")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def csv_line(values: Sequence[Any]) -> str:
    """One line of CSV. A leading quote keeps a text from being read as a formula by a spreadsheet; a number stays one."""
    out = StringIO()
    csv.writer(out).writerow([quote_formula(value) if isinstance(value, str) else value for value in values])
    return out.getvalue()


def quote_formula(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text
