"""Whether an order may be sent: pure checks on what is known of the moment. The budget is claimed in the database afterwards.

What is not known is denied: no price, no limit, no order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from engine.order_rules import NO_RULES, OrderTerms, find_rule_fault
from engine.types import Rules

REASONS = {
    "kill_switch": "The kill switch is on: no order is sent.",
    "bot_not_running": "The bot is paused, stopped or outside its schedule: no entries.",
    "stale_price": "There is no fresh price.",
    "price_band": "The order's price is far from the market.",
    "below_min_notional": "The order is worth less than the venue takes.",
    "daily_loss": "The bot has lost what it may lose a day.",
    "symbol_exposure": "The bot would hold more of the symbol than it may.",
    "open_orders": "The bot has as many open orders as it may.",
    "order_rate": "The bot sends orders faster than it may.",
    "bot_budget": "The bot's risk budget has no room.",
    "wallet_budget": "The wallet's risk budget has no room.",
    "desk_budget": "The desk's risk budget has no room.",
    "unknown_limit": "There is no risk budget for this currency.",
    "insufficient_cash": "The bot's free cash does not pay for it.",
    "insufficient_balance": "The account at the venue does not have what it takes.",
    "below_lot_size": "The quantity is smaller than the venue takes.",
    "above_maximum": "One order may not ask for so much: it asks for the most that the venue takes.",
    "max_position": "The account would hold more of the asset than the venue lets it.",
    "venue_price_range": "The venue takes no order at this price.",
    "venue_open_orders": "The account has as many open orders in the symbol as the venue takes.",
    "no_market_orders": "The venue takes no market orders in this symbol.",
    "max_open_positions": "The bot holds as many symbols as it may.",
    "symbol_cap": "The symbol has its share of the bot's equity already.",
    "bad_price": "The strategy asked for a price that is none.",
    "protection": "A protection of the bot is on: no entries for now.",
    "too_many_waiting": "Market data came faster than decisions could be made.",
    "not_tradable": "The venue does not trade this symbol at present.",
    "entry_refused": "The venue has refused the last entries of this symbol.",
    "drift": "The books of its wallet and the venue differ: no entries until that is resolved.",
}
"""Every reason code of a BlockEvent, in words."""


LASTING = frozenset(
    {
        *("below_lot_size", "below_min_notional", "above_maximum", "not_tradable"),
        *("venue_price_range", "venue_open_orders", "no_market_orders"),
    }
)
"""Of these, what goes on until the venue's rules, or the price, are others."""


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """A bot's own limits; money in quote. None is no limit; `budget` is in the database."""

    daily_loss: Decimal | None = None
    symbol_exposure: Decimal | None = None
    open_orders: int = 100
    orders_per_minute: int = 60
    price_band: Decimal = Decimal("0.1")
    """Largest distance of an order's price from the last price, as a share of it."""
    price_age: float = 30.0
    """Seconds after which a price is stale."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order that the engine wants. `price`: its limit or stop; None for a market order."""

    symbol: str
    side: str
    quantity: Decimal
    price: Decimal | None
    protective: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known when it is decided."""

    last_price: Decimal | None
    price_age: float | None
    killed: bool = False
    entries_allowed: bool = True
    drift: str = ""
    """How the wallet's books and the venue differ, where that keeps its bots from buying."""
    tradable: bool = True
    open_orders: int = 0
    orders_last_minute: int = 0
    loss_today: Decimal = Decimal(0)
    exposure: Decimal = Decimal(0)
    """Of the symbol: positions at cost and entries on their way."""
    rules: Rules = NO_RULES
    """The venue's, for the symbol."""
    symbol_orders: int = 0
    """Open orders in the symbol."""
    at_venue: bool = False
    """Whether an account at the venue must have what the order takes."""
    free_quote: Decimal | None = None
    """Of the account; None: not known."""
    base_owned: Decimal | None = None
    """Free or held by its orders: ours are cancelled before we sell."""


@dataclass(frozen=True, slots=True)
class Denial:
    reason: str
    detail: str


def check_proposal(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    """The first reason against it, or None. Limits that keep a bot from buying never keep it from selling."""
    rules = (*ALWAYS, *(ENTRIES if proposal.side == "buy" else ()))
    for rule in rules:
        if denial := rule(proposal, moment, limits):
            return denial
    return None


def quote_value(proposal: Proposal, moment: Moment) -> Decimal:
    """In quote, at its own price or the last one."""
    return proposal.quantity * (proposal.price or moment.last_price or Decimal(0))


def kill_switch(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    return Denial("kill_switch", REASONS["kill_switch"]) if moment.killed else None


def tradable_symbol(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    return None if moment.tradable else Denial("not_tradable", f"{proposal.symbol} is not traded at present.")


def fresh_price(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    if moment.last_price is None or moment.price_age is None:
        return Denial("stale_price", f"No price of {proposal.symbol} is known.")
    if moment.price_age > limits.price_age:
        return Denial("stale_price", f"The last price is {moment.price_age:.0f} s old; the limit is {limits.price_age:g} s.")
    return None


def price_band(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    if proposal.price is None or not moment.last_price or proposal.price <= 0:
        return None
    worse = proposal.price > moment.last_price if proposal.side == "buy" else proposal.price < moment.last_price
    distance = abs(proposal.price / moment.last_price - 1)
    # A resting order far on its own side of the market is no mistake; one that would trade far through it is.
    if worse and not proposal.protective and distance > limits.price_band:
        return Denial(
            "price_band", f"{proposal.price:f} is {distance:.1%} from {moment.last_price:f}; the limit is {limits.price_band:.1%}."
        )
    return None


def venue_rules(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    """What the venue would refuse is not sent."""
    terms = OrderTerms(
        buys=proposal.side == "buy",
        quantity=float(proposal.quantity),
        limit=float(proposal.price or 0),
        last=float(moment.last_price or 0),
        owned=float(moment.base_owned or 0),
        others=moment.symbol_orders,
    )
    fault = find_rule_fault(moment.rules, terms)
    return Denial(*fault) if fault else None


def entries_allowed(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    return None if moment.entries_allowed else Denial("bot_not_running", REASONS["bot_not_running"])


def books_agree(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    return Denial("drift", moment.drift) if moment.drift else None


def daily_loss(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    if limits.daily_loss is not None and moment.loss_today >= limits.daily_loss:
        return Denial("daily_loss", f"It has lost {moment.loss_today:f} today; the limit is {limits.daily_loss:f}.")
    return None


def symbol_exposure(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    after = moment.exposure + quote_value(proposal, moment)
    if limits.symbol_exposure is not None and after > limits.symbol_exposure:
        return Denial(
            "symbol_exposure", f"It would have {after:.8f} in {proposal.symbol}; the limit is {limits.symbol_exposure:f}."
        )
    return None


def open_orders(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    if moment.open_orders >= limits.open_orders:
        return Denial("open_orders", f"It has {moment.open_orders} open orders; the limit is {limits.open_orders}.")
    return None


def order_rate(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    if moment.orders_last_minute >= limits.orders_per_minute:
        return Denial(
            "order_rate", f"It made {moment.orders_last_minute} orders in the last minute; the limit is {limits.orders_per_minute}."
        )
    return None


def paid_for(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    if not moment.at_venue:
        return None
    quote, needed = proposal.symbol.split("-")[1], quote_value(proposal, moment)
    if moment.free_quote is None:
        return Denial("insufficient_balance", "What the account has free is not known: the venue has not said it for minutes.")
    if needed > moment.free_quote:
        detail = f"It takes {needed:.8f} {quote}, and {moment.free_quote:.8f} {quote} is free in the account at the venue."
        return Denial("insufficient_balance", detail)
    return None


def base_owned(proposal: Proposal, moment: Moment, limits: RiskLimits) -> Denial | None:
    """A protective exit goes out whatever we believe: the venue has the last word on it."""
    if proposal.side != "sell" or proposal.protective or not moment.at_venue or moment.base_owned is None:
        return None
    if proposal.quantity > moment.base_owned:
        base = proposal.symbol.split("-")[0]
        detail = f"It sells {proposal.quantity:f} {base}, and the account at the venue has {moment.base_owned:f} {base}."
        return Denial("insufficient_balance", detail)
    return None


Rule = Callable[[Proposal, Moment, RiskLimits], Denial | None]
ALWAYS: tuple[Rule, ...] = (kill_switch, tradable_symbol, fresh_price, price_band, venue_rules, base_owned)
ENTRIES: tuple[Rule, ...] = (entries_allowed, books_agree, daily_loss, symbol_exposure, open_orders, order_rate, paid_for)
