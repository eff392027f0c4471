"""A desk with one of everything that an address can name, and the callers who ask it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from access.scopes import SCOPES, scopes_of
from access.services import token_create
from backtests import services
from backtests.sweeps import services as sweeps
from market import candles as store
from market.models import CandleImport
from market.services import instrument_ensure
from tests.backtests.fixtures import CONFIG, make_candles
from tests.people import make_person
from tests.trading.live.fixtures import Rows
from tests.wallets.making import account
from wallets.models import Drift
from wallets.services import wallet_create, wallet_deposit
from wallets.services.drifts import FoundDrift, drifts_note
from wallets.services.reconciliations import reconciliation_begin

SYMBOL, QUOTE = "BTC-USDT", "USDT"
SETTINGS = {**CONFIG, "symbols": [SYMBOL]}
ROLES = ("viewer", "trader", "operator", "administrator")


@dataclass(frozen=True)
class Caller:
    """Somebody with a token, or with none."""

    name: str
    scopes: frozenset[str] = frozenset()
    token: str = ""
    may_all: bool = False
    """Has each scope and each right."""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def make_callers() -> list[Caller]:
    """One of each role, with all scopes of it; one who may do all with a token that may only look; one with a false token, and
    one without any."""
    people = {role: make_person(role, role) for role in ROLES}
    return [
        *(make_caller(role, person, sorted(scopes_of(person))) for role, person in people.items()),
        make_caller("reading token", people["administrator"], ["read"]),
        Caller("false token", token="qd_" + "0" * 40),
        Caller("anonymous"),
    ]


def make_caller(name: str, person: User, scopes: list[str]) -> Caller:
    token, secret = token_create(user=person, scopes=[scope for scope in SCOPES if scope in scopes])
    return Caller(name, frozenset(token.scopes), secret, may_all=name == "administrator")


def make_desk() -> tuple[dict[str, Any], dict[str, Any]]:
    """Something of each kind, by the name that it has in addresses; and settings that runs and bots can have here."""
    rows = Rows()
    store.write_candles(instrument_ensure(venue="binance", symbol=SYMBOL), make_candles(SYMBOL))
    run = services.run_execute(run_id=services.run_create(config=SETTINGS).run_id)
    sweep = sweeps.sweep_create(config={**SETTINGS, "params": {}, "space": {"fast": [3, 4], "slow": [9, 12]}})
    rows.stream()
    wallet = rows.wallet()
    wallet_deposit(wallet=wallet, asset="USDT", amount="100000")
    bot, stopped = rows.bot(wallet=wallet), rows.bot(wallet=wallet, running=False)
    order = rows.order(bot, status="accepted")
    rows.fill(rows.order(bot, correlation_id=order.correlation_id))
    rows.position(bot)
    rows.block(bot, correlation_id=order.correlation_id)
    rows.claim(order)
    rows.budget()
    rows.event(bot=bot)
    owner, _ = token_create(user=User.objects.get(username="administrator"), scopes=["read"])
    queued = CandleImport.objects.create(venue="binance", symbol=SYMBOL, interval="5m", filename="x.csv")
    named = {
        "run_id": run.run_id,
        "sweep_id": sweep.sweep_id,
        "wallet_id": wallet.wallet_id,
        "bot_id": stopped.bot_id,
        "order_id": order.order_id,
        "correlation_id": order.correlation_id,
        "token_id": owner.pk,
        "import_id": queued.pk,
        "drift_id": make_drift().pk,
        "timestamp": "2022-01-01T10:00:00Z",
    }
    usual = {
        "strategy": ["sma_cross"],
        "params": [{}, SETTINGS["params"]],
        "venue": ["binance"],
        "symbols": [[SYMBOL]],
        "symbol": [SYMBOL],
        "wallet_id": [wallet.wallet_id],
    }
    return named, usual


def make_drift() -> Drift:
    """One that can be resolved in each way but booking."""
    wallet = wallet_create(name="At a venue", kind="exchange", quote=QUOTE, account=account())
    run = reconciliation_begin(wallet=wallet, trigger="page")
    with transaction.atomic():
        found = FoundDrift("balance", QUOTE, Decimal(0), Decimal(5), "unknown", value=Decimal(5))
        return drifts_note(run, [found]).standing[0]
