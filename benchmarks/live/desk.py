"""A desk for a benchmark: services of its own in a folder that is deleted, an account at the sandbox's process, and many bots."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.api import ROOT

VENUE = "binance-sandbox"


@contextmanager
def services() -> Iterator[None]:
    """PostgreSQL (durable) and Valkey, the schema, and Django set up on them."""
    from operations.embedded import start_services

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        var = Path(folder) / "var"
        started = start_services(var)
        try:
            os.environ.update(VAR=str(var), ENV_FILE=os.devnull, DJANGO_SETTINGS_MODULE="config.settings", DATABASE_POOL="0")
            os.environ.update(DATABASE_URL=started.database_url, REDIS_URL=started.redis_url, RISK_BUDGET="100000000")
            import django

            django.setup()
            from django.conf import settings
            from django.core.management import call_command

            settings.WATCHLIST = {}
            call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
            yield
        finally:
            started.stop()


@contextmanager
def venue(symbols: int, rate: float, shape: str) -> Iterator[dict[str, Any]]:
    """The sandbox in a process of its own: its addresses and keys."""
    arguments = [sys.executable, "-m", "benchmarks.live.venue", str(symbols), str(rate), shape]
    with subprocess.Popen(arguments, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield {**json.loads(process.stdout.readline()), "pid": process.pid}
        finally:
            process.stdin.close()
            process.wait(20)


def open_account(addresses: dict[str, Any]) -> str:
    """An account and a wallet at the sandbox: the wallet's id."""
    from wallets.services import account_create, wallet_create

    account = account_create(
        name="bench",
        venue="binance",
        environment="sandbox",
        api_key=addresses["api_key"],
        secret=addresses["api_secret"],
        **{name: addresses[name] for name in ("rest", "ws", "ws_api")},
    )
    return wallet_create(name="bench", kind="exchange", quote="USDT", account=account).wallet_id


def open_bots(wallet_id: str, symbols: Sequence[str], count: int, **config: Any) -> None:
    """`count` running bots, the symbols in turn; `config["params"]` is called with the bot's number."""
    from benchmarks.live.strategies import register
    from trading.services.bots import bot_create, bot_start

    register()
    for number in range(count):
        own = config | {"params": config["params"](number), "symbols": [symbols[number % len(symbols)]]}
        base = {"venue": VENUE, "interval": "1m", "cash": "1000", "fee_bps": 10, "sizing": {"kind": "fixed", "value": "20"}}
        bot = bot_create(name=f"bench {number}", mode="testnet", wallet_id=wallet_id, config=base | own)
        bot_start(bot_id=bot.bot_id)
