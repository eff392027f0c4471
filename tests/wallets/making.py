"""Wallets, accounts and fills for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from market.exchanges.base import KeyPermissions
from wallets import services
from wallets.ledger import booking_write
from wallets.models import ExchangeAccount, Wallet

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SECRET = "NotToBeSeenAnywhere0123456789abcdef"
API_KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgw"
HTMX = {"HX-Request": "true"}
numbers = count(1)


def paper(**options: Any) -> Wallet:
    given: dict[str, Any] = {"name": f"paper {next(numbers)}", "venue": "binance", "quote": "USDT", "opening": {"USDT": "10000"}}
    return services.wallet_create(kind="paper", **given | options)


def rich(**more: str) -> Wallet:
    """With more of made-up money than `fill` takes a few times; `more` by asset."""
    return paper(opening={"USDT": "20000", **more})


def account(**options: Any) -> ExchangeAccount:
    given = {"name": f"account {next(numbers)}", "venue": "binance", "environment": "sandbox", "api_key": API_KEY, "secret": SECRET}
    return services.account_create(**given | options)


def allowed(**options: Any) -> KeyPermissions:
    given = {"can_read": True, "can_trade": True, "can_withdraw": False, "ip_restricted": None}
    return KeyPermissions(**given | options)


def fill(wallet: Wallet, trade_id: Any, **options: Any) -> bool:
    """Buys 0.5 BTC at 30,000 USDT for a fee of 15 USDT, unless told otherwise."""
    given: dict[str, Any] = {
        "reference": f"fill:binance:BTC-USDT:{trade_id}",
        "ts": NOW,
        "base": "BTC",
        "quote": "USDT",
        "side": "buy",
        "quantity": Decimal("0.5"),
        "price": Decimal(30_000),
        "fee": Decimal(15),
        "fee_asset": "USDT",
    }
    return booking_write(wallet.pk, services.fill_booking(**given | options))


def queries(act: Callable[[], Any]) -> int:
    """How many questions an answer costs the database."""
    with CaptureQueriesContext(connection) as seen:
        assert act().status_code == 200
    return len(seen)
