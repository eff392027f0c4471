"""One venue: its instruments, accounts and matching. Synchronous and deterministic; it knows no protocol and no loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from market.sandbox import checks, settlement, taking
from market.sandbox.accounts import SandboxAccount
from market.sandbox.book import MatchingBook, Offer
from market.sandbox.events import BalanceUpdate, BookChange, Event, Execution, Listener, ListingChange, OrderUpdate, PublicTrade
from market.sandbox.history import TradeHistory
from market.sandbox.instruments import FeeRates, ListedInstrument
from market.sandbox.orders import ZERO, OrderTicket, RequestRefused, SandboxFill, SandboxOrder, Status


@dataclass(slots=True)
class ListedMarket:
    """One symbol's state."""

    instrument: ListedInstrument
    book: MatchingBook
    history: TradeHistory = field(default_factory=TradeHistory)


class SandboxExchange:
    """A venue's whole state. `clock` gives the market's time (ms); `venue` is `binance` or `coinbase`.

    Money is conserved: for every asset, what accounts own, `fees` and `outside` (what all others own, below zero where they paid)
    sum to zero, deposits counted as paid from outside. Every trade id counts within its symbol.
    """

    def __init__(
        self, venue: str, instruments: Iterable[ListedInstrument], fees: FeeRates, *, seed: int, clock: Callable[[], int]
    ) -> None:
        self.venue, self.fee_rates, self.clock = venue, fees, clock
        self.markets = {item.symbol: ListedMarket(item, MatchingBook(item, seed + index)) for index, item in enumerate(instruments)}
        self.accounts: dict[str, SandboxAccount] = {}
        self.fees: dict[str, Decimal] = {}
        self.outside: dict[str, Decimal] = {}
        self.next_order = 1
        self.sequence = 0
        self._listeners: list[Listener] = []
        self._deadlines: dict[int, SandboxOrder] = {}

    # ------------------------------------------------------------ asking

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with every event from now on, inside the call that causes it; the answer stops that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def market(self, symbol: str) -> ListedMarket:
        """`Refused` with `unknown_symbol`."""
        try:
            return self.markets[symbol]
        except KeyError:
            raise RequestRefused("unknown_symbol", "Invalid symbol.") from None

    def instrument(self, symbol: str) -> ListedInstrument:
        return self.market(symbol).instrument

    def book(self, symbol: str) -> MatchingBook:
        return self.market(symbol).book

    def history(self, symbol: str) -> TradeHistory:
        return self.market(symbol).history

    def order(self, account: str, *, id: int | None = None, client_id: str | None = None) -> SandboxOrder:
        """By the venue's id, or the newest with a client id. `Refused` with `unknown_order`."""
        holder = self.accounts[account]
        order = holder.orders.get(id) if id is not None else holder.by_client_id.get(client_id or "")
        if order is None:
            raise RequestRefused("unknown_order", "Order does not exist.")
        return order

    def open_orders(self, account: str, symbol: str | None = None) -> list[SandboxOrder]:
        """The oldest first; stops that wait are among them."""
        return [order for order in self.accounts[account].open.values() if symbol in (None, order.symbol)]

    def orders(self, account: str, symbol: str | None = None) -> list[SandboxOrder]:
        return [order for order in self.accounts[account].orders.values() if symbol in (None, order.symbol)]

    def fills(self, account: str, symbol: str | None = None) -> list[SandboxFill]:
        return [fill for fill in self.accounts[account].fills if symbol in (None, fill.symbol)]

    # ------------------------------------------------------------ accounts and listings

    def open_account(self, name: str, balances: Mapping[str, Decimal]) -> SandboxAccount:
        """A new account, by its API key."""
        account = self.accounts[name] = SandboxAccount(name)
        for asset, amount in balances.items():
            self.deposit(name, asset, amount)
        return account

    def admit(self, account: SandboxAccount, order: SandboxOrder) -> None:
        """An order from before a restart, with what it holds: back into the account, and where it stood."""
        account.orders[order.id] = account.by_client_id[order.client_id] = order
        if order.status != "open":
            return
        if (market := self.markets.get(order.symbol)) is None:
            raise RequestRefused("unknown_symbol", "Invalid symbol.")
        account.open[order.id] = order
        if order.request.expires:
            self._deadlines[order.id] = order
        if order.waiting:
            market.book.park(order)
        else:
            market.book.place(order)

    def deposit(self, account: str, asset: str, amount: Decimal) -> None:
        """Money that comes in (or goes out, below zero) by other ways than trading."""
        holder = self.accounts[account]
        if holder.balance(asset).free + amount < 0:
            raise RequestRefused("insufficient_balance", "Account has insufficient balance for requested action.")
        holder.receive(asset, amount)
        holder.updated = self.clock()
        self.outside[asset] = self.outside.get(asset, ZERO) - amount
        self._emit(BalanceUpdate(account, (asset,), self.clock(), deposit=amount))

    def change_filters(self, symbol: str, **filters: Any) -> None:
        """Other filters for a symbol (fields of `Instrument`) from now on; open orders stay as they are."""
        market = self.market(symbol)
        market.instrument = replace(market.instrument, **filters)
        market.book.set_filters(market.instrument)
        self._emit(ListingChange(symbol, self.clock()))

    def delist(self, symbol: str) -> None:
        """Trading in it ends; its open orders expire."""
        self.change_filters(symbol, trading=False)
        for account in self.accounts.values():
            for order in [order for order in account.open.values() if order.symbol == symbol]:
                self._end(order, "expired", "delisted")

    # ------------------------------------------------------------ orders

    def place(self, account: str, request: OrderTicket) -> SandboxOrder:
        """Takes an order and does at once what can be done: it rests, waits, fills, or ends. `Refused` where it is not taken."""
        market, holder = self.market(request.symbol), self.accounts[account]
        order, levels = self._draft(account, request)
        holder.hold(order, taking.needed_funds(order, levels, rate=self.rate))
        self.next_order += 1
        holder.orders[order.id] = holder.open[order.id] = order
        holder.by_client_id[order.client_id] = order
        if request.expires:
            self._deadlines[order.id] = order
        self._announce(order, "new")
        if order.waiting:
            market.book.park(order)
        else:
            self._work(market, order, levels)
        self._run_stops(market)
        self._emit(BookChange(request.symbol, self.clock()))
        return order

    def check(self, account: str, request: OrderTicket) -> None:
        """All refusals of an order, without placing it."""
        order, levels = self._draft(account, request)
        if taking.needed_funds(order, levels, rate=self.rate) > self.accounts[account].balance(order.hold_asset).free:
            raise RequestRefused("insufficient_balance", "Account has insufficient balance for requested action.")

    def cancel(self, account: str, id: int) -> SandboxOrder:
        """`Refused` with `unknown_order` where it does not exist or is not open any more."""
        order = self.accounts[account].open.get(id)
        if order is None:
            raise RequestRefused("unknown_order", "Unknown order sent.")
        self._end(order, "cancelled", "user")
        self._emit(BookChange(order.symbol, self.clock()))
        return order

    @property
    def rate(self) -> Decimal:
        """The fee that comes on top of what a buyer pays."""
        return self.fee_rates.taker if self.fee_rates.in_quote else ZERO

    # ------------------------------------------------------------ the market

    def trade(self, symbol: str, price: Decimal, qty: Decimal, *, buyer_is_maker: bool, time: int | None = None) -> None:
        """Others traded: the price moves, and resting orders fill as far as the trade reaches them.

        Orders that it went past trade at their own prices before it; those at its price take their part of its quantity.
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
            trade = self._print(market, limit, part, buyer_is_maker=order.side == "buy", time=moment)
            self._fill(order, trade, maker=True)
            left -= part if limit == price else ZERO
        if left > 0:
            self._print(market, price, left, buyer_is_maker=buyer_is_maker, time=moment)
        market.book.last = price
        self._run_stops(market)
        self._emit(BookChange(symbol, moment))

    def expire(self, time: int) -> None:
        """Ends the orders whose last moment has come."""
        for order in [order for order in self._deadlines.values() if order.request.expires <= time]:
            self._end(order, "expired", "deadline")

    # ------------------------------------------------------------ matching

    def _draft(self, account: str, request: OrderTicket) -> tuple[SandboxOrder, list[Offer]]:
        """The order that the request would become, and what it would take. `Refused` for all but a lack of money."""
        market, now = self.market(request.symbol), self.clock()
        checks.check_ticket(request, market.instrument, market.book.last)
        earlier = self.accounts[account].by_client_id.get(request.client_id)
        if request.client_id and earlier is not None and earlier.status == "open":
            raise RequestRefused("duplicate", "Duplicate order sent.")
        order = SandboxOrder(self.next_order, account, request, request.client_id, request.qty, now, now, working_time=now)
        order.hold_asset = market.instrument.quote if request.side == "buy" else market.instrument.base
        levels = [] if request.stop else taking.plan_taking(order, market.book, rate=self.rate)
        if request.post_only and levels:
            raise RequestRefused("would_take", "Order would immediately match and take.")
        if request.quote_qty:
            order.qty = taking.total_quantity(levels, order)
            market.instrument.check_qty(order.qty)
        return order, levels

    def _work(self, market: ListedMarket, order: SandboxOrder, levels: list[Offer]) -> None:
        """Takes the levels; what is left rests or ends."""
        for level in levels:
            if level.order and taking.is_own(level, order):
                self._end(level.order, "expired", "self_trade")
                continue
            if level.order is None:
                market.book.take(level.price, level.qty)
            trade = self._print(market, level.price, level.qty, buyer_is_maker=order.side == "sell", time=self.clock())
            if level.order:
                self._fill(level.order, trade, maker=True)
            self._fill(order, trade, maker=False)
        if order.status != "open":
            return
        if order.request.limit and order.request.tif not in ("ioc", "fok"):
            market.book.place(order)
        else:
            self._end(order, "expired", "immediate")

    def _run_stops(self, market: ListedMarket) -> None:
        """Every stop that the last price has reached; each may move it on."""
        while order := market.book.next_reached_stop():
            market.book.remove(order)
            order.triggered, order.working_time = True, self.clock()
            self._announce(order, "triggered")
            balance = self.accounts[order.account].balance(order.hold_asset)
            # A stop without limit may meet higher prices than it was held for: it takes what its account can pay.
            budget = order.held + balance.free if order.side == "buy" else None
            self._work(market, order, taking.plan_taking(order, market.book, rate=self.rate, budget=budget))

    def _print(self, market: ListedMarket, price: Decimal, qty: Decimal, *, buyer_is_maker: bool, time: int) -> PublicTrade:
        trade = PublicTrade(market.history.next_id, market.instrument.symbol, price, qty, buyer_is_maker, time)
        market.book.last = price
        market.history.add(trade)
        self._emit(trade)
        return trade

    def _fill(self, order: SandboxOrder, trade: PublicTrade, *, maker: bool) -> None:
        """One order's side of a trade: money, the order, and those who hear of it."""
        market, account = self.markets[order.symbol], self.accounts[order.account]
        fill = settlement.make_fill(order, trade, market.instrument, self.fee_rates, maker=maker)
        for asset, amount in settlement.settle_fill(account, order, fill, market.instrument).items():
            self.outside[asset] = self.outside.get(asset, ZERO) - amount
        self.outside[fill.fee_asset] = self.outside.get(fill.fee_asset, ZERO) - fill.fee
        self.fees[fill.fee_asset] = self.fees.get(fill.fee_asset, ZERO) + fill.fee
        order.updated = trade.time
        if not order.remaining:
            self._close(order, "filled")
        elif order.request.limit or order.request.stop:
            account.hold(order, min(order.held, taking.needed_funds(order, [], rate=self.rate)))
        self._announce(order, "trade", fill)

    def _end(self, order: SandboxOrder, status: Literal["cancelled", "expired"], reason: str) -> None:
        order.reason, order.updated = reason, self.clock()
        self._close(order, status)
        self._announce(order, status)

    def _close(self, order: SandboxOrder, status: Status) -> None:
        """Out of the book, with what it still holds given back."""
        account = self.accounts[order.account]
        self.markets[order.symbol].book.remove(order)
        order.status = status
        account.hold(order, ZERO)
        del account.open[order.id]
        self._deadlines.pop(order.id, None)

    # ------------------------------------------------------------ telling

    def _announce(self, order: SandboxOrder, execution: Execution, fill: SandboxFill | None = None) -> None:
        self.sequence += 1
        instrument = self.markets[order.symbol].instrument
        now = fill.time if fill else self.clock()
        self.accounts[order.account].updated = now
        self._emit(OrderUpdate(order.account, order, execution, fill, now, self.sequence))
        if execution != "triggered":
            self._emit(BalanceUpdate(order.account, (instrument.base, instrument.quote), now))

    def _emit(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            listener(event)
