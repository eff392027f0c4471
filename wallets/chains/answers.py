"""Takes the parts of a node's answer, and believes none of them: what is not of the shape that the chain publishes is a
`ChainError`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from wallets.chains.errors import ChainError

HEX = re.compile(r"0x[0-9a-fA-F]*")
MOST_UNITS = 2**256 - 1
LONGEST_NAME = 32
MOST_DECIMALS = 77
"""More than any amount has digits."""


def take_object(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ChainError(f"A node answers without {what}.")
    return value


def take_list(value: Any, what: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise ChainError(f"A node answers without {what}.")
    return value


def take_text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value.isprintable() or len(value) > 200:
        raise ChainError(f"A node answers without {what}.")
    return value


def take_number(value: Any, what: str, *, most: int = MOST_UNITS) -> int:
    """A whole number, or one in text."""
    digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 78
    if (type(value) is not int and not digits) or not 0 <= int(value) <= most:
        raise ChainError(f"A node answers without {what}.")
    return int(value)


def take_hex(value: Any, what: str) -> bytes:
    """Bytes of any number; numbers of Ethereum are written with as few digits as they have."""
    if not isinstance(value, str) or not HEX.fullmatch(value):
        raise ChainError(f"A node answers without {what}.")
    digits = value[2:]
    return bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")


def take_hex_number(value: Any, what: str) -> int:
    found = take_hex(value, what)
    if not found or len(found) > 32:
        raise ChainError(f"A node answers without {what}.")
    return int.from_bytes(found, "big")


def take_moment(value: Any) -> datetime | None:
    """Of seconds since 1970; None for a time that cannot be."""
    return datetime.fromtimestamp(value, UTC) if type(value) is int and 0 <= value < 2**35 else None


def plain_name(text: str) -> str:
    """A token's own word for itself, for one line: anybody writes there what they like, also characters that are not seen or turn
    what stands beside them."""
    wide = "".join(one if unicodedata.category(one)[0] not in "CMZ" else " " for one in unicodedata.normalize("NFKC", text[:400]))
    return " ".join(wide.split())[:LONGEST_NAME].strip()
