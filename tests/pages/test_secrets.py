"""What was entered in secret is nowhere afterwards: not in an answer, the database, the broker, a log or a file of the desk."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import psycopg
import pytest
from playwright.sync_api import APIRequestContext, Browser, BrowserContext
from redis import Redis

from market.sandbox.keys import binance_key, coinbase_key
from operations.embedded.layout import VarFolder
from tests.running import PASSWORD, RunningDesk
from trading.demo import SEED

pytestmark = pytest.mark.browser

ENTERED = 'Entered+once/and="never"&seen<again>%41-0123456789'
SECOND = 'The+second/key="of"&the<same>%42-9876543210'
MISTYPED = 'Mistyped+by/somebody="in"&haste%43-5550123'
PHRASE = " ".join(["abandon"] * 11 + ["about"])
"""The published one of BIP-39, which guards nothing."""
LEAST = 12
"""Characters of a line that are enough to tell it from anything else."""


def split_secret(secret: str) -> list[str]:
    """Its lines, without those that each key in PEM has."""
    return [line for line in secret.split("\n") if len(line) >= LEAST and not line.startswith("-----")]


def spell(secret: str) -> set[bytes]:
    """Each way in which it may be written, and those in hexadecimal, as binary columns are dumped."""
    plain = secret.encode()
    ways = {plain, quote(secret, safe="").encode(), quote_plus(secret).encode(), json.dumps(secret)[1:-1].encode()}
    for before in range(3):  # where it stands in a longer text changes all of its letters
        for encode in (b64encode, urlsafe_b64encode):
            ways.add(encode(b"x" * before + plain)[4 if before else 0 : -4])
    return ways | {way.hex().encode() for way in ways} | {plain.hex().upper().encode()}


def find_spelled(places: Iterable[tuple[str, bytes]], secrets: dict[str, str]) -> list[str]:
    spelled = {name: set().union(*map(spell, split_secret(secret))) for name, secret in secrets.items()}
    return [f"{name} in {place}" for place, text in places for name, ways in spelled.items() if any(way in text for way in ways)]


def dump_database(var: Path) -> Iterator[tuple[str, bytes]]:
    with psycopg.connect(VarFolder(var).database_url) as database:
        tables = database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            with database.cursor().copy(f'COPY "{table}" TO STDOUT') as rows:
                yield f"table {table}", b"".join(map(bytes, rows))


def dump_broker(var: Path) -> Iterator[tuple[str, bytes]]:
    readers = {b"list": "LRANGE {} 0 -1", b"set": "SMEMBERS {}", b"hash": "HGETALL {}", b"zset": "ZRANGE {} 0 -1 WITHSCORES"}
    readers |= {b"string": "GET {}", b"stream": "XRANGE {} - +"}
    for number in range(16):
        with Redis.from_url(f"{VarFolder(var).redis_url}?db={number}") as broker:
            for key in broker.scan_iter(count=1000):
                words: list[Any] = [key if word == "{}" else word for word in readers[broker.type(key)].split()]
                yield f"broker's key {key!r}", key + repr(broker.execute_command(*words)).encode()


def search_files(var: Path, folder: Path, secrets: dict[str, str]) -> list[str]:
    """By grep, which looks for all of them at once."""
    owners = {way: name for name, secret in secrets.items() for line in split_secret(secret) for way in spell(line)}
    wanted = folder / "wanted"
    wanted.write_bytes(b"\n".join(owners))
    command = ["grep", "--recursive", "--text", "--only-matching", "--fixed-strings", f"--file={wanted}"]
    found = subprocess.run(
        [*command, str(var), str(var.with_suffix(".out"))], capture_output=True, env={"LC_ALL": "C"}, check=False
    )
    assert found.returncode in (0, 1), found.stderr
    lines = [line.rpartition(b":") for line in found.stdout.splitlines()]
    return sorted({f"{owners[way]} in {place.decode()}" for place, _, way in lines})


def enter_secrets(context: BrowserContext, url: str) -> None:
    """As people do: with a mistake, then rightly, another one later; and a password that is not theirs."""
    page = context.new_page()
    page.goto(f"{url}/admin/wallets/exchangeaccount/add/")
    page.select_option("#id_venue", "binance")
    page.select_option("#id_environment", "sandbox")
    for name, rest, secret in (("", "nowhere", MISTYPED), ("Kept secret", "http://127.0.0.1:9", ENTERED)):
        page.fill("#id_name", name)
        page.fill("#id_rest", rest)
        page.fill("#id_new_api_key", "AKeyOfNobody0123456789")
        page.fill("#id_new_secret", secret)
        page.click("[name=_continue]")
    page.wait_for_url("**/change/")
    page.fill("#id_new_api_key", "AKeyOfNobody9876543210")
    page.fill("#id_new_secret", SECOND)
    page.click("[name=_continue]")
    page.wait_for_load_state()
    page.click("text=Test the connection")
    page.wait_for_load_state()
    page.close()


def paste_phrase(context: BrowserContext, url: str) -> None:
    """Where an address belongs, or a name."""
    page = context.new_page()
    for field in ("address", "name"):
        page.goto(f"{url}/wallets/watch/")
        page.fill("[name=name]", "Cold storage")
        page.fill("[name=address]", "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu")
        page.fill(f"[name={field}]", PHRASE)
        page.click("main form button[type=submit]")
        page.get_by_text("looks like a seed phrase").first.wait_for()
    page.close()


def mistype_password(browser: Browser, url: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{url}/sign-in/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", MISTYPED)
    page.click("main button")
    page.wait_for_load_state()
    context.request.get(f"{url}/api/v1/wallets", headers={"Authorization": f"Bearer {MISTYPED}"})
    context.request.post(f"{url}/api/v1/bots", headers={"Authorization": f"Bearer {MISTYPED}"}, data={"secret": MISTYPED})
    context.close()


def collect_answers(request: APIRequestContext, url: str, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        answer = request.get(url + path, fail_on_status_code=False)
        yield f"answer of {path}", answer.body()


def test_what_is_secret_is_nowhere(
    browser: Browser, live_desk: RunningDesk, signed_in_state: Any, addresses: list[str], tmp_path: Path
) -> None:
    context = browser.new_context(storage_state=signed_in_state)
    enter_secrets(context, live_desk.url)
    paste_phrase(context, live_desk.url)
    mistype_password(browser, live_desk.url)
    made = live_desk.command("create_api_token", "admin", "--scopes", "read")
    token = made.stdout.strip()
    bearer = {"Authorization": f"Bearer {token}"}
    assert context.request.get(f"{live_desk.url}/api/v1/wallets", headers=bearer).ok
    secrets = {
        "the sandbox's Binance secret": binance_key(SEED).secret,
        "the sandbox's Coinbase secret": coinbase_key(SEED).secret,
        "a secret that was entered": ENTERED,
        "the one after it": SECOND,
        "one that was mistyped": MISTYPED,
        "a seed phrase": PHRASE,
        "a password": PASSWORD,
        "a token": token,
    }
    own = [path for path in addresses if "sign-out" not in path]
    assert find_spelled(collect_answers(context.request, live_desk.url, own), secrets) == []
    assert find_spelled(dump_database(live_desk.var), secrets) == []
    assert find_spelled(dump_broker(live_desk.var), secrets) == []
    assert search_files(live_desk.var, tmp_path, secrets) == []
    context.close()


@pytest.mark.parametrize("spelling", sorted(spell(ENTERED)))
def test_each_spelling_would_be_found(spelling: bytes) -> None:
    assert find_spelled([("a file", b"before " + spelling + b" after")], {"it": ENTERED}) == ["it in a file"]


def test_it_would_be_found_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "var" / "log").mkdir(parents=True)
    (tmp_path / "var.out").touch()
    (tmp_path / "var" / "log" / "web.log").write_bytes(b"\0: " + b64encode(b"so " + ENTERED.encode()))
    assert search_files(tmp_path / "var", tmp_path, {"it": ENTERED}) == [f"it in {tmp_path}/var/log/web.log"]


@pytest.mark.parametrize("before", [0, 1, 2, 3, 17])
def test_it_would_be_found_within_a_longer_text(before: int) -> None:
    text = b64encode(b"x" * before + ENTERED.encode() + b" and more")
    assert find_spelled([("a file", text)], {"it": ENTERED}) == ["it in a file"]
