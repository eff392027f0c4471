"""Cost basis: 200,000 fills from the ledger to lots and disposals by each method, and FIFO beside beancount's booking of the same
3,000 transactions, which is installed in an environment of its own. `make bench ARGS=lots`."""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.api import BenchDesk
from benchmarks.report import format_table
from operations.embedded.layout import VarFolder
from tests.wallets.lots.oracle.books import NoPrices, Step, answer_books, make_changes, write_books
from tests.wallets.lots.oracle.peer import open_beancount
from wallets.lots.inventory import Inventory
from wallets.lots.types import LotMethod, LotRule, LotScope

FILLS, STEPS, ROUNDS = 200_000, 3_000, 7
SEED = """
INSERT INTO wallets_wallet (wallet_id, name, kind, venue, quote, maker, taker, archived, created_at)
VALUES ('bench', 'Bench', 'paper', 'binance', 'USD', 0.001, 0.001, false, now());
INSERT INTO wallets_ledgertransaction (wallet_id, kind, reference, ts, note, created_at)
SELECT wallet.id, 'fill', 'fill:' || n, now() - ({fills} - n) * interval '1 minute', '', now()
FROM generate_series(1, {fills}) AS n, wallets_wallet AS wallet WHERE wallet.wallet_id = 'bench';
INSERT INTO wallets_ledgerentry (transaction_id, account, asset, amount)
SELECT id, leg.account, leg.asset, leg.amount * (1 + id % 7) * CASE WHEN id / 1000 % 2 = 0 OR leg.fee THEN 1 ELSE -1 END
FROM wallets_ledgertransaction, (VALUES
    ('assets', 'BTC', 0.5, false), ('trading', 'BTC', -0.5, false), ('assets', 'USD', -15000.000001, false),
    ('trading', 'USD', 15000.000001, false), ('assets', 'USD', -15.1, true), ('fees', 'USD', 15.1, true)
) AS leg (account, asset, amount, fee);
INSERT INTO wallets_walletbalance (wallet_id, asset, amount, unbooked)
SELECT wallet_id, asset, sum(amount), 0 FROM wallets_ledgerentry AS entry
JOIN wallets_ledgertransaction AS booked ON booked.id = entry.transaction_id WHERE account = 'assets' GROUP BY 1, 2;
"""


def measure_ledger(method: str) -> dict[str, float]:
    """In this process, from the database to lots and this year's disposals: seconds, and megabytes over what it had before."""
    import django

    django.setup()
    from django.utils import timezone

    from wallets.lots.basis import compute_basis
    from wallets.lots.holding import find_tax_year
    from wallets.models import Wallet

    wallets = [Wallet.objects.get(wallet_id="bench")]
    before, started = peak_memory(), time.perf_counter()
    rule = LotRule(0, LotMethod(method), LotScope.WALLET)
    basis = compute_basis(wallets, [rule], year=find_tax_year(timezone.now().year, []))
    return {"seconds": time.perf_counter() - started, "memory": peak_memory() - before, "disposals": len(basis.disposals)}


def peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run_ledger(url: str) -> Iterator[list[Any]]:
    """Each method in a process of its own, the better of three."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url}
    for method in LotMethod:
        command = [sys.executable, "-m", "benchmarks.lots", method]
        told = [json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout) for _ in range(3)]
        best = min(told, key=lambda one: one["seconds"])
        yield [method.value, f"{best['seconds']:.2f} s", f"{best['memory']:,.0f} MB", f"{best['disposals']:,}"]


def report_ledger() -> str:
    with tempfile.TemporaryDirectory() as folder:
        desk = BenchDesk(Path(folder) / "var", SANDBOX="0")
        desk.start()
        try:
            url = VarFolder(Path(folder) / "var").database_url
            with psycopg.connect(url, autocommit=True) as database:
                database.execute("SET session_replication_role = replica")
                database.execute(SEED.format(fills=FILLS).encode())
                database.execute("VACUUM ANALYZE")
            heads = [f"{FILLS:,} fills, from the ledger", "best of 3", "memory over base", "disposals of the year"]
            return format_table(heads, list(run_ledger(url)))
        finally:
            desk.stop()


def make_steps() -> list[Step]:
    """Seven purchases to three sales, as lots gather when people save."""
    drawn, held, steps = random.Random(1), 0, []
    for _ in range(STEPS):
        amount, price = drawn.randrange(1, 10**8), drawn.randrange(10**6, 10**7)
        buys = amount > held or drawn.random() < 0.7
        held += amount if buys else -amount
        steps.append((buys, f"{amount / 10**8:.8f}", f"{price / 100:.2f}"))
    return steps


def report_beancount() -> str:
    """Booking alone on both sides, of what each has in memory, in turns; the answers have to be the same."""
    steps = make_steps()
    text, changes, spent = write_books(steps, "fifo"), make_changes(steps), {"beancount": 9e9, "Quarterdeck": 9e9}
    with open_beancount() as ask:
        for turn in range(ROUNDS):
            started = time.perf_counter()
            inventory = Inventory("USD", NoPrices())
            for change in changes:
                inventory.apply(change)
            spent["Quarterdeck"] = min(spent["Quarterdeck"], time.perf_counter() - started)
            if turn < 2:
                theirs = ask(text)
                spent["beancount"] = min(spent["beancount"], theirs.pop("seconds"))
    same = answer_books(steps, "fifo") == theirs
    rows = [[name, f"{seconds * 1e3:,.1f} ms", f"{seconds / spent['Quarterdeck']:,.0f}"] for name, seconds in spent.items()]
    told = format_table([f"FIFO, {STEPS:,} transactions", "best", "x ours"], rows)
    return f"{told}\nGains and open lots are {'the same' if same else 'NOT THE SAME'}.\n"


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(measure_ledger(sys.argv[1])))
    else:
        print(report_ledger())
        print(report_beancount())
