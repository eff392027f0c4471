"""Run the sandbox exchange."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import time
from argparse import ArgumentTypeError
from collections.abc import Mapping, Sequence
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core.commands import explain_error
from core.errors import DomainError, Invalid
from core.heartbeat import keep_beating
from core.symbols import QUOTES, symbol_normalise
from core.text import float_text
from engine.types import INTERVALS
from market.candles import checks, readers
from market.sandbox import recorded
from market.sandbox.faults import BadFault
from market.sandbox.history import SandboxCandle
from market.sandbox.scenario import Scenario
from market.sandbox.server import HOST, Sandbox
from market.sandbox.state import BadState

NAME = re.compile(r"(?P<symbol>[A-Za-z0-9]+(?:[-_][A-Za-z]+)?)-(?P<interval>\d+[mhdwM])\b")
"""How files of candles are named: BTC-USD-1m.csv, XRP_ETH-1m.feather, ADABTC-1m-2021-11-27.csv."""

OPEN_WARNING = (
    "WARNING: the sandbox exchange listens on {host}:{port} for other machines too. Whoever reaches it can trade on its accounts, "
    "pay in and out, and make it fail, without a key and without TLS. Its money is play money, but bots believe what it says: let "
    "nobody reach it but your own containers. Other machines write this one's name in place of the address below."
)


class Command(BaseCommand):
    requires_system_checks = ()
    help = (
        "A local exchange with a live market, for trying things out without keys: it speaks Binance's spot and Coinbase's Advanced "
        "Trade protocols, fills orders, and can be made to fail in every way that real ones do."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=_parse_port, default=8100, help="0 takes a free one. Default: 8100.")
        parser.add_argument(
            "--host",
            metavar="ADDRESS",
            default=HOST,
            help="Default: 127.0.0.1, which only this machine reaches. 0.0.0.0 listens for everybody: in a container, or where "
            "nobody else reaches it, because it takes orders and faults from whoever asks.",
        )
        parser.add_argument(
            "--fd", type=int, metavar="NUMBER", help="A bound socket, as an open file descriptor, in place of --port."
        )
        parser.add_argument(
            "--data", metavar="FILE", type=Path, help="Candles to play (CSV, Parquet, Feather ...) instead of a walk."
        )
        parser.add_argument("--symbol", help="What the candles are of: XRP-ETH. Default: from the file's name.")
        parser.add_argument("--interval", choices=INTERVALS, help="Of the candles. Default: from the file's name.")
        parser.add_argument("--speed", type=_parse_speed, default=1.0, help="Times real time; 0 is as fast as can be. Default: 1.")
        parser.add_argument("--seed", type=int, default=1, help="The same seed gives the same keys and the same day. Default: 1.")
        parser.add_argument("--faults", metavar="FILE", type=Path, help="A JSON list of faults (market/sandbox/faults.py).")
        parser.add_argument("--state", metavar="FILE", type=Path, help="Keeps balances and orders there across restarts.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object, when ready, and nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sandbox = Sandbox(_read_scenario(options))
        except DomainError as error:
            raise CommandError(explain_error(error)) from error
        except BadState as error:
            raise CommandError(str(error)) from error
        except BadFault as error:
            raise CommandError(f"{options['faults']}: {error}") from error
        try:
            listener = None if options["fd"] is None else socket.socket(fileno=options["fd"])
            place = {"port": options["port"], "listener": listener, "host": options["host"]}
            asyncio.run(self._serve(sandbox, place, as_json=options["json"]))
        except OSError as error:
            where = f"Port {options['port']} of {options['host']}"
            raise CommandError(f"{where} cannot be used: {error.strerror or error}. Choose another --port or --host.") from error

    async def _serve(self, sandbox: Sandbox, place: Mapping[str, Any], *, as_json: bool) -> None:
        """Until it is told to stop."""
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await sandbox.start(**place)
        beating = asyncio.create_task(keep_beating())
        if place["listener"] is None and not is_loopback(place["host"]):
            self.stderr.write(OPEN_WARNING.format(host=place["host"], port=sandbox.port))
        try:
            self.stdout.write(_describe_sandbox(sandbox, as_json=as_json, handed=place["listener"] is not None))
            self.stdout.flush()
            await stop.wait()
        finally:
            beating.cancel()
            await sandbox.stop()


def _describe_sandbox(sandbox: Sandbox, *, as_json: bool, handed: bool) -> str:
    """Who hands it a socket knows its keys, and keeps what it prints in a log: there is no key in that."""
    addresses = sandbox.addresses()
    if as_json:
        return json.dumps(addresses)
    return f"The sandbox exchange answers at {addresses['binance']['rest']}." if handed else _show_addresses(addresses)


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine reaches the address. A name is taken for one that others reach."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _read_scenario(options: Mapping[str, Any]) -> Scenario:
    more = {"faults": _read_faults(options["faults"]), **{name: options[name] for name in ("seed", "speed", "state")}}
    if (path := options["data"]) is None:
        return Scenario(**more)
    name = NAME.match(path.name)
    symbol, interval = options["symbol"] or (name and name["symbol"]), options["interval"] or (name and name["interval"])
    if not symbol or interval not in INTERVALS:
        raise Invalid.at("data", f"The name of {path} does not say what it holds. Give --symbol and --interval.")
    symbol = _desk_symbol(symbol)
    candles = _read_candles(path, symbol, interval)
    return recorded.make_scenario(symbol, candles, INTERVALS[interval], now=int(time.time() * 1000), **more)


def _desk_symbol(symbol: str) -> str:
    """`ADABTC` -> `ADA-BTC`."""
    plain = symbol.upper()
    quote = next((quote for quote in QUOTES if plain.endswith(quote) and plain != quote), "")
    joined = plain.isalnum() and quote
    return symbol_normalise(f"{plain.removesuffix(quote)}-{quote}" if joined else symbol)


def _read_faults(path: Path | None) -> Sequence[Mapping[str, Any]]:
    if path is None:
        return ()
    try:
        rules = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Invalid.at("faults", f"{path} cannot be read: {error.strerror or error}.") from None
    except ValueError as error:
        raise Invalid.at("faults", f"{path} is not JSON: {error}.") from None
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise Invalid.at("faults", f"{path} must hold a list of objects.")
    return rules


def _read_candles(path: Path, symbol: str, interval: str) -> list[SandboxCandle]:
    """The file's candles; `Invalid` at `data` where any row is at fault."""
    try:
        with path.open("rb") as file:
            checked = checks.check_rows(readers.read_rows(file, symbol), symbol, interval, timezone.now(), skip_bad_rows=False)
    except OSError as error:
        raise Invalid.at("data", f"{path} cannot be read: {error.strerror or error}.") from None
    if checked.refusal:
        raise Invalid.at("data", f"{path}: {checked.refusal}")
    if not checked.candles.volume_known:
        raise Invalid.at("data", f"{path} has no volume, of which the trades of a play are made. Give a file that has it.")
    columns = (getattr(checked.candles, name).tolist() for name in ("time", "open", "high", "low", "close", "volume"))
    rows = ((moment, *(Decimal(float_text(value)) for value in row)) for moment, *row in zip(*columns, strict=True))
    return [SandboxCandle(*row) for row in rows]


def _show_addresses(addresses: Mapping[str, Mapping[str, Any]]) -> str:
    """For a person."""
    lines = ["The sandbox exchange is running. Its money is play money. Stop it with Ctrl-C."]
    for venue, values in addresses.items():
        lines.append(f"\n{venue}")
        for name, value in values.items():
            shown = ", ".join(value) if isinstance(value, list) else str(value).strip().replace("\n", "\n" + " " * 14)
            lines.append(f"  {name:<12}{shown}")
    return "\n".join(lines)


def _parse_port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise ArgumentTypeError(f"{text!r} is not a port: give a number up to 65535.")
    return int(text)


def _parse_speed(text: str) -> float:
    try:
        speed = float(text)
    except ValueError:
        speed = -1.0
    if not 0 <= speed <= 1e6:
        raise ArgumentTypeError(f"{text!r} is not a speed: give a number from 0 to 1000000.")
    return speed
