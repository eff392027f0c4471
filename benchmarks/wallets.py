"""Two hundred wallets of 25 assets with their worth over HTTP, and two thousand, page by page. `make bench ARGS=wallets`."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import django
import psycopg

from benchmarks.api import BenchDesk
from benchmarks.ledger import describe, time_calls
from benchmarks.report import format_table
from operations.embedded.layout import VarFolder

FEW, MANY, PAGE = 200, 2_000, 200
COINS = 500
"""Each wallet has 25 assets: 24 of these, and USDT."""
SEED = """
INSERT INTO wallets_wallet (wallet_id, name, kind, venue, quote, maker, taker, archived, created_at)
SELECT 'bench' || n, 'Wallet ' || lpad(n::text, 5, '0'), 'paper', 'binance', 'USDT', 0.001, 0.001, false, now() - interval '1 year'
FROM generate_series({first}, {last}) AS n;
INSERT INTO wallets_walletbalance (wallet_id, asset, amount, unbooked)
SELECT id, CASE n WHEN 0 THEN 'USDT' ELSE 'COIN' || (id * 7 + n * 19) % {coins} END, 1000.000001 + n, 0
FROM wallets_wallet, generate_series(0, 24) AS n WHERE substr(wallet_id, 6)::int BETWEEN {first} AND {last};
ANALYZE;
"""


def prepare_django(var: Path) -> None:
    """This process then writes where the desk reads."""
    folder = VarFolder(var)
    own = {"VAR": str(var), "DATABASE_URL": folder.database_url, "REDIS_URL": folder.redis_url}
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", **own}
    django.setup()


def keep_prices() -> None:
    """Of every fifth coin none is heard."""
    from django.utils import timezone

    from market.exchanges.base import Tick
    from market.prices import prices_put

    now = timezone.now()
    heard = [Tick("binance", f"COIN{n}-USDT", Decimal(1 + n), now) for n in range(COINS) if n % 5]
    prices_put(venue="binance", environment="live", ticks=heard)
    prices_put(venue="coinbase", environment="live", ticks=[Tick("coinbase", "USDT-USD", Decimal(1), now)])


def read_pages(desk: BenchDesk) -> Iterator[float]:
    """Milliseconds of each page, from the first to the last."""
    path = f"wallets?limit={PAGE}"
    while path:
        started = time.perf_counter()
        answer = desk.call("GET", path)
        yield (time.perf_counter() - started) * 1000
        path = answer["next"].partition("/api/v1/")[2] if answer["next"] else ""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        var = Path(folder) / "var"
        desk = BenchDesk(var, SANDBOX="0")
        desk.start()
        try:
            desk.token = desk.command("create_api_token", "bench")["token"]
            prepare_django(var)
            with psycopg.connect(VarFolder(var).database_url, autocommit=True) as database:
                print(format_table(["", "median", "p95"], measure_wallets(desk, database)))
        finally:
            desk.stop()


def measure_wallets(desk: BenchDesk, database: psycopg.Connection) -> list[list[str]]:
    database.execute(SEED.format(first=1, last=FEW, coins=COINS).encode())
    keep_prices()
    rows = [
        describe(f"`wallets`, all {FEW}", time_calls(lambda: desk.call("GET", f"wallets?limit={FEW}"))),
        describe("`wallets`, the first 100", time_calls(lambda: desk.call("GET", "wallets"))),
        describe("`wallets/{id}/value`", time_calls(lambda: desk.call("GET", "wallets/bench7/value"))),
        describe("`live/portfolio`", time_calls(lambda: desk.call("GET", "live/portfolio"))),
    ]
    database.execute(SEED.format(first=FEW + 1, last=MANY, coins=COINS).encode())
    keep_prices()
    pages = [spent for _ in range(5) for spent in read_pages(desk)]
    return [*rows, describe(f"`wallets`, {MANY:,} of them, {PAGE} a page", pages)]


if __name__ == "__main__":
    main()
