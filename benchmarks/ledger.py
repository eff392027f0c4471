"""A million ledger entries: the proof of all balances, and a wallet's page and ledger over HTTP. `make bench ARGS=ledger`."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path

import django
import psycopg

from benchmarks.api import PASSWORD, BenchDesk
from benchmarks.report import format_table
from operations.embedded.layout import VarFolder

WALLETS = 200
FILLS = 167_000
"""Six entries each: what was bought, what was given for it, and the fee, each with its other side."""
CALLS = 100
SEED = """
INSERT INTO wallets_wallet (wallet_id, name, kind, venue, quote, maker, taker, archived, created_at)
SELECT 'bench' || n, 'Wallet ' || n, 'paper', 'binance', 'USDT', 0.001, 0.001, false, now() FROM generate_series(1, {wallets}) AS n;
INSERT INTO wallets_ledgertransaction (wallet_id, kind, reference, ts, note, created_at)
SELECT id, 'fill', 'fill:' || n, now() - n * interval '1 minute', '', now()
FROM generate_series(1, {fills}) AS n JOIN wallets_wallet ON wallet_id = 'bench' || (1 + n % {wallets});
INSERT INTO wallets_ledgerentry (transaction_id, account, asset, amount)
SELECT id, leg.account, leg.asset || CASE WHEN leg.asset = 'USDT' THEN '' ELSE id % 24 || '' END, leg.amount * (1 + id % 7)
FROM wallets_ledgertransaction, (VALUES
    ('assets', 'COIN', 0.5), ('trading', 'COIN', -0.5), ('assets', 'USDT', -15.000001), ('trading', 'USDT', 15.000001),
    ('assets', 'USDT', -0.015), ('fees', 'USDT', 0.015)
) AS leg (account, asset, amount);
INSERT INTO wallets_walletbalance (wallet_id, asset, amount, unbooked)
SELECT wallet_id, asset, sum(amount), 0 FROM wallets_ledgerentry AS entry
JOIN wallets_ledgertransaction AS booked ON booked.id = entry.transaction_id WHERE account = 'assets' GROUP BY 1, 2;
"""
"""The rules of the database are looked at row by row as rows come in, which is not what is measured here."""


class Browser:
    """Signed in, without scripts."""

    def __init__(self, desk: BenchDesk) -> None:
        self.base = f"http://127.0.0.1:{desk.port}"
        self.jar = CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        self.get("/sign-in/")
        proof = next(str(cookie.value) for cookie in self.jar if cookie.name == "csrftoken")
        form = urllib.parse.urlencode({"username": "bench", "password": PASSWORD, "csrfmiddlewaretoken": proof}).encode()
        self.opener.open(urllib.request.Request(f"{self.base}/sign-in/", form, {"Referer": f"{self.base}/sign-in/"})).read()

    def get(self, path: str) -> None:
        self.opener.open(self.base + path).read()


def seed_ledger(database: psycopg.Connection) -> int:
    """The number of its entries."""
    database.execute("SET session_replication_role = replica")
    database.execute(SEED.format(wallets=WALLETS, fills=FILLS).encode())
    database.execute("VACUUM ANALYZE")
    row = database.execute("SELECT count(*) FROM wallets_ledgerentry").fetchone()
    assert row is not None
    return int(row[0])


def prepare_proof(url: str) -> Callable[[], object]:
    """As the doctor asks for it, in this process."""
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url}
    django.setup()
    from wallets.selectors import balance_check

    assert balance_check() == []
    return balance_check


def time_calls(call: Callable[[], object], times: int = CALLS) -> list[float]:
    """Milliseconds of each, after a first one."""
    call()
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        spent.append((time.perf_counter() - started) * 1000)
    return spent


def describe(what: str, spent: list[float]) -> list[str]:
    return [what, f"{statistics.median(spent):.1f} ms", f"{statistics.quantiles(spent, n=20)[-1]:.1f} ms"]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        desk = BenchDesk(Path(folder) / "var", SANDBOX="0")
        desk.start()
        try:
            desk.token = desk.command("create_api_token", "bench")["token"]
            url = VarFolder(Path(folder) / "var").database_url
            with psycopg.connect(url, autocommit=True) as database:
                entries = seed_ledger(database)
            browser = Browser(desk)
            rows = [
                describe(f"proof of all balances, {entries:,} entries", time_calls(prepare_proof(url), 5)),
                describe("page of a wallet", time_calls(lambda: browser.get("/wallets/bench7/"))),
                describe("`wallets/{id}`", time_calls(lambda: desk.call("GET", "wallets/bench7"))),
                describe("`wallets/{id}/transactions`", time_calls(lambda: desk.call("GET", "wallets/bench7/transactions"))),
                describe("the same, of one kind", time_calls(lambda: desk.call("GET", "wallets/bench7/transactions?kind=deposit"))),
            ]
            print(format_table(["", "median", "p95"], rows))
        finally:
            desk.stop()


if __name__ == "__main__":
    main()
