"""`manage.py sandbox`: one line when it is ready, a market that moves, and a clear message for what it cannot use."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.conftest import PROJECT

MINUTE = 60_000
CSV = "timestamp,open,high,low,close,volume\n" + "\n".join(
    f"{1_640_995_200_000 + index * MINUTE},{100 + index},{101 + index}.5,{99 + index},{100.5 + index},{4 + index}.25"
    for index in range(5)
)


@contextmanager
def command(*arguments: str, warnings: Path = Path(os.devnull)) -> Iterator[dict[str, Any]]:
    """The sandbox as a process of its own, and the addresses that it prints."""
    line = [sys.executable, "manage.py", "sandbox", "--port", "0", "--json", *arguments]
    with (
        warnings.open("w") as errors,
        subprocess.Popen(line, cwd=PROJECT, stdout=subprocess.PIPE, stderr=errors, text=True, env=os.environ) as process,
    ):
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read()
    assert (process.returncode, rest) == (0, "")


def get(addresses: dict[str, Any], path: str) -> Any:
    with urllib.request.urlopen(addresses["binance"]["rest"] + path, timeout=10) as answer:
        return json.load(answer)


def test_it_says_where_it_is_and_plays_a_file_at_its_own_times(tmp_path: Path) -> None:
    file = tmp_path / "ADA_BTC-1m.csv"
    file.write_text(CSV)
    with command("--data", str(file), "--speed", "0", "--seed", "5") as addresses:
        assert set(addresses) == {"binance", "coinbase"}
        assert {"rest", "ws", "ws_api", "api_key", "api_secret", "symbols"} <= set(addresses["binance"])
        assert addresses["coinbase"]["api_secret"].startswith("-----BEGIN EC PRIVATE KEY-----")
        assert "ADA-BTC" in addresses["binance"]["symbols"]
        candles: list[Any] = []
        while len(candles) < 5 or candles[-1][8] < 4:
            candles = get(addresses, "/api/v3/klines?symbol=ADABTC&interval=1m")
    columns = [[row[0], *(float(cell) for cell in row[1:6])] for row in candles]
    assert columns == [[float(cell) for cell in row.split(",")] for row in CSV.splitlines()[1:]]


@pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2"])
def test_it_listens_for_other_machines_only_when_told_to_and_warns_of_it(tmp_path: Path) -> None:
    told = tmp_path / "warnings"
    with command("--host", "0.0.0.0", warnings=told) as addresses:
        assert addresses["binance"]["rest"].startswith("http://127.0.0.1:")
        port = int(addresses["binance"]["rest"].rpartition(":")[2])
        with socket.create_connection(("127.0.0.2", port), 10):
            assert f"WARNING: the sandbox exchange listens on 0.0.0.0:{port} for other machines too." in told.read_text()
    with command(warnings=told) as addresses:
        port = int(addresses["binance"]["rest"].rpartition(":")[2])
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), 10)
    assert told.read_text() == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data": Path("nowhere.csv")}, "does not say what it holds"),
        ({"data": Path("BTC-USD-1m.csv")}, "cannot be read"),
        ({"faults": Path("nowhere.json")}, "cannot be read"),
    ],
)
def test_what_it_cannot_use_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("sandbox", port=0, **options)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON"), ("{}", "list of objects"), ('[{"fault": "flood"}]', "fault: 'flood'")],
)
def test_a_script_of_faults_with_a_mistake_is_refused(tmp_path: Path, text: str, message: str) -> None:
    script = tmp_path / "faults.json"
    script.write_text(text)
    with pytest.raises(CommandError, match=message):
        call_command("sandbox", port=0, faults=script)


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--speed", "-1"], ["--speed", "nan"], ["--seed", "x"]])
def test_options_out_of_range_are_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("sandbox", *arguments)
