"""What a bot still held, or had open, when its run ended, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Remainder: TypeAlias = Mapping[str, Any]
"""JSON-ready. `what`: position, dust or open_orders; `why` in a sentence. Of what is held `symbol`, `qty`, `value` at the newest
price (None: there is none) and `currency`; of orders `count`."""


def remainder_words(left: Sequence[Remainder]) -> str:
    """In sentences for a person; empty where nothing is left."""
    return " ".join(f"{remainder_text(one)} {one['why']}".strip() for one in left)


def remainder_text(one: Remainder) -> str:
    if one["what"] == "open_orders":
        return f"Still open: {one['count']} order{'' if one['count'] == 1 else 's'}."
    worth = "at a price not known now" if one["value"] is None else f"worth {float(one['value']):,.2f} {one['currency']}"
    return f"Still held: {one['qty']} {one['symbol']}, {worth}."
