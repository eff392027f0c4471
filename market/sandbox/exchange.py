"""One venue: its records, and all that can be done there. Synchronous and deterministic; it knows no protocol and no event loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from market.sandbox import checks, taking
from market.sandbox.accounts import SandboxAccount
from market.sandbox.depth import Offer
from market.sandbox.events import BookChange, ListingChange
from market.sandbox.instruments import FeeRates, ListedInstrument
from market.sandbox.matching import OrderMatcher
from market.sandbox.movements import MovementLeg, MovementTicket, SandboxMovement, Stage
from market.sandbox.orders import ZERO, OrderTicket, RequestRefused, SandboxOrder
from market.sandbox.records import ExchangeRecords
from market.sandbox.teller import MovementTeller

P = ParamSpec("P")
R = TypeVar("R")


def recorded(
    operation: Callable[Concatenate[SandboxExchange, P], R],
) -> Callable[Concatenate[SandboxExchange, P], R]:
    """Has what the operation changed put on record before it returns, once for all that it calls in its turn."""

    @wraps(operation)
    def call(self: SandboxExchange, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self.depth += 1
        try:
            return operation(self, *args, **kwargs)
        finally:
            self.depth -= 1
            if not self.depth:
                self.record()

    return call


class SandboxExchange(ExchangeRecords):
    """The records of one venue with its accounts, listings, orders and trades in motion. `venue` is `binance` or `coinbase`."""

    def __init__(
        self, venue: str, instruments: Iterable[ListedInstrument], fees: FeeRates, *, seed: int, clock: Callable[[], int]
    ) -> None:
        super().__init__(venue, instruments, fees, seed=seed, clock=clock)
        self.matcher, self.teller = OrderMatcher(self), MovementTeller(self)
        self.depth = 0
        self.record: Callable[[], None] = lambda: None
        self.find_refusal: Callable[[str, str], str] = lambda symbol, side: ""
        """By which code of `RequestRefused` an order of a symbol and side is refused for no reason of its own; empty: none."""

    # ------------------------------------------------------------ accounts and listings

    def open_account(self, name: str, balances: Mapping[str, Decimal]) -> SandboxAccount:
        """Opens an account that is named after its API key, with what it has from before."""
        account = self.accounts[name] = SandboxAccount(name)
        for asset, amount in balances.items():
            account.receive(asset, amount)
            self.outside[asset] = self.outside.get(asset, ZERO) - amount
        return account

    def restore_order(self, account: SandboxAccount, order: SandboxOrder) -> None:
        """Puts an order from before a restart, with what it holds, back into its account and, if it is open, into the book."""
        account.orders[order.id] = account.by_client_id[order.client_id] = order
        if order.status != "open":
            return
        if (market := self.markets.get(order.symbol)) is None:
            raise RequestRefused("unknown_symbol", "Invalid symbol.")
        account.open[order.id] = order
        if order.request.expires:
            self.deadlines[order.id] = order
        if order.waiting:
            market.book.stops.add(order)
        else:
            market.book.place(order)

    @recorded
    def move(self, account: str, ticket: MovementTicket, stage: Stage = "done", created: int | None = None) -> SandboxMovement:
        """Begins a movement, or brings it about at once. `created`: when it is said to have begun (ms). `RequestRefused`."""
        return self.teller.move(account, ticket, stage, created)

    @recorded
    def settle(self, account: str, number: int, stage: Stage) -> SandboxMovement:
        """Brings a movement to its end. `RequestRefused` where there is none, or too little money to take it back."""
        return self.teller.settle(account, number, stage)

    def deposit(self, account: str, asset: str, amount: Decimal) -> SandboxMovement:
        """Brings money in, or takes it out (below zero), at once and without a fee."""
        return self.move(account, MovementTicket("deposit" if amount >= 0 else "withdrawal", (MovementLeg(asset, amount),)))

    @recorded
    def change_filters(self, /, symbol: str, **filters: Any) -> None:
        """Gives a symbol other filters (fields of `ListedInstrument`) from now on. Its open orders stay as they are."""
        market = self.market(symbol)
        market.instrument = replace(market.instrument, **filters)
        market.book.set_filters(market.instrument)
        self.emit(ListingChange(symbol, self.clock()))

    @recorded
    def delist(self, symbol: str) -> None:
        """Ends trading in a symbol. Its open orders expire."""
        self.change_filters(symbol, trading=False)
        for account in self.accounts.values():
            for order in [order for order in account.open.values() if order.symbol == symbol]:
                self.matcher.end(order, "expired", "delisted")

    # ------------------------------------------------------------ orders

    @recorded
    def place(self, account: str, ticket: OrderTicket) -> SandboxOrder:
        """Takes an order and does at once what can be done: it rests, waits, fills or ends. `RequestRefused` as `check`."""
        market, holder = self.market(ticket.symbol), self.accounts[account]
        order, offers = self._draft(account, ticket)
        holder.hold(order, taking.needed_funds(order, offers, rate=self.rate))
        self.next_order += 1
        holder.orders[order.id] = holder.open[order.id] = order
        holder.by_client_id[order.client_id] = order
        if ticket.expires:
            self.deadlines[order.id] = order
        self.announce(order, "new")
        if order.waiting:
            market.book.stops.add(order)
        else:
            self.matcher.execute(market, order, offers)
        self.matcher.trigger_stops(market)
        self.emit(BookChange(ticket.symbol, self.clock()))
        return order

    def check(self, account: str, ticket: OrderTicket) -> None:
        """Raises what `place` would raise, without placing the order."""
        order, offers = self._draft(account, ticket)
        if taking.needed_funds(order, offers, rate=self.rate) > self.accounts[account].balance(order.hold_asset).free:
            raise RequestRefused("insufficient_balance", "Account has insufficient balance for requested action.")

    @recorded
    def cancel(self, account: str, id: int) -> SandboxOrder:
        """`RequestRefused` with `unknown_order` where the order does not exist or is no longer open."""
        order = self.accounts[account].open.get(id)
        if order is None:
            raise RequestRefused("unknown_order", "Unknown order sent.")
        self.matcher.end(order, "cancelled", "user")
        self.emit(BookChange(order.symbol, self.clock()))
        return order

    @recorded
    def expire(self, time: int) -> None:
        """Ends the orders whose deadline has come."""
        for order in [order for order in self.deadlines.values() if order.request.expires <= time]:
            self.matcher.end(order, "expired", "deadline")

    def _draft(self, account: str, ticket: OrderTicket) -> tuple[SandboxOrder, list[Offer]]:
        """The order that the ticket would become, and what it would take. `RequestRefused` for everything but a lack of money."""
        market, now = self.market(ticket.symbol), self.clock()
        if code := self.find_refusal(ticket.symbol, ticket.side):
            raise RequestRefused(code, "Refused by a fault.")
        checks.check_ticket(ticket, market.instrument, market.book.last)
        owned = self.accounts[account].balance(market.instrument.base).total
        checks.check_account(ticket, market.instrument, owned, self.open_orders(account, ticket.symbol))
        earlier = self.accounts[account].by_client_id.get(ticket.client_id)
        if ticket.client_id and earlier is not None and earlier.status == "open":
            raise RequestRefused("duplicate", "Duplicate order sent.")
        order = SandboxOrder(self.next_order, account, ticket, ticket.client_id, ticket.qty, now, now, working_time=now)
        order.hold_asset = market.instrument.quote if ticket.side == "buy" else market.instrument.base
        offers = [] if ticket.stop else taking.plan_taking(order, market.book, rate=self.rate)
        if ticket.post_only and offers:
            raise RequestRefused("would_take", "Order would immediately match and take.")
        if ticket.quote_qty:
            order.qty = taking.total_quantity(offers, order)
            market.instrument.check_qty(order.qty)
        return order, offers

    # ------------------------------------------------------------ the market

    @recorded
    def trade(self, symbol: str, price: Decimal, qty: Decimal, *, buyer_is_maker: bool, time: int | None = None) -> None:
        """A trade of others moves the price, and fills resting orders as far as it reaches them.

        Orders that it went past trade before it, at their own prices. Those at its price take their part of its quantity.
        """
        market = self.market(symbol)
        moment = self.clock() if time is None else time
        self.expire(moment)
        if not market.instrument.trading:
            return
        market.book.refresh(price, buyer_is_maker=buyer_is_maker)
        left = qty
        for order, part in market.book.list_crossed(price, qty, buyer_is_maker=buyer_is_maker):
            limit = order.request.limit
            trade = self.matcher.print_trade(market, limit, part, buyer_is_maker=order.side == "buy", time=moment)
            self.matcher.fill(order, trade, maker=True)
            left -= part if limit == price else ZERO
        if left > 0:
            self.matcher.print_trade(market, price, left, buyer_is_maker=buyer_is_maker, time=moment)
        market.book.last = price
        self.matcher.trigger_stops(market)
        self.emit(BookChange(symbol, moment))
