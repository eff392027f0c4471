"""`python -m tests.wallets.lots.oracle [BOOKS]`: installs beancount apart, and compares as many made-up books (500) by each method.
`--store` writes the sample that runs every time anew."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings

from tests.wallets.lots.oracle.books import METHODS, Step, answer_books, make_books, write_books
from tests.wallets.lots.oracle.peer import open_beancount

SAMPLE, SAMPLED = Path(__file__).with_name("sample.json"), 40


def compare_books(ask: Callable[[str], dict[str, Any]], books: int) -> None:
    """Fails with the smallest books that differ."""

    @given(make_books())
    @settings(max_examples=books, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    def compare(steps: list[Step]) -> None:
        for method in METHODS:
            theirs = ask(write_books(steps, method))
            theirs.pop("seconds")
            assert answer_books(steps, method) == theirs, method

    compare()


def store_sample(ask: Callable[[str], dict[str, Any]]) -> None:
    """Some books with what beancount made of them; the fuller ones say more."""
    found: list[list[Step]] = []

    @given(make_books(most=12))
    @settings(max_examples=SAMPLED * 10, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def gather(steps: list[Step]) -> None:
        found.append(steps)

    gather()
    fullest = sorted(found, key=len, reverse=True)[:SAMPLED]
    rows = []
    for steps in fullest:
        answers = {method: ask(write_books(steps, method)) for method in METHODS}
        rows.append({"steps": steps, **{name: {"gains": one["gains"], "lots": one["lots"]} for name, one in answers.items()}})
    SAMPLE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("books", nargs="?", type=int, default=500)
    asked.add_argument("--store", action="store_true")
    given_ = asked.parse_args()
    with open_beancount() as ask:
        if given_.store:
            store_sample(ask)
        compare_books(ask, given_.books)
    print(f"{given_.books} books by {', '.join(METHODS)}: the same gains and open lots as beancount.")


if __name__ == "__main__":
    main()
