"""docs/reference/venues.md, from the table in market/exchanges/vocabulary: `python -m tests.vocabulary.page [--write]`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from market.exchanges.registry import VENUES
from market.exchanges.vocabulary import VOCABULARY
from market.exchanges.vocabulary.words import Enumeration
from tests.house.measures import CHECKOUT

PAGE = CHECKOUT / "docs" / "reference" / "venues.md"
COMMAND = "python -m tests.vocabulary.page --write"
HEAD = f"""# The words of the venues

Every documented value of every list in the present APIs of the venues, and what the desk makes of it. This page is written by
`{COMMAND}` from `market/exchanges/vocabulary/`, where the adapters have their words from; a test holds the two equal.

- Words marked with an asterisk (\\*) are **not verified**: they stand in no official text that was seen, but others have met or
  listed them.
- *any other* is what a word is taken for that the venue adds tomorrow. Where it says *not read*, what bears the word is kept as it
  came, told and counted, and nothing is concluded from it.
- *unread*: it comes with what the desk reads, and changes nothing. *unsent*: it is for requests, and the desk sends none of it.
  *unasked*: it stands in answers that the desk never asks for.
- Errors: *passing* ones pass by themselves, *lasting* ones get the same answer again, *ours* need a change of this program, and a
  *person* has to see to the key, the account or the money. *unsettled*: the venue does not know what became of the request, so it
  is asked. *limit*: nobody sends for a while. *busy*: nothing happened, and it is tried again after a while. *clock*: our clock is
  set anew. *key*: the key is not taken. *over*: the order is over, or was never there. *duplicate*: an order has this id already,
  and is looked up.

Each list is a case of `tests/vocabulary/test_words.py`, named behind *test*: the sandbox says each of its words where the venue
would, one that nobody has heard of among them, and the desk has to make of it what stands here. Of what is unsent or unasked, the
requests are looked through.

What official packages carry beyond this page is told by `python -m tests.vocabulary`, which installs them apart."""


def write_page() -> str:
    parts = [HEAD]
    for venue, lists in VOCABULARY.items():
        parts.append(f"## {VENUES[venue].label}")
        parts += [describe_list(venue, each) for each in lists]
    return "\n\n".join(parts) + "\n"


def describe_list(venue: str, words: Enumeration[Any]) -> str:
    return "\n\n".join(
        [
            f"### {VENUES[venue].label}: {words.name}",
            f"Where: {words.where}. {words.does} Source: {words.source.title}, {words.source.version}. "
            f"Test: `{venue} {words.name}`.",
            "| for the desk | words |\n|---|---|\n" + "\n".join(describe_rows(words)),
        ]
    )


def describe_rows(words: Enumeration[Any]) -> list[str]:
    """A row for each meaning, with the words of the venue that have it."""
    rows: dict[str, list[str]] = {}
    for word, meaning in words.words.items():
        rows.setdefault(meaning, []).append(describe_word(words, word))
    if "unasked" not in rows:
        rows.setdefault(words.otherwise or "not read", []).append("*any other*")
    return [f"| {meaning} | {', '.join(told)} |" for meaning, told in rows.items()]


def describe_word(words: Enumeration[Any], word: str) -> str:
    note = words.notes.get(word, "")
    return f"`{word}`" + ("\\*" if word in words.unverified else "") + (f" ({note})" if note else "")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.vocabulary.page", description="Write the page of the venues' words.")
    parser.add_argument("--write", action="store_true", help=f"write it to {Path(*PAGE.parts[-3:])}; without it, print it")
    if parser.parse_args(arguments).write:
        PAGE.write_text(write_page(), encoding="utf-8")
    else:
        print(write_page(), end="")


if __name__ == "__main__":
    main()
