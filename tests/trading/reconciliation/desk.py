"""A wallet at a venue of the sandbox, and what makes its books differ from the venue's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from secrets import token_hex
from typing import Any

from django.utils import timezone

from core.times import from_ms
from market.exchanges.base import Balance
from market.sandbox.movements import MovementLeg, MovementTicket, SandboxMovement
from market.sandbox.orders import OrderTicket, SandboxFill, SandboxOrder
from market.sandbox.server import RunningSandbox
from tests.chaos import desk
from trading.models import Bot, Order, OrderStatus
from trading.reconciliation.own_side import name_venue
from trading.reconciliation.run import run_begin, run_execute
from wallets.ledger import booking_write
from wallets.models import Drift, ReconciliationRun, Wallet
from wallets.services import fill_booking, ledger_opening_from_venue

BASE = "BTC"


@dataclass(slots=True)
class PlantedDesk:
    sandbox: RunningSandbox
    venue: str
    wallet: Wallet

    @classmethod
    def open(cls, sandbox: RunningSandbox, venue: str) -> PlantedDesk:
        """Its books began an hour ago, with what the account has: venues tell of movements by the second."""
        planted = cls(sandbox, venue, desk.wallet(sandbox, venue))
        held = sandbox.exchange(venue).accounts[sandbox.key(venue)].balances
        balances = [Balance(asset, one.free, one.held) for asset, one in held.items()]
        ledger_opening_from_venue(wallet=planted.wallet, balances=balances, ts=timezone.now() - timedelta(hours=1))
        return planted

    @property
    def quote(self) -> str:
        return desk.QUOTES[self.venue]

    @property
    def symbol(self) -> str:
        return f"{BASE}-{self.quote}"

    def reconcile(self, **options: Any) -> ReconciliationRun:
        return run_execute(run_begin(wallet=self.wallet, trigger="command", **options))

    def trade(self, client_id: str = "by-hand", quantity: str = "0.01", side: Any = "buy") -> SandboxOrder:
        """An order at the venue that is filled at once."""
        exchange, key = self.sandbox.exchange(self.venue), self.sandbox.key(self.venue)
        ticket = OrderTicket(self.symbol, side, "market", qty=Decimal(quantity), client_id=client_id)
        return self.sandbox.do(lambda: exchange.place(key, ticket))

    def rest(self, client_id: str = "by-hand", quantity: str = "0.01") -> SandboxOrder:
        """One that waits far from the market."""
        exchange, key = self.sandbox.exchange(self.venue), self.sandbox.key(self.venue)
        limit = (exchange.markets[self.symbol].book.last / 2).quantize(Decimal(1))
        ticket = OrderTicket(self.symbol, "buy", "limit", qty=Decimal(quantity), limit=limit, client_id=client_id)
        return self.sandbox.do(lambda: exchange.place(key, ticket))

    def pay_in(self, asset: str, amount: str) -> None:
        """Money that comes or goes (below zero) without a record of it."""
        account = self.sandbox.exchange(self.venue).accounts[self.sandbox.key(self.venue)]
        self.sandbox.do(lambda: account.receive(asset, Decimal(amount)))

    def move(self, kind: Any, stage: Any = "done", **legs: str) -> SandboxMovement:
        """A movement that the venue tells of."""
        exchange, key = self.sandbox.exchange(self.venue), self.sandbox.key(self.venue)
        parts = tuple(MovementLeg(asset, Decimal(amount)) for asset, amount in legs.items())
        txid, other = token_hex(16), "funding" if kind in ("transfer", "reward") else ""
        ticket = MovementTicket(kind, parts, network="BTC", address="bc1qexample", txid=txid, other=other)
        return self.sandbox.do(lambda: exchange.move(key, ticket, stage))

    def start_bot(self) -> Bot:
        """One whose run is there, and that nobody drives."""
        return desk.start(desk.bot("dca", self.venue, self.symbol, {"every": 1, "part": 1}, desk.fixed("150"), {}), self.wallet)

    def lose_order(self, client_id: str, quantity: str = "0.01", **changes: Any) -> Order:
        """Our row of an order that we took for cancelled."""
        bot = Bot.objects.get()
        given = {
            "order_id": token_hex(8),
            "client_order_id": client_id,
            "bot": bot,
            "run": bot.run,
            "wallet": self.wallet,
            "number": -1 - Order.objects.count(),
            "mode": bot.mode,
            "venue": name_venue(self.wallet),
            "symbol": self.symbol,
            "side": "buy",
            "type": "market",
            "quantity": Decimal(quantity),
            "reason": "entry_signal",
            "status": OrderStatus.CANCELLED,
            "correlation_id": token_hex(16),
            "decided_at": timezone.now(),
        }
        return Order.objects.create(**given | changes)

    def book(self, order: SandboxOrder, **changes: Any) -> None:
        """What the desk would have booked of it, unless told otherwise."""
        for fill in order.fills:
            assert booking_write(self.wallet.pk, fill_booking(**self.describe(fill, order) | changes))

    def describe(self, fill: SandboxFill, order: SandboxOrder) -> dict[str, Any]:
        place = f"account:{self.wallet.account_id}:{name_venue(self.wallet)}:{fill.symbol}"
        base, quote = fill.symbol.split("-")
        return {
            "reference": f"fill:{place}:{fill.id}:{fill.side}",
            "ts": from_ms(fill.time),
            "base": base,
            "quote": quote,
            "side": fill.side,
            "quantity": fill.qty,
            "price": fill.price,
            "fee": fill.fee,
            "fee_asset": fill.fee_asset,
        }


def open_drifts() -> dict[str, str]:
    """The cause of each open one, by asset."""
    return {one.asset: one.cause for one in Drift.objects.filter(state=Drift.State.OPEN)}
