"""Books that beancount has booked: a stored sample of them. All: `python -m tests.wallets.lots.oracle`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wallets.lots.oracle.__main__ import SAMPLE
from tests.wallets.lots.oracle.books import METHODS, answer_books

ROWS = json.loads(SAMPLE.read_text())


def test_the_sample_is_worth_comparing() -> None:
    assert sum(len(row[method]["gains"]) for row in ROWS for method in METHODS) > 100
    assert any(row["fifo"] != row["hifo"] != row["lifo"] for row in ROWS)


@pytest.mark.parametrize("method", METHODS)
def test_gains_and_open_lots_are_those_of_beancount(method: str) -> None:
    def differ(row: dict[str, Any]) -> bool:
        return bool(answer_books([tuple(step) for step in row["steps"]], method) != row[method])

    assert [row["steps"] for row in ROWS if differ(row)] == []
