"""How money comes and goes by other ways than trading, and when an account has more of it or less."""

from __future__ import annotations

from decimal import Decimal

from market.sandbox.events import BalanceUpdate, MovementUpdate
from market.sandbox.movements import MovementTicket, SandboxMovement, Stage
from market.sandbox.orders import ZERO, RequestRefused
from market.sandbox.records import ExchangeRecords


class MovementTeller:
    """Makes movements and brings them to their end. `records` is the exchange."""

    def __init__(self, records: ExchangeRecords) -> None:
        self.records = records

    def move(self, account: str, ticket: MovementTicket, stage: Stage, created: int | None = None) -> SandboxMovement:
        """`RequestRefused` where the account has too little."""
        records, now = self.records, self.records.wall()
        at = now if created is None else created
        made = SandboxMovement(records.next_movement, account, ticket, stage, at, 0 if stage == "pending" else at)
        self._pay(account, made.effect())
        records.next_movement += 1
        records.accounts[account].movements[made.id] = made
        records.emit(MovementUpdate(account, made, now))
        return made

    def settle(self, account: str, number: int, stage: Stage) -> SandboxMovement:
        """What was pending is done or has failed; what was done may still fail, and is then taken back. `RequestRefused`."""
        made = self.records.accounts[account].movements.get(number)
        if made is None:
            raise RequestRefused("unknown_order", f"There is no movement {number}.")
        before, was = made.effect(), made.stage
        made.stage = stage
        after = made.effect()
        try:
            self._pay(account, {asset: after.get(asset, ZERO) - before.get(asset, ZERO) for asset in {**before, **after}})
        except RequestRefused:
            made.stage = was
            raise
        made.ended = 0 if stage == "pending" else self.records.wall()
        self.records.emit(MovementUpdate(account, made, made.ended))
        return made

    def _pay(self, account: str, changes: dict[str, Decimal]) -> None:
        """All changes or none. Everybody else has the opposite."""
        records, now = self.records, self.records.clock()
        holder = records.accounts[account]
        changes = {asset: amount for asset, amount in changes.items() if amount}
        if any(holder.balance(asset).free + amount < 0 for asset, amount in changes.items()):
            raise RequestRefused("insufficient_balance", "Account has insufficient balance for requested action.")
        for asset, amount in changes.items():
            holder.receive(asset, amount)
            holder.updated = now
            records.outside[asset] = records.outside.get(asset, ZERO) - amount
            records.emit(BalanceUpdate(account, (asset,), now, deposit=amount))
        if changes:
            records.emit(BalanceUpdate(account, tuple(changes), now))
