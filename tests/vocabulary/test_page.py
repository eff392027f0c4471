"""The page is what the table says, and the table has all that the installed packages of the venues carry."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from market.exchanges.vocabulary import VOCABULARY
from tests.vocabulary.packages import READERS, find_missing
from tests.vocabulary.page import COMMAND, PAGE, write_page


def test_the_page_is_written_from_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == write_page(), f"Run `{COMMAND}`."


@pytest.mark.parametrize("package", ["python-binance", "coinbase-advanced-py"])
def test_the_table_lacks_nothing_that_the_venue_s_package_carries(package: str) -> None:
    found = list(READERS[package](Path(sysconfig.get_path("purelib"))))
    assert len(set(found)) >= {"python-binance": 50, "coinbase-advanced-py": 18}[package]
    assert not find_missing(found)


def test_each_list_stands_once_and_marks_words_of_its_own() -> None:
    for venue, lists in VOCABULARY.items():
        assert len({each.name for each in lists}) == len(lists), venue
        for each in lists:
            assert each.unverified <= each.words.keys() >= each.notes.keys(), each.name
