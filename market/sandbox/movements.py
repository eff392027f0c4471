"""Money that comes and goes by other ways than trading: deposits, withdrawals, conversions, dust, transfers, rewards, rebates."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

from market.sandbox.orders import ZERO

MovementKind = Literal["deposit", "withdrawal", "conversion", "dust", "transfer", "reward", "rebate"]
Stage = Literal["pending", "done", "failed"]
KINDS: tuple[str, ...] = get_args(MovementKind)
STAGES: tuple[str, ...] = get_args(Stage)


@dataclass(frozen=True, slots=True)
class MovementLeg:
    """What the account gets of an asset, or gives (below zero), before the fee."""

    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class MovementTicket:
    """A movement that is asked for. `fee` is on top of the legs. `other` is whom a transfer goes to or comes from (`FUNDING`), or
    what a reward is for. `wallet` is whose money it is; only that of `spot` is in the account."""

    kind: MovementKind
    legs: tuple[MovementLeg, ...]
    fee: Decimal = ZERO
    fee_asset: str = ""
    network: str = ""
    address: str = ""
    txid: str = ""
    other: str = ""
    wallet: str = "spot"


@dataclass(slots=True)
class SandboxMovement:
    """`created` and `ended` in ms of the server's clock; `ended` is 0 while it is pending."""

    id: int
    account: str
    request: MovementTicket
    stage: Stage
    created: int
    ended: int = 0

    def effect(self) -> dict[str, Decimal]:
        """What the account has more of each asset (less, below zero), as it stands: a withdrawal is taken out when it is asked for,
        and comes back where it fails; all else counts once it is done."""
        ticket = self.request
        counts = self.stage == "done" or (self.stage == "pending" and ticket.kind == "withdrawal")
        if not counts or ticket.wallet != "spot":
            return {}
        sums: dict[str, Decimal] = {}
        for asset, amount in [*((leg.asset, leg.amount) for leg in ticket.legs), (ticket.fee_asset, -ticket.fee)]:
            sums[asset] = sums.get(asset, ZERO) + amount
        return {asset: amount for asset, amount in sums.items() if amount}
