"""An account: one API key's money and orders."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from market.sandbox.movements import SandboxMovement
from market.sandbox.orders import ZERO, RequestRefused, SandboxFill, SandboxOrder


@dataclass(slots=True)
class AssetBalance:
    """What an account owns of one asset: `held` is set aside for its open orders."""

    free: Decimal = ZERO
    held: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.free + self.held


@dataclass(slots=True)
class SandboxAccount:
    """Balances by asset, orders by id and by client id (the newest with each), fills by time, movements by id. `name` is the API
    key.

    `elsewhere` is what no order can use, by place and asset. `updated` is when something last changed (ms); the three flags say
    what the key may do.
    """

    name: str
    balances: dict[str, AssetBalance] = field(default_factory=dict)
    orders: dict[int, SandboxOrder] = field(default_factory=dict)
    by_client_id: dict[str, SandboxOrder] = field(default_factory=dict)
    open: dict[int, SandboxOrder] = field(default_factory=dict)
    fills: list[SandboxFill] = field(default_factory=list)
    elsewhere: dict[tuple[str, str], Decimal] = field(default_factory=dict)
    movements: dict[int, SandboxMovement] = field(default_factory=dict)
    updated: int = 0
    can_trade: bool = True
    can_withdraw: bool = False
    ip_restricted: bool = False

    def balance(self, asset: str) -> AssetBalance:
        return self.balances.setdefault(asset, AssetBalance())

    def hold(self, order: SandboxOrder, need: Decimal) -> None:
        """Sets aside exactly `need` for the order, out of or back into what is free. `RequestRefused` where that is too little."""
        balance = self.balance(order.hold_asset)
        more = need - order.held
        if more > balance.free:
            raise RequestRefused("insufficient_balance", "Account has insufficient balance for requested action.")
        balance.free -= more
        balance.held += more
        order.held = need

    def pay(self, order: SandboxOrder, amount: Decimal) -> None:
        """Takes an amount from what the order holds, and from what is free where that does not suffice."""
        balance = self.balance(order.hold_asset)
        part = min(amount, order.held)
        order.held -= part
        balance.held -= part
        balance.free -= amount - part

    def receive(self, asset: str, amount: Decimal) -> None:
        self.balance(asset).free += amount
