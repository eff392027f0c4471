"""The accounts survive a restart of the sandbox."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from market.sandbox.control import describe_exchange
from market.sandbox.exchange import SandboxExchange
from market.sandbox.orders import OrderTicket
from market.sandbox.scenario import Scenario
from market.sandbox.server import Sandbox
from market.sandbox.state import BadState
from tests.market.sandbox.test_exchange import assert_books_balance

D = Decimal
START = 1_700_000_000_000


def open_sandbox(path: Path, seed: int = 1) -> Sandbox:
    return Sandbox(Scenario(speed=None, start=START, minutes=1, rate=1e-9, state=path, seed=seed))


def place_orders(on: SandboxExchange, account: str) -> None:
    on.place(account, OrderTicket("BTC-USDT", "buy", "limit", qty=D("0.1"), limit=D(64_000), client_id="rests"))
    on.place(account, OrderTicket("BTC-USDT", "sell", "stop", qty=D("0.2"), stop=D(63_000), client_id="waits"))
    on.place(account, OrderTicket("BTC-USDT", "buy", "market", quote_qty=D(5000), client_id="done"))


async def test_balances_orders_and_fills_are_kept_and_ids_go_on(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.json"
    first = open_sandbox(path)
    account = first.keys["binance"].name
    await first.start()
    place_orders(first.exchanges["binance"], account)
    before = describe_exchange(first.exchanges["binance"])["accounts"]
    await first.stop()
    second = open_sandbox(path)
    on = second.exchanges["binance"]
    assert describe_exchange(on)["accounts"] == before
    assert_books_balance(on)
    on.trade("BTC-USDT", D(62_000), D(1), buyer_is_maker=True)
    assert [order.status for order in on.orders(account)] == ["filled"] * 3
    assert len({fill.id for fill in on.fills(account)}) == len(on.fills(account))
    assert on.place(account, OrderTicket("BTC-USDT", "buy", "market", qty=D("0.01"))).id == 4
    assert_books_balance(on)


async def test_a_kill_loses_nothing_that_anybody_was_told_and_gives_no_id_out_twice(tmp_path: Path) -> None:
    """What another process finds at any moment is what a killed one leaves."""
    path = tmp_path / "sandbox.json"
    running = open_sandbox(path)
    await running.start()
    on, account = running.exchanges["binance"], running.keys["binance"].name
    place_orders(on, account)
    on.deposit(account, "USDT", D(7))
    on.cancel(account, 1)
    for _ in range(1_500):
        on.trade("BTC-USDT", D(64_500), D("0.001"), buyer_is_maker=True)
    found = open_sandbox(path).exchanges["binance"]
    assert describe_exchange(found)["accounts"] == describe_exchange(on)["accounts"]
    assert_books_balance(found)
    assert found.history("BTC-USDT").next_id >= on.history("BTC-USDT").next_id
    assert found.place(account, OrderTicket("BTC-USDT", "buy", "market", qty=D("0.01"))).id == 4
    await running.stop()


async def test_a_line_that_was_cut_off_is_left_out_and_older_ones_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.json"
    running = open_sandbox(path)
    await running.start()
    on, account = running.exchanges["binance"], running.keys["binance"].name
    place_orders(on, account)
    journal = path.with_name("sandbox.json.journal")
    older = journal.read_bytes()
    running.save()
    assert journal.read_bytes() == b""
    on.cancel(account, 1)
    journal.write_bytes(older + journal.read_bytes() + b'{"line": 99, "venue": "bin')
    found = open_sandbox(path).exchanges["binance"]
    assert describe_exchange(found)["accounts"] == describe_exchange(on)["accounts"]
    await running.stop()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "damaged"),
        ("[]", "damaged"),
        (json.dumps({"version": 1, "seed": 7}), "seed 7"),
        ('{"version": 1, "seed": 1}', "damaged"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "sandbox.json"
    path.write_text(text)
    with pytest.raises(BadState, match=message):
        open_sandbox(path)
