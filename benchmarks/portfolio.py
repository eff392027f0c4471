"""The portfolio of a desk with 10,000 bots and 1,000,000 fills: page and API, each answer computed anew."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

from benchmarks.pairs.services import Meter, start_django
from benchmarks.report import format_table

BOTS, FILLS, DAYS = 10_000, 1_000_000, 365
SYMBOLS = ("BTC-USDT", "ETH-USDT", "SOL-USDT", "BTC-USD", "ETH-USD", "XRP-USDC")
CALLS = 20
PERIODS = ("7d", "30d", "90d", "year", "all")

# One statement a table: half the fills are sales with a profit, over a year, by ten strategies out of a hundred wallets.
ROWS = """
INSERT INTO wallets_wallet (wallet_id, name, kind, venue, quote, maker, taker, archived, created_at)
SELECT lpad(to_hex(n), 16, '0'), 'Wallet ' || n, 'paper', 'binance', 'USDT', 0.001, 0.001, false, now() - interval '1 year'
FROM generate_series(1, 100) AS n;
INSERT INTO wallets_walletbalance (wallet_id, asset, amount, unbooked)
SELECT id, asset, 1000 + id, 0 FROM wallets_wallet, unnest(ARRAY['USDT', 'BTC', 'ETH', 'SOL', 'XRP']) AS asset;
INSERT INTO trading_bot (bot_id, name, config, strategy, venue, symbols, interval, mode, wallet_id, live_allowed, limits, schedule,
    replay, wanted, from_backtest, created_at, updated_at)
SELECT lpad(to_hex(n), 12, '0'), 'Bot ' || n, '{{"cash": "1000"}}', 'strategy_' || n % 10, 'binance',
    ({symbols})[1 + n % {kinds}], '5m', 'paper', (SELECT min(id) FROM wallets_wallet) + n % 100, false, '{{}}', '{{}}', '{{}}',
    'running', '', now() - interval '1 year', now()
FROM generate_series(1, {bots}) AS n;
INSERT INTO trading_botrun (run_id, bot_id, mode, config, limits, code_hash, started_at, end_reason, error, "left", evaluations,
    held_reason)
SELECT lpad(to_hex(id), 16, '0'), id, 'paper', '{{}}', '{{}}', '', created_at, '', '', '[]', 0, '' FROM trading_bot;
UPDATE trading_bot SET run_id = run.id FROM trading_botrun AS run WHERE run.bot_id = trading_bot.id;
INSERT INTO trading_order (order_id, client_order_id, venue_order_id, bot_id, run_id, wallet_id, number, mode, venue, symbol, side,
    type, quantity, reason, status, status_reason, filled_quantity, fees, correlation_id, trigger_id, cancel_requested, attempts,
    decided_at, created_at, updated_at)
SELECT lpad(to_hex(n), 16, '0'), 'q' || n, '', bot.id, bot.run_id, bot.wallet_id, n, 'paper', bot.venue, bot.symbols,
    CASE n % 2 WHEN 0 THEN 'buy' ELSE 'sell' END, 'market', 0.5, 'entry_signal', 'filled', '', 0.5, 0.05, 'c' || n, '', false, 1,
    moment, moment, moment
FROM (SELECT n, (SELECT min(id) FROM trading_bot) + (n::bigint / 2 * 7919) % {bots} AS owner,
    now() - interval '1 day' * {days} * (1 - n::float8 / {fills}) AS moment FROM generate_series(1, {fills}) AS n) AS made
JOIN trading_bot AS bot ON bot.id = owner;
INSERT INTO trading_position (bot_id, wallet_id, venue, symbol, quantity, cost, realised, fees, dust, exit_blocked, updated_at)
SELECT bot.id, wallet_id, venue, symbols, CASE id % 2 WHEN 0 THEN 0 ELSE 0.5 END, CASE id % 2 WHEN 0 THEN 0 ELSE 50 END,
    coalesce((SELECT sum(profit) FROM trading_fill AS fill WHERE fill.bot_id = bot.id), 0), 0, false, '', now()
FROM trading_bot AS bot;
"""


# Some at a time, as they come in: the sums by day are updated by each.
FILLED = """
INSERT INTO trading_fill (order_id, bot_id, account, venue, symbol, trade_id, side, price, quantity, cost, fee, fee_paid, fee_asset,
    fee_valued, maker, profit, correlation_id, ts, created_at)
SELECT id, bot_id, 'run', venue, symbol, number, side, 100, 0.5, 50, 0.05, 0.05,
    CASE bot_id %% 3 WHEN 0 THEN 'BNB' ELSE split_part(symbol, '-', 2) END, '', false,
    CASE side WHEN 'sell' THEN round(((number::bigint * 7919) %% 2000 - 990)::numeric / 137, 8) END, correlation_id,
    created_at, created_at
FROM trading_order WHERE number > %s AND number <= %s ORDER BY id
"""
CHUNK = 50_000


def make_rows() -> float:
    """Seconds that the fills took."""
    from django.db import connection

    symbols = "ARRAY[" + ", ".join(f"'{one}'" for one in SYMBOLS) + "]"
    with connection.cursor() as cursor:
        statements = ROWS.format(symbols=symbols, kinds=len(SYMBOLS), bots=BOTS, fills=FILLS, days=DAYS).split(";\n")
        for statement in filter(str.strip, statements):
            cursor.execute(statement)
        started = time.perf_counter()
        for first in range(0, FILLS, CHUNK):
            cursor.execute(FILLED, [first, first + CHUNK])
        taken = time.perf_counter() - started
        cursor.execute("VACUUM ANALYZE")
    return taken


def make_history() -> None:
    """What each wallet was worth on each day, and prices of dollars to value a year of profit with."""
    from tests.wallets.prices import hear, store_closes
    from wallets.models import ValueSnapshot, Wallet

    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [midnight - timedelta(days=DAYS - number) for number in range(DAYS + 1)]
    ValueSnapshot.objects.bulk_create(
        ValueSnapshot(wallet=wallet, currency="USD", ts=ts, value=Decimal(1000 + number), paid_in=Decimal(900))
        for wallet in Wallet.objects.all()
        for number, ts in enumerate(days)
    )
    for symbol in ("USDT-USD", "USDC-USD"):
        store_closes(symbol, [0.9998] * DAYS, start=days[0], interval="1d")
    for symbol, price in zip(
        (*SYMBOLS, "USDT-USD", "USDC-USD"), ("60000", "3000", "140", "60000", "3000", "2", "1", "1"), strict=True
    ):
        hear(symbol, price)


def measure_call(call: Callable[[], object]) -> tuple[float, float, float]:
    """Median and 95th percentile, and the least CPU of this process and the database's session, in ms."""
    walls, cpus = [], []
    for _ in range(CALLS):
        meter = Meter()
        call()
        cpu, wall = meter.read()
        walls.append(1000 * wall)
        cpus.append(1000 * cpu)
    return statistics.median(walls), statistics.quantiles(walls, n=20)[-1], min(cpus)


def measure_pages() -> list[list[str]]:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    rows = []
    for path in ("/api/v1/portfolio", "/api/v1/portfolio/history", "/portfolio/"):
        for period in PERIODS:
            assert client.get(path, {"period": period}).status_code == 200
            rows.append([path, period, *(f"{one:.0f} ms" for one in measure_call(partial(client.get, path, {"period": period})))])
    return rows


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="portfolio-") as var:
        services = start_django(var)
        try:
            from django.conf import settings

            settings.MEDIA_ROOT, settings.ALLOWED_HOSTS = f"{var}/media", ["*"]
            settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
            taken = make_rows()
            make_history()
            print(f"{BOTS:,} bots, {FILLS:,} fills in a year; written at {1e6 * taken / FILLS:.0f} us a fill\n")
            print(format_table(["address", "period", "median", "p95", "CPU"], measure_pages()))
        finally:
            services.stop()


if __name__ == "__main__":
    main()
