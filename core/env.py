"""Typed readers of the process environment. A wrong value stops the start and names the variable."""

from __future__ import annotations

import os
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
PROJECT = Path(__file__).resolve().parent.parent


def read_variable(name: str, default: T, parse: Callable[[str], T], expected: str) -> T:
    """The variable `name` parsed, or `default` if it is unset or empty."""
    raw = os.environ.get(name, "").strip()
    if not raw:
        return default
    try:
        return parse(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be {expected}; it is {raw!r}.") from error


def load_file(path: Path) -> None:
    """Takes `NAME=value` lines of a file into the environment. What the environment has already is not changed."""
    if not path.is_file():
        return
    for line in path.read_text().splitlines():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


def read_text(name: str, default: str = "") -> str:
    return read_variable(name, default, str, "text")


def var_folder() -> Path:
    """The folder in which the desk keeps everything that it writes."""
    return Path(read_text("VAR", str(PROJECT / "var"))).absolute()


def read_integer(name: str, default: int, *, least: int = 0) -> int:
    def parse(raw: str) -> int:
        value = int(raw)
        if value < least:
            raise ValueError
        return value

    return read_variable(name, default, parse, f"a whole number of at least {least}")


def read_number(name: str, default: float, *, least: float = 0.0) -> float:
    def parse(raw: str) -> float:
        value = float(raw)
        if not least <= value < float("inf"):
            raise ValueError
        return value

    return read_variable(name, default, parse, f"a number of at least {least:g}")


def read_flag(name: str, default: bool) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}

    def parse(raw: str) -> bool:
        if raw.lower() not in words:
            raise ValueError
        return words[raw.lower()]

    return read_variable(name, default, parse, "1 or 0")


def read_asset(name: str, default: str) -> str:
    """An asset's name, in capitals."""

    def parse(raw: str) -> str:
        if not (raw.isascii() and raw.isalnum() and len(raw) <= 16):
            raise ValueError
        return raw.upper()

    return read_variable(name, default, parse, "an asset's name of at most 16 letters and digits, such as USD")


def read_words(name: str, default: list[str]) -> list[str]:
    """A comma-separated list."""
    return read_variable(
        name, default, lambda raw: [word.strip() for word in raw.split(",") if word.strip()], "a comma-separated list"
    )


def read_lists(name: str) -> dict[str, list[str]]:
    """`name=value` with commas between: the values of each name, in their order."""

    def parse(raw: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for item in filter(None, map(str.strip, raw.split(","))):
            key, equals, value = item.partition("=")
            if not (key.strip() and equals and value.strip()):
                raise ValueError
            found.setdefault(key.strip(), []).append(value.strip())
        return found

    return read_variable(name, {}, parse, "name=value with commas between")


def read_networks(name: str, default: list[str]) -> list[IPv4Network | IPv6Network]:
    """Addresses and networks such as 10.0.0.0/8, with commas between."""
    return read_variable(
        name,
        [ip_network(word) for word in default],
        lambda raw: [ip_network(word.strip()) for word in raw.split(",") if word.strip()],
        "addresses or networks with commas between",
    )


load_file(Path(read_text("ENV_FILE", str(PROJECT / ".env"))))
if not os.access(PROJECT / "engine", os.W_OK):
    # numba reads this when it is imported: compiled code cannot be kept beside its sources.
    os.environ.setdefault("NUMBA_CACHE_DIR", str(var_folder() / "kernels"))
