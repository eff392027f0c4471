"""A list of words that a venue documents, and what each of them means to the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from market.exchanges.base import RefusalKind
from market.exchanges.parsing import Malformed

M = TypeVar("M", bound=str)
Unused = Literal["unread", "unsent", "unasked"]
"""`unread`: it comes with what the desk reads, and changes nothing. `unsent`: it is for requests, and the desk sends none of it.
`unasked`: it stands in answers that the desk never asks for."""
Told = Literal["told", "nothing"]
"""Whether it is shown to people as the reason of an order's end."""
Market = Literal["trades", "halted"]
Contents = Literal["tick", "candle", "depth", "report", "balances", "alive", "confirmation", "end"]
"""What a message brings. `end`: the connection is given up, and the next one opened."""
ErrorMeaning = RefusalKind | Literal["unsettled", "limit", "busy", "clock", "key", "over", "duplicate"]
"""What an error says of the request. A kind of refusal, or:

- `unsettled`: the venue does not know what became of it;
- `limit`: nobody may send for a while; `busy`: nothing happened, and it may be asked again after a while;
- `clock`: our clock is off; `key`: the key is not taken;
- `over`: the order is over, or was never there; `duplicate`: an order has this id already, and is looked up."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a list was read. `version` is that of the text, or the day on which a copy of it was made."""

    title: str
    version: str


@dataclass(frozen=True)
class Enumeration(Generic[M]):
    """One list. `where` it is met, what the desk `does` with a word of it, and what each word means. `otherwise` is what any other
    word is taken for; None means that what bears one cannot be read."""

    name: str
    where: str
    does: str
    source: Source
    words: Mapping[str, M]
    otherwise: M | None = None
    unverified: frozenset[str] = frozenset()
    """Those that stand in no official text that was seen."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """What a person should know of a word beyond its meaning."""

    def read_word(self, word: str) -> M:
        found = self.words.get(word, self.otherwise)
        if found is None:
            raise Malformed(f"{self.name} {word!r:.40} is not known")
        return found

    def find_words(self, *meanings: str) -> tuple[str, ...]:
        """Those that mean one of these, in their order."""
        return tuple(word for word, meaning in self.words.items() if meaning in meanings)


def spread_words(meant: Mapping[M, str]) -> dict[str, M]:
    """By word what is given by meaning. Between words there is white space."""
    return {word: meaning for meaning, words in meant.items() for word in words.split()}


def spread_lines(meant: Mapping[M, str]) -> dict[str, M]:
    """The same for sentences, one a line."""
    return {line.strip(): meaning for meaning, lines in meant.items() for line in lines.strip().splitlines()}


def split_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def pass_over(name: str, where: str, words: str, source: Source, unverified: str = "") -> Enumeration[Unused]:
    """A list that comes with what the desk reads, and changes nothing."""
    return Enumeration(name, where, "Read past.", source, spread_words({"unread": words}), "unread", split_words(unverified))


def leave_out(name: str, where: str, words: str, source: Source, unverified: str = "") -> Enumeration[Unused]:
    """A list for requests, of which the desk sends nothing."""
    return Enumeration(name, where, "Not sent.", source, spread_words({"unsent": words}), None, split_words(unverified))


def ask_nothing(name: str, where: str, words: str, source: Source, unverified: str = "") -> Enumeration[Unused]:
    """A list in answers that the desk never asks for."""
    return Enumeration(name, where, "Never asked for.", source, spread_words({"unasked": words}), None, split_words(unverified))
