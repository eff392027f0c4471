"""Compares our books with the venues': what must be equal once both are quiet."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q

from core.models import Event
from engine.live import Trader
from engine.live.held_orders import MOST_TRIES
from market.sandbox import control
from market.sandbox.server import RunningSandbox
from trading.models import OPEN, Bot, BotRun, Fill, Order, OrderStatus, Position, RiskAllocation, RiskBudget
from trading.services.bot_loading import bot_load
from wallets.lots.basis import basis_of_wallet, check_lots
from wallets.models import Wallet

VENUES = ("binance", "coinbase")
UNANSWERED = Q(status__in=[OrderStatus.PENDING, OrderStatus.SUBMITTED]) | Q(status__in=OPEN, cancel_requested=True)
PASSING = ("halted", "would_take", "would_trigger", "duplicate")
"""Codes of refusals that pass by themselves."""
NOISE = 1e-7
"""Of the engine's float64."""


@dataclass(frozen=True, slots=True)
class Difference:
    what: str
    order: str = ""
    """Our id of the order that it is about."""

    def __str__(self) -> str:
        return f"{self.order}: {self.what}" if self.order else self.what


def unsettled() -> list[str]:
    """What is still on its way."""
    return [f"{one.client_order_id} is {one.status}" for one in Order.objects.filter(UNANSWERED)]


def differences(sandbox: RunningSandbox, refused: Sequence[tuple[str, str]] = (), changed: Sequence[str] = ()) -> list[Difference]:
    """`refused`: ids of orders that a venue refused, and why. `changed`: symbols, each as often as its rules changed."""
    found: list[Difference] = []
    for venue in VENUES:
        account = theirs(sandbox, venue)
        found += [
            *orders_differ(venue, account),
            *fills_differ(venue, account),
            *balances_differ(venue, account),
            *lots_differ(venue),
            *spent_more_than_there_is(venue, account),
        ]
    for bot in Bot.objects.all():
        found += [*positions_differ(bot), *memory_differs(bot)]
    found += [*tries_differ(refused, Counter(changed)), *ends_differ()]
    return [*found, *budgets_differ(), *events_differ(), *runs_that_failed()]


def theirs(sandbox: RunningSandbox, venue: str) -> dict[str, Any]:
    """The account as the venue has it: orders, fills, balances."""
    account: dict[str, Any] = sandbox.do(lambda: control.describe_exchange(sandbox.exchange(venue))["accounts"][sandbox.key(venue)])
    return account


def orders_differ(venue: str, account: dict[str, Any]) -> Iterator[Difference]:
    """At most one order at the venue for each of ours, none that we do not know, and each as far as we think."""
    ours = {one.client_order_id: one for one in Order.objects.filter(venue__startswith=venue)}
    for name, count in Counter(one["client_id"] for one in account["orders"]).items():
        if count > 1:
            yield Difference(f"{count} orders at {venue} for one decision", name)
        if name not in ours:
            yield Difference(f"an order at {venue} that we do not know", name)
    there = {one["client_id"]: one for one in account["orders"]}
    for name, order in ours.items():
        is_open = order.status in OPEN
        if (one := there.get(name)) is None:
            if order.venue_order_id or is_open:
                yield Difference(f"{order.status} with us, and {venue} does not have it", name)
            continue
        if is_open != (one["status"] == "open"):
            yield Difference(f"{order.status} with us, {one['status']} at {venue}", name)
        if order.filled_quantity != Decimal(one["filled"]):
            yield Difference(f"{order.filled_quantity:f} filled with us, {one['filled']} at {venue}", name)


def fills_differ(venue: str, account: dict[str, Any]) -> Iterator[Difference]:
    """Every fill of the venue once, and none more."""
    ours = {
        (one.symbol, one.trade_id): (one.order.client_order_id, one.side, one.price, one.quantity, one.fee_paid)
        for one in Fill.objects.filter(venue__startswith=venue).select_related("order")
    }
    there = {
        (one["symbol"], str(one["id"])): (one["client_id"], one["side"], *(Decimal(one[name]) for name in ("price", "qty", "fee")))
        for one in account["fills"]
    }
    for key in sorted(ours.keys() | there.keys()):
        if ours.get(key) != there.get(key):
            name = (there.get(key) or ours[key])[0]
            yield Difference(f"fill {key}: {ours.get(key, 'lost')} with us, {there.get(key, 'none')} at {venue}", name)


def balances_differ(venue: str, account: dict[str, Any]) -> Iterator[Difference]:
    wallet = Wallet.objects.get(account__venue=venue)
    ours = {one.asset: one.amount for one in wallet.balances.all()}
    there = {asset: Decimal(one["free"]) + Decimal(one["held"]) for asset, one in account["balances"].items()}
    for asset in sorted(ours.keys() | there.keys()):
        if ours.get(asset, Decimal(0)) != there.get(asset, Decimal(0)):
            yield Difference(f"{ours.get(asset, 0)} {asset} in the ledger, {there.get(asset, 0)} at {venue}")


def lots_differ(venue: str) -> Iterator[Difference]:
    """Open lots, less what is short, are the balances less what is not booked."""
    for one in check_lots(basis_of_wallet(Wallet.objects.get(account__venue=venue))):
        yield Difference(f"{one.lots} {one.asset} in lots, {one.balance} in the ledger of {venue}")


def positions_differ(bot: Bot) -> Iterator[Difference]:
    """A position is the sum of its fills; what it cost and what was earned add up to what was paid."""
    for position in Position.objects.filter(bot=bot):
        quantity = money = Decimal(0)
        for fill in Fill.objects.filter(bot=bot, symbol=position.symbol):
            in_base = fill.fee_asset == position.symbol.split("-")[0]
            sign = 1 if fill.side == "buy" else -1
            quantity += sign * fill.quantity - (fill.fee_paid if in_base else 0)
            money += sign * fill.cost + (0 if in_base else fill.fee or 0)
        if position.quantity != quantity:
            yield Difference(f"{bot.name} holds {position.quantity} {position.symbol}; its fills come to {quantity}")
        if position.cost - position.realised != money:
            yield Difference(f"{bot.name}: cost less profit is {position.cost - position.realised}; its fills come to {money}")


def memory_differs(bot: Bot) -> Iterator[Difference]:
    """The engine's memory agrees with the rows that were written beside it."""
    holding = bot_load(bot.pk)
    trader, rows = holding.trader, {one.symbol: one for one in Position.objects.filter(bot=bot)}
    for symbol, quantity in trader.positions().items():
        if abs(quantity - float(rows[symbol].quantity)) > NOISE:
            yield Difference(f"the engine of {bot.name} holds {quantity} {symbol}; its position is {rows[symbol].quantity:f}")
    if abs(trader.cash - cash_of(bot, float(holding.config.cash))) > NOISE * 1e3:
        yield Difference(
            f"the engine of {bot.name} has {trader.cash} in cash; its fills leave {cash_of(bot, float(holding.config.cash))}"
        )
    yield from working_differs(bot, trader)
    yield from stops_differ(bot, trader)


def cash_of(bot: Bot, cash: float) -> float:
    for fill in Fill.objects.filter(bot=bot, order__run=bot.run):
        quote = float(fill.fee or 0) if fill.fee_asset != fill.symbol.split("-")[0] else 0.0
        cash += (float(fill.cost) if fill.side == "sell" else -float(fill.cost)) - quote
    return cash


def working_differs(bot: Bot, trader: Trader) -> Iterator[Difference]:
    waiting = trader.venue_orders.sent if trader.venue_orders else {}
    for order in Order.objects.filter(run=bot.run):
        if (order.status in OPEN) != (order.number in waiting):
            thinks = "waits for it" if order.number in waiting else "has forgotten it"
            yield Difference(f"{order.status}, and the engine of {bot.name} {thinks}", order.client_order_id)
        elif order.status in OPEN and waiting[order.number].given_up:
            yield Difference(f"{order.status}, and the engine of {bot.name} has given it up", order.client_order_id)


def stops_differ(bot: Bot, trader: Trader) -> Iterator[Difference]:
    """Each lot that is not being sold has its stop in force at one place: watched here, or open at the venue and backed here."""
    waiting = trader.venue_orders.sent.values() if trader.venue_orders else ()
    standing = set(Order.objects.filter(run=bot.run, status__in=OPEN, type="stop_limit").values_list("number", flat=True))
    watched = {level.lot: level.stop for level in trader.levels()}
    for lot in trader.holdings():
        there = [out.order.limit for out in waiting if out.lot == lot.lot and out.order.number in standing and not out.given_up]
        if len(there) > 1:
            yield Difference(f"{bot.name} has {len(there)} stops at the venue for one lot")
        if lot.stop > 0.0 and watched.get(lot.lot, lot.stop) not in (lot.stop, *there):
            yield Difference(f"{bot.name}: the stop of lot {lot.lot} is neither here nor there")


def budgets_differ() -> Iterator[Difference]:
    """Claimed is what open entries have set aside; used is what positions have cost."""
    claimed: dict[int, Decimal] = defaultdict(Decimal)
    used: dict[int, Decimal] = defaultdict(Decimal)
    for claim in RiskAllocation.objects.filter(closed_at=None).select_related("order"):
        if claim.order.status not in OPEN:
            yield Difference("over, and its claim is open", claim.order.client_order_id)
        claimed[claim.bot_id] += claim.open
    for position in Position.objects.all():
        used[position.bot_id] += position.cost
    bots = {bot.pk: bot.wallet_id for bot in Bot.objects.all()}
    for budget in RiskBudget.objects.all():
        mine = [bot for bot, wallet in bots.items() if budget.bot_id in (None, bot) and budget.wallet_id in (None, wallet)]
        expected = sum((claimed[bot] for bot in mine), Decimal(0)), sum((used[bot] for bot in mine), Decimal(0))
        if (budget.claimed, budget.used) != expected:
            yield Difference(f"budget {budget}: {budget.claimed} claimed and {budget.used} used; it should be {expected}")


def events_differ() -> Iterator[Difference]:
    """Each fill was told once."""
    told = Counter(payload["id"] for payload in Event.objects.filter(type="fill").values_list("payload", flat=True))
    for key in Fill.objects.values_list("pk", flat=True):
        if told.pop(key, 0) != 1:
            yield Difference(f"fill {key} was not told once")
    if told:
        yield Difference(f"fills that are none were told: {sorted(told)}")


def spent_more_than_there_is(venue: str, account: dict[str, Any]) -> Iterator[Difference]:
    for asset, one in account["balances"].items():
        if Decimal(one["free"]) < 0 or Decimal(one["held"]) < 0:
            yield Difference(f"{one['free']} {asset} are free at {venue}, and {one['held']} are held")


def tries_differ(refused: Sequence[tuple[str, str]], changed: Mapping[str, int]) -> Iterator[Difference]:
    """A day takes less than an hour of ours: what is refused for a lasting reason costs at most a dozen orders in it, until the
    venue takes one, and each tells one event. Other rules of the symbol are a reason to try as often again."""
    codes = {name: code for name, code in refused if code not in PASSING}
    told = Counter(
        payload["order_id"]
        for payload in Event.objects.filter(type="order_update").values_list("payload", flat=True)
        if payload.get("status") == OrderStatus.REJECTED
    )
    tries: dict[tuple[str, str, str], int] = defaultdict(int)
    for order in Order.objects.exclude(submitted_at=None).order_by("id").select_related("bot"):
        of = order.bot.name, order.symbol, order.side
        if order.venue_order_id:
            tries[of] = 0
        elif order.status == OrderStatus.REJECTED and order.client_order_id in codes:
            tries[of] += 1
            if tries[of] > MOST_TRIES * (1 + changed.get(order.symbol, 0)):
                yield Difference(f"the {tries[of]}th order in a row that was refused for good", order.client_order_id)
            if told[order.order_id] != 1:
                yield Difference(f"its refusal was told {told[order.order_id]} times", order.client_order_id)


def ends_differ() -> Iterator[Difference]:
    """A run that has ended holds nothing, or says how much."""
    for run in BotRun.objects.exclude(ended_at=None).select_related("bot"):
        said = {one["symbol"]: Decimal(one["qty"]) for one in run.left if "symbol" in one}
        held = {one.symbol: one.quantity for one in Position.objects.filter(bot=run.bot).exclude(quantity=0)}
        if said != held:
            yield Difference(f"{run.bot.name} ended as {run.end_reason} with {held}, and said {said}")


def runs_that_failed() -> Iterator[Difference]:
    """No fault of a venue or a machine is a bot's."""
    for run in BotRun.objects.filter(end_reason="failed").select_related("bot"):
        yield Difference(f"{run.bot.name} failed: {run.error}")
