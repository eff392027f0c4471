"""The sandbox says each word of each list, where the venue would say it, and the desk makes of it what the table says."""

from __future__ import annotations

from typing import Any

import pytest

from market.exchanges.vocabulary import VOCABULARY
from market.exchanges.vocabulary.words import Enumeration
from tests.market.exchanges.mutation.recording import record_calls
from tests.market.exchanges.venues import Desk, Venue
from tests.vocabulary import binance_says, coinbase_says
from tests.vocabulary.stage import list_sent, open_stage

TELLERS = {"binance": binance_says.TELLERS, "coinbase": coinbase_says.TELLERS}
SAID = [(venue, each) for venue, lists in VOCABULARY.items() for each in lists if each.name in TELLERS[venue]]
UNSAID = [(venue, each) for venue, lists in VOCABULARY.items() for each in lists if each.name not in TELLERS[venue]]
NUMBERS = ("HTTP status", "candle interval", "granularity")
"""Of these a word that nobody has heard of cannot be said."""


@pytest.mark.parametrize(("venue", "words"), SAID, ids=[f"{venue} {each.name}" for venue, each in SAID])
async def test_the_desk_makes_of_each_word_what_the_table_says(desk: Desk, venue: Venue, words: Enumeration[Any]) -> None:
    unheard = {} if words.name in NUMBERS else {"UNHEARD_OF": words.otherwise or "not read"}
    async with open_stage(desk, venue) as stage:
        for tell in TELLERS[venue][words.name]:
            told = {word: await tell(stage, word) for word in {**words.words, **unheard}}
            assert told == {**words.words, **unheard}


@pytest.mark.parametrize(("venue", "words"), UNSAID, ids=[f"{venue} {each.name}" for venue, each in UNSAID])
def test_what_the_venue_cannot_say_is_sent_as_the_table_says(venue: Venue, words: Enumeration[Any]) -> None:
    parameter = words.where.split("`")[-2].rpartition(".")[2].removesuffix("[]")
    sent = list_sent(venue).get(parameter, set())
    assert {word for word, meaning in words.words.items() if meaning == "sent"} == sent & words.words.keys()
    assert set(words.words.values()) <= {"sent", "unsent", "unasked"}


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
async def test_the_desk_asks_for_none_of_what_is_never_asked_for(desk: Desk, venue: Venue) -> None:
    asked = {path for answers in (await record_calls(desk, venue)).calls.values() for path in answers}
    never = [each.where.split("`")[1] for each in VOCABULARY[venue] if "unasked" in each.words.values()]
    assert len(never) > 2
    assert len(asked) > 10
    assert not asked & set(never)
