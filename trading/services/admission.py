"""Whether an order of a step may be written: the bot's risk limits first, then its budgets. The answer is a value; what follows
from it is the step writer's."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, TypeAlias

from core.batch import WriteBatch
from core.times import to_ms
from engine import risk
from engine.live import Intent
from market.rounding import exact_decimal, round_quantity
from trading.services.budgets import ALIVE, Draw, budget_claim, is_killed
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.paper_funds import PaperFunds

PROTECTIVE = frozenset({"stop_loss", "trailing_stop", "take_profit", "time_limit"})
"""Reasons of orders that protect a position."""
PLACES = Decimal("1e-18")
TRIED_AGAIN = (
    "Purchases of the symbol are tried again, every five minutes at least, and at most twelve times an hour where it lasts."
)


@dataclass(frozen=True, slots=True)
class Admitted:
    """The order may be written. `claim`: what its budgets set aside for it, in quote; None for a sale, which claims nothing."""

    intent: Intent
    claim: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ExecutedAlready:
    """On paper an exit that triggered inside a candle is wanted and executed in one step, so there is nothing left to refuse."""

    intent: Intent
    claim: None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """The order must not be written, and why."""

    intent: Intent
    denial: risk.Denial


Decision: TypeAlias = Admitted | ExecutedAlready | Blocked


class Claims(Protocol):
    """How orders of one step claim their budgets, and who looks at the kill switch meanwhile."""

    @property
    def draw(self) -> Draw:
        """What the step takes from its budgets."""
        ...

    def claim(self, amount: Decimal) -> risk.Denial | None:
        """Sets `amount`, in quote, aside."""
        ...

    def is_killed(self) -> bool:
        """Whether an order that claims nothing meets the kill switch."""
        ...

    def add_conditions(self, batch: WriteBatch) -> None:
        """What the statement that writes the orders still has to test."""
        ...


@dataclass(frozen=True, slots=True)
class ClaimsInTurn:
    """One order after the other, each by a statement of its own: the rows of the budgets stay locked until the caller's
    transaction ends."""

    draw: Draw

    def claim(self, amount: Decimal) -> risk.Denial | None:
        """The claim itself looks at the kill switch."""
        self.draw.settle_now()
        return budget_claim(self.draw.ids, amount)

    def is_killed(self) -> bool:
        return is_killed()

    def add_conditions(self, batch: WriteBatch) -> None:
        """Nothing: all of it was tested in its turn."""


@dataclass(frozen=True, slots=True)
class ClaimsTogether:
    """All orders of the step at once, by the statement that writes them, which writes nothing where a budget has no room or the
    kill switch is on. The rows that all bots claim from are locked for that one statement: no bot waits for another's round trips
    to the database."""

    draw: Draw

    def claim(self, amount: Decimal) -> risk.Denial | None:
        self.draw.claim += amount
        return None

    def is_killed(self) -> bool:
        """Not known yet: the statement tests it."""
        return False

    def add_conditions(self, batch: WriteBatch) -> None:
        batch.require("kill switch", ALIVE, ())


@dataclass(slots=True)
class Admission:
    """Decides on the orders of one step."""

    loaded_bot: LoadedBot
    market: MarketNow
    claims: Claims
    funds: PaperFunds | None = None
    """Where the engine executes the orders itself."""

    def decide(self, intent: Intent) -> Decision:
        """Checks the order and claims its budgets."""
        if intent.side == "sell" and not self.loaded_bot.external:
            return ExecutedAlready(intent)
        proposal = self.make_proposal(intent)
        is_entry = proposal.side == "buy"  # claiming looks at the kill switch itself
        killed = not is_entry and self.claims.is_killed()
        moment = self.loaded_bot.moment(intent.symbol, self.market, killed, sells=not is_entry)
        denial = self.deny_after_end() or risk.check_proposal(proposal, moment, self.loaded_bot.limits)
        if denial is not None:
            return Blocked(intent, denial)
        if not is_entry:
            return Admitted(intent)
        if refused := self.deny_refused(intent.number):
            return Blocked(intent, refused)
        fees = self.loaded_bot.config.fees
        fee = exact_decimal(fees.taker if self.loaded_bot.external else max(fees.taker, fees.maker))
        return self.claim(intent, (risk.quote_value(proposal, moment) * (1 + fee)).quantize(PLACES))

    def claim(self, intent: Intent, amount: Decimal) -> Decision:
        denial = self.claims.claim(amount)
        if denial is None and self.funds is not None and (denial := self.funds.take(intent.number, amount)):
            self.claims.draw.settle(unclaim=amount)
        return Admitted(intent, amount) if denial is None else Blocked(intent, denial)

    def claim_in_turn(self, draw: Draw) -> None:
        """From here on. Nothing of what was to be claimed together has been."""
        draw.claim = Decimal(0)
        self.claims = ClaimsInTurn(draw)

    def deny_after_end(self) -> risk.Denial | None:
        """A run that has ended sends nothing more, whatever its engine still wants."""
        if self.loaded_bot.run.ended_at is None:
            return None
        return risk.Denial("bot_not_running", "The run has ended: nothing more is sent.")

    def deny_refused(self, number: int) -> risk.Denial | None:
        """An entry waits for its time where the venue has refused the last ones of the symbol."""
        loaded_bot = self.loaded_bot
        held = loaded_bot.trader.try_entry(number, to_ms(self.market.time)) if loaded_bot.external else None
        return None if held is None else risk.Denial("entry_refused", f"{held.cause} {TRIED_AGAIN}")

    def make_proposal(self, intent: Intent) -> risk.Proposal:
        price = intent.limit if intent.limit is not None else intent.stop
        return risk.Proposal(
            symbol=intent.symbol,
            side=intent.side,
            quantity=round_quantity(self.loaded_bot.instruments[intent.symbol], intent.quantity),
            price=None if price is None else Decimal(repr(price)),
            protective=intent.reason in PROTECTIVE,
        )
