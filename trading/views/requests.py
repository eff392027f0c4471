"""What the desk's pages have in common: they are drawn as of one event, and hear of all after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access.requests import Part
from core.events import last_seq


def parts_context(parts: Mapping[str, Part]) -> dict[str, Any]:
    """What all of the parts together are drawn with. `seq` is read first, so that no push between is missed."""
    found: dict[str, Any] = {"seq": last_seq()}
    for _, context in parts.values():
        found |= context()
    return found
