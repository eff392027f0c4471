"""How functions and classes are named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tests.house.sources import Class, Function


def split_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NO_PARTICIPLES = split_words("bed breed embed exceed feed need proceed red seed shed shred speed succeed")
"""They end in -ed all the same."""
IRREGULAR = split_words(
    """
    beaten begun bent bitten blown borne born bought bound broken brought built caught chosen dealt done drawn driven eaten fallen
    fed felt fled flown forbidden forgiven forgotten fought found frozen given gone grown heard held hidden kept known laid lain
    led left lent lit lost made meant met mistaken outgrown overridden overtaken paid proven read rebuilt redone resent rewritten
    ridden risen said seen sent shaken shown shrunk sold sought spent spoken spun stolen stood struck stuck sung sunk swept sworn
    taken taught thought thrown told torn undone understood unread unsent unwritten withdrawn withheld woken won worn written
    """
)
"""Those that are the plain verb too (put, set, cut, hit, split, spread, run) are left out; `read` is not: it wants an object."""
REPEATED = ("Form", "View")
"""A form and a view of a thing are named after it in each interface that shows it."""


def is_one_word(name: str) -> bool:
    """No underscore is left once those at both ends are stripped, so `_read` and `__init__` are one word and `read_row` is two."""
    return "_" not in name.strip("_")


def is_participle(name: str) -> bool:
    """One word, stripped of underscores at both ends, that ends in -ed or is in the list of irregular participles."""
    word = name.strip("_")
    return is_one_word(name) and word not in NO_PARTICIPLES and (word.endswith("ed") or word in IRREGULAR)


def list_one_word(functions: Iterable[Function]) -> list[Function]:
    """Module-level functions whose name is one word."""
    return [one for one in functions if one.owner == "module" and is_one_word(one.name)]


def list_participles(functions: Iterable[Function]) -> list[Function]:
    """Functions, methods and nested ones among them, that are named by one bare past participle."""
    return [one for one in functions if is_participle(one.name)]


def group_by_name(classes: Iterable[Class]) -> dict[str, list[Class]]:
    named: dict[str, list[Class]] = defaultdict(list)
    for one in classes:
        named[one.name].append(one)
    return dict(named)


def find_repeated(classes: Iterable[Class]) -> dict[str, list[Class]]:
    """Module-level class names used twice or more; Django's `Command`, forms and views do not count."""
    counted = (one for one in classes if one.owner == "module" and one.name != "Command" and not one.name.endswith(REPEATED))
    return {name: used for name, used in group_by_name(counted).items() if len(used) > 1}
