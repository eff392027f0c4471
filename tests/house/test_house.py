"""The house keeps its shape: rooms that import one way, short functions, names of more than one word, one class for one word.

`make measure` prints all figures. A failure names what is over the line, and where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

import pytest

from tests.house.imports import Import, find_cycles, find_pairs, group_by_rooms, make_graph
from tests.house.measures import (
    CHECKOUT,
    MANY_METHODS,
    House,
    count_rooms,
    find_ninth_tenth,
    list_ignores,
    list_large,
)
from tests.house.sources import Class, list_classes, read_modules
from tests.house.words import find_repeated, group_by_name, list_one_word, list_participles, split_words

LARGEST_ROOM, ONE_WORD, PARTICIPLES = 0.27, 0.25, 0.01
"""Shares that have to stay below these: of all lines, of module-level functions, of all functions."""
FUNCTION_LINES, IGNORES, REPEATED = 15, 20, 10

LARGE = {
    "backtests.admin.BacktestRunAdmin": "Django's admin asks for a method for each column, panel and right",
    "engine.live.trader.Trader": "the driver of a bot: a method for each thing that the desk or a venue tells it, or asks of it",
    "engine.live.trader_state.TraderState": "one bot's memory: small questions of its tables that all parts of the driver ask",
    "market.exchanges.base.Exchange": "the port: a method for each thing that a venue can be asked",
    "market.exchanges.binance.adapter.Binance": "fills the port, a method for each of its own",
    "market.exchanges.coinbase.adapter.Coinbase": "fills the port, a method for each of its own",
    "trading.live.market_state.MarketState": "one venue's market: a small question or note for each thing that bots need of it",
}
"""Classes that may have more methods than others, and why."""

WORDS = CHECKOUT / "docs" / "reference" / "words.md"
DOCUMENTED = set(re.findall(r"`([A-Z][A-Za-z]+)`", WORDS.read_text(encoding="utf-8")))
"""Classes that the page of words names."""

GLOSSARY = DOCUMENTED | split_words(
    """
    Intent OrderCommand VenueOrder RestingExit TraderState Snapshot Lease DesiredState PriceLevel Market Limits Book Desk Layout
    Plan Level Order Fill Position Trader Run Bot Instrument Candle Report
    """
)
"""Words that mean one thing, so one class at most has such a name."""

HOUSE = House(CHECKOUT)


def check(kept: bool, title: str, offenders: Iterable[str]) -> None:
    """Fail with the places alone, without pytest's view of the comparison."""
    if not kept:
        pytest.fail("\n  ".join([title, *offenders]), pytrace=False)


def show_share(part: int, whole: int) -> str:
    return f"{part} of {whole}, {part / whole:.1%}"


def show_classes(named: dict[str, list[Class]]) -> list[str]:
    """One line a name, with all its places."""
    return [f"{name}: {', '.join(one.module.place(one.node.lineno) for one in used)}" for name, used in sorted(named.items())]


@cache
def list_edges() -> dict[tuple[str, str], list[Import]]:
    return group_by_rooms(HOUSE.imports)


def show_weaker(pair: tuple[str, str]) -> list[str]:
    """The imports of the direction that has fewer of them: the way back."""
    there, back = list_edges()[pair], list_edges()[pair[::-1]]
    fewer = min(there, back, key=len)
    return [f"{' <-> '.join(pair)}: {len(there)} there, {len(back)} back", *(f"  {one.place}" for one in fewer)]


def show_cycle(cycle: list[str]) -> list[str]:
    inside = [one for one in HOUSE.imports if one.module.name in cycle and one.target in cycle]
    return [" <-> ".join(cycle), *(f"  {one.place}" for one in inside)]


def test_no_two_packages_import_each_other() -> None:
    pairs = find_pairs(list_edges())
    check(not pairs, "Packages that import each other:", (line for pair in pairs for line in show_weaker(pair)))


def test_modules_import_in_no_circle_even_for_types() -> None:
    cycles = find_cycles(make_graph(HOUSE.imports))
    check(not cycles, "Circles of imports:", (line for cycle in cycles for line in show_cycle(cycle)))


def test_no_room_is_much_larger_than_the_others() -> None:
    rooms = count_rooms(CHECKOUT)
    total = sum(rooms.values())
    large = [f"{name}: {show_share(lines, total)}" for name, lines in rooms.items() if lines >= LARGEST_ROOM * total]
    check(not large, f"Rooms of {LARGEST_ROOM:.0%} of all lines or more:", large)


def test_a_class_of_many_methods_has_a_reason() -> None:
    unknown = [f"{one.place}: {one.methods}" for one in list_large(HOUSE) if one.full_name not in LARGE]
    check(not unknown, f"Classes over {MANY_METHODS} methods that give no reason in LARGE:", unknown)


def test_a_reason_for_many_methods_is_still_needed() -> None:
    stale = sorted(LARGE.keys() - {one.full_name for one in list_large(HOUSE)})
    check(not stale, f"Reasons in LARGE for what is no class over {MANY_METHODS} methods:", stale)


def test_most_functions_say_what_they_do_to_what() -> None:
    found, all_of_them = list_one_word(HOUSE.functions), sum(one.owner == "module" for one in HOUSE.functions)
    title = f"Module-level functions of one word: {show_share(len(found), all_of_them)}; less than {ONE_WORD:.0%} is wanted:"
    check(len(found) < ONE_WORD * all_of_them, title, (one.place for one in found))


def test_functions_are_not_named_by_a_bare_participle() -> None:
    found = list_participles(HOUSE.functions)
    title = f"Named by one participle: {show_share(len(found), len(HOUSE.functions))}; less than {PARTICIPLES:.0%} is wanted:"
    check(len(found) < PARTICIPLES * len(HOUSE.functions), title, (one.place for one in found))


def test_functions_are_short() -> None:
    lines = find_ninth_tenth(one.lines for one in HOUSE.functions)
    long = sorted((one for one in HOUSE.functions if one.lines > FUNCTION_LINES), key=lambda one: -one.lines)
    title = f"A tenth of the functions has {lines} lines or more; {FUNCTION_LINES} are wanted. Over it:"
    check(lines <= FUNCTION_LINES, title, (f"{one.place}: {one.lines}" for one in long))


def test_types_are_ignored_in_few_places() -> None:
    found = list_ignores(HOUSE)
    check(len(found) < IGNORES, f"{len(found)} times `type: ignore`; less than {IGNORES} are wanted:", found)


def test_few_class_names_are_used_twice() -> None:
    found = find_repeated(HOUSE.classes)
    title = f"{len(found)} class names are used twice or more; less than {REPEATED} are wanted:"
    check(len(found) < REPEATED, title, show_classes(found))


def test_a_word_of_the_glossary_names_one_class() -> None:
    """Of the benchmarks' classes too: they are read beside the code."""
    beside = [one for module in read_modules(CHECKOUT, lambda path: path.parts[0] == "benchmarks") for one in list_classes(module)]
    named = group_by_name(one for one in (*HOUSE.classes, *beside) if one.name in GLOSSARY)
    found = {name: used for name, used in named.items() if len(used) > 1}
    check(not found, "Words of the glossary that name more than one class:", show_classes(found))


def test_the_classes_of_the_page_of_words_exist() -> None:
    missing = DOCUMENTED - {one.name for one in HOUSE.classes}
    assert not missing
