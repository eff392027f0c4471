"""What a wallet of made-up money has for the steps of one bot. What is not there cannot be spent, as at a venue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal

from core.fields import EXACT
from core.prepared import execute_prepared
from engine import risk
from engine.layout import money_scale
from engine.live import Executed
from market.rounding import ALMOST, PLACES, exact_decimal
from trading.models import Mode
from trading.services.loaded_bot import LoadedBot

# Claims of a wallet come one after the other, because its risk budget stays locked until the claimant's transaction ends. So what
# is read after a claim is what there is.
CLAIMS = """
SELECT coalesce(sum(claim.open), 0)
FROM trading_order AS resting JOIN trading_riskallocation AS claim ON claim.order_id = resting.id
WHERE resting.status IN ('pending', 'submitted', 'accepted', 'partially_filled')
AND resting.wallet_id = %s::bigint AND resting.mode = 'paper' AND claim.currency = %s::text
"""
FUNDS = f"""
SELECT
    coalesce((SELECT amount FROM wallets_walletbalance WHERE wallet_id = %s::bigint AND asset = %s::text), 0),
    ({CLAIMS})
"""  # noqa: S608
APART = f"""{CLAIMS} AND resting.type <> 'market' AND NOT (resting.run_id = %s::bigint AND resting.number = ANY(%s::bigint[]))"""
NOTHING = Decimal(0)


@dataclass(slots=True)
class PaperFunds:
    """Of one step. `taken` by the orders that it has admitted; `changed`: what its executions so far did to the amount."""

    loaded_bot: LoadedBot
    amount: Decimal | None = None
    claimed: Decimal = NOTHING
    taken: Decimal = NOTHING
    changed: Decimal = NOTHING
    costs: dict[int, Decimal] = field(default_factory=dict)
    """What a purchase costs, fee included, by the engine's number, where that is known before."""
    proceeds: Decimal = NOTHING
    """What the step sells before it buys."""

    @property
    def quote(self) -> str:
        return self.loaded_bot.config.symbols[0].split("-")[1]

    def read(self) -> Decimal:
        """What the wallet had of the quote currency before this step."""
        if self.amount is None:
            wallet = self.loaded_bot.books_id
            with execute_prepared(FUNDS, [wallet, self.quote, wallet, self.quote]) as cursor:
                self.amount, self.claimed = cursor.fetchone()
        return self.amount

    def expect(self, executed: Sequence[Executed]) -> None:
        """Takes in what the engine is about to do."""
        self.proceeds, self.costs = NOTHING, {}
        for one in executed:
            if one.side == "sell":
                self.proceeds += money_of(one)
            else:
                self.costs[one.number] = self.costs.get(one.number, NOTHING) - money_of(one)

    def take(self, number: int, claim: Decimal) -> risk.Denial | None:
        """Sets what an order may cost aside, or says what is missing. A replay has the engine's own cash in books of its own."""
        if self.loaded_bot.bot.mode == Mode.REPLAY:
            return None
        needed = self.costs.get(number, claim)
        free = self.read() - self.claimed - self.taken + self.proceeds
        if needed - free > needed * ALMOST:
            return self.deny(needed, free)
        self.taken += needed
        return None

    def deny(self, needed: Decimal, free: Decimal) -> risk.Denial:
        wallet, quote = self.loaded_bot.bot.wallet.name, self.quote
        detail = f"It takes {needed:.8f} {quote}, and {max(free, NOTHING):.8f} {quote} is free in the wallet {wallet}."
        return risk.Denial("insufficient_balance", detail)

    def find_short(self, executed: Sequence[Executed]) -> int | None:
        """The first of these executions, in the engine's order, that the wallet could not pay: its order's number. What others
        that rest at a price have set aside is theirs: they were admitted for all of it, a market order for its first part."""
        numbers = [one.number for one in executed]
        with execute_prepared(APART, [self.loaded_bot.books_id, self.quote, self.loaded_bot.run.pk, numbers]) as cursor:
            left = self.read() - cursor.fetchone()[0]
        for one in executed:
            left += money_of(one)
            if one.side == "buy" and -left > -money_of(one) * ALMOST:
                return one.number
        return None

    def cut_noise(self, price: Decimal, quantity: Decimal, fee: Decimal) -> tuple[Decimal, Decimal]:
        """Quantity and fee of a purchase by a bot whose instruments have no last places: floats may miss the cash by their noise,
        which comes off the quantity or, where that stands on a lot, off the fee."""
        account = self.loaded_bot.trader.account
        if money_scale(account.cash, account.rules):
            return quantity, fee
        missing = EXACT.multiply(price, quantity) + fee - (self.read() + self.changed)
        if 0 < missing <= EXACT.multiply(price, quantity) * ALMOST:
            missing = missing.quantize(PLACES, ROUND_UP)
            if any(rule.lot for rule in account.rules):
                return quantity, fee - missing
            return quantity - (missing / price).quantize(PLACES, ROUND_UP), fee
        return quantity, fee


def money_of(one: Executed) -> Decimal:
    """What an execution does to the amount of quote."""
    value, fee = EXACT.multiply(exact_decimal(one.price), exact_decimal(one.quantity)), exact_decimal(one.fee)
    return value - fee if one.side == "sell" else -value - fee
