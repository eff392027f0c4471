"""The live demonstration: accounts at the sandbox and bots that trade there, and wallets on its chains, so that a new desk has
something to show in its first minute."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.work import send_named
from market.sandbox import keys
from market.sandbox.chains import demo
from market.sandbox.chains.server import Nodes, running_nodes
from trading.models import Bot
from trading.reconciliation.run import run_begin, run_execute
from trading.services.bots import bot_create, bot_start
from wallets.ledger import Account, Booking, Leg, booking_write
from wallets.models import ExchangeAccount, LedgerTransaction, ReconciliationRun, Wallet
from wallets.services import (
    account_create,
    account_secret_set,
    account_update,
    endpoint_place_set,
    wallet_create,
    watch_create,
    watch_read,
)

Kind = LedgerTransaction.Kind
SEED = 1
QUOTES = {"binance": "USDT", "coinbase": "USD"}
WATCHED = (
    ("Phantom", "solana", demo.SOLANA),
    ("Ledger, Ethereum", "ethereum", demo.ETHEREUM),
    ("Cold storage, Bitcoin", "bitcoin", demo.BITCOIN),
)


def sandbox_accounts(port: int) -> list[ExchangeAccount]:
    """The accounts of both sandbox venues, at the address where the sandbox is this time."""
    http, ws = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}"
    addresses: dict[str, dict[str, str]] = {
        "binance": {"rest": http, "ws": ws, "ws_api": f"{ws}/ws-api/v3", "ws_user": ""},
        "coinbase": {"rest": http, "ws": f"{ws}/coinbase/ws", "ws_api": "", "ws_user": f"{ws}/coinbase/ws/user"},
    }
    return [ensure_account(venue, where) for venue, where in addresses.items()]


def ensure_account(venue: str, where: dict[str, Any]) -> ExchangeAccount:
    key = keys.binance_key(SEED) if venue == "binance" else keys.coinbase_key(SEED)
    found = ExchangeAccount.objects.filter(venue=venue, environment="sandbox", api_key=key.name).first()
    if found is None:
        found = account_create(name=f"Sandbox {venue.title()}", venue=venue, environment="sandbox")
        account_secret_set(account=found, api_key=key.name, secret=key.secret)
    if any(getattr(found, name) != value for name, value in where.items()):
        account_update(account=found, name=found.name, **where)
    return found


def sandbox_nodes(port: int) -> None:
    """The sandbox's chains, at the address where the sandbox is this time."""
    for chain, url in Nodes().urls(port).items():
        endpoint_place_set(chain=chain, url=url)


def demo_watches_load(port: int) -> None:
    """A wallet on each of the sandbox's chains, as Phantom and others have them. They are read at once, from nodes that are what
    the sandbox's will be, so that there is something to see before any worker runs."""
    with running_nodes(demo.demo_nodes()) as nodes:
        sandbox_nodes(nodes.port)
        for name, chain, address in WATCHED:
            watch_read(wallet=watch_create(raw={"chain": f"{chain}-sandbox", "address": address, "name": name}))
    sandbox_nodes(port)


def demo_bots_load(accounts: list[ExchangeAccount]) -> list[Bot]:
    """Wallets and running bots of the demonstration."""
    wallets = {
        one.venue: wallet_create(name=one.name, kind=Wallet.Kind.EXCHANGE, quote=QUOTES[one.venue], account=one) for one in accounts
    }
    paper = wallet_create(
        name="Paper", kind=Wallet.Kind.PAPER, quote="USDT", venue="binance-sandbox", opening={"USDT": Decimal(100_000)}
    )
    bots = [
        bot_create(name="Buys each minute, sells at a gain", mode="testnet", wallet_id=wallets["coinbase"].wallet_id, config=BUYER),
        bot_create(name="Grid around the price", mode="testnet", wallet_id=wallets["binance"].wallet_id, config=GRID),
        bot_create(name="Cross of averages, on paper", mode="paper", wallet_id=paper.wallet_id, config=CROSS),
    ]
    return [bot_start(bot_id=bot.bot_id) for bot in bots]


def demo_drift_load() -> None:
    """Has a worker plant a drift, once there is a fill that can be booked twice."""
    send_named("trading.tasks.demo_drift_plant", [()])


def drift_plant() -> ReconciliationRun | None:
    """Books the first fill of the demonstration twice, and has reconciliation find it. None while there is none yet."""
    fills = LedgerTransaction.objects.filter(kind=Kind.FILL, wallet__account__environment="sandbox", wallet__archived=False)
    fill = fills.select_related("wallet__account").prefetch_related("entries").order_by("id").first()
    if fill is None:
        return None
    place, _, side = fill.reference.rsplit(":", 2)
    legs = [Leg(Account(entry.account), entry.asset, entry.amount) for entry in fill.entries.all()]
    again = Booking(Kind.FILL, f"{place}:planted:{side}", fill.ts, legs, "Booked twice, for the demonstration.")
    booking_write(fill.wallet_id, again)
    return run_execute(run_begin(wallet=fill.wallet, trigger=ReconciliationRun.Trigger.START))


BUYER: dict[str, Any] = {
    "strategy": "dca",
    "params": {"every": 1, "part": 1},
    "venue": "coinbase-sandbox",
    "symbol": "BTC-USD",
    "interval": "1m",
    "cash": "20000",
    "fees": {"maker_bps": 40, "taker_bps": 60},
    "sizing": {"kind": "fixed", "value": "100"},
    "exits": {"take_profit": 0.012},
}
"""Its cash lasts for three hours of purchases, and its take-profit is more than both fees."""
GRID: dict[str, Any] = {
    "strategy": "grid",
    "params": {"levels": 8, "spacing": 0.003, "above": 4},
    "venue": "binance-sandbox",
    "symbol": "ETH-USDT",
    "interval": "1m",
    "cash": "5000",
    "fee_bps": 10,
    "sizing": {"kind": "fraction", "value": 0.8},
    "exits": {"take_profit": 0.006},
}
"""It begins with a purchase for the upper half of its levels. A step is three times a fee, and the sandbox's prices take one every
few minutes."""
CROSS: dict[str, Any] = {
    "strategy": "sma_cross",
    "params": {"fast": 3, "slow": 8},
    "venue": "binance-sandbox",
    "symbol": "SOL-USDT",
    "interval": "1m",
    "cash": "10000",
    "fee_bps": 10,
}
