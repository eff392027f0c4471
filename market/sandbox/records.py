"""What a venue has on record: its markets, accounts and fees, and who listens to its events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from market.sandbox.accounts import SandboxAccount
from market.sandbox.book import MatchingBook
from market.sandbox.events import BalanceUpdate, Event, Execution, Listener, OrderUpdate
from market.sandbox.history import TradeHistory
from market.sandbox.instruments import FeeRates, ListedInstrument
from market.sandbox.movements import SandboxMovement
from market.sandbox.orders import ZERO, RequestRefused, SandboxFill, SandboxOrder


@dataclass(slots=True)
class ListedMarket:
    """One symbol's state."""

    instrument: ListedInstrument
    book: MatchingBook
    history: TradeHistory = field(default_factory=TradeHistory)


class ExchangeRecords:
    """A venue's whole state, with the questions that can be asked of it. `clock` gives the market's time (ms), `wall` the server's,
    by which money is moved.

    Money is conserved: for every asset, what accounts own, `fees` and `outside` (what everybody else owns, below zero where they
    paid) sum to zero; deposits count as paid from outside. `sequence` counts the order events; trade ids count within a symbol.
    `deadlines` holds the open orders that expire at a given time.
    """

    def __init__(
        self, venue: str, instruments: Iterable[ListedInstrument], fees: FeeRates, *, seed: int, clock: Callable[[], int]
    ) -> None:
        self.venue, self.fee_rates, self.clock = venue, fees, clock
        self.markets = {item.symbol: ListedMarket(item, MatchingBook(item, seed + index)) for index, item in enumerate(instruments)}
        self.accounts: dict[str, SandboxAccount] = {}
        self.fees: dict[str, Decimal] = {}
        self.outside: dict[str, Decimal] = {}
        self.wall = clock
        self.next_order = self.next_movement = 1
        self.sequence = 0
        self.deadlines: dict[int, SandboxOrder] = {}
        self._listeners: list[Listener] = []

    @property
    def rate(self) -> Decimal:
        """The fee that comes on top of what a buyer pays, as a share of it."""
        return self.fee_rates.taker if self.fee_rates.in_quote else ZERO

    def market(self, symbol: str) -> ListedMarket:
        """`RequestRefused` with `unknown_symbol`."""
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
        """By the venue's id, or the newest with a client id. `RequestRefused` with `unknown_order`."""
        holder = self.accounts[account]
        order = holder.orders.get(id) if id is not None else holder.by_client_id.get(client_id or "")
        if order is None:
            raise RequestRefused("unknown_order", "Order does not exist.")
        return order

    def open_orders(self, account: str, symbol: str | None = None) -> list[SandboxOrder]:
        """The oldest first. Stops that wait are among them."""
        return [order for order in self.accounts[account].open.values() if symbol in (None, order.symbol)]

    def orders(self, account: str, symbol: str | None = None) -> list[SandboxOrder]:
        return [order for order in self.accounts[account].orders.values() if symbol in (None, order.symbol)]

    def fills(self, account: str, symbol: str | None = None) -> list[SandboxFill]:
        return [fill for fill in self.accounts[account].fills if symbol in (None, fill.symbol)]

    def movements(self, account: str, *kinds: str) -> list[SandboxMovement]:
        """The oldest first."""
        found = [each for each in self.accounts[account].movements.values() if not kinds or each.request.kind in kinds]
        return sorted(found, key=lambda each: (each.created, each.id))

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with every event from now on, inside the call that causes it. Call what it returns to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, event: Event) -> None:
        """Hands an event to all listeners, now."""
        for listener in tuple(self._listeners):
            listener(event)

    def announce(self, order: SandboxOrder, execution: Execution, fill: SandboxFill | None = None) -> None:
        """Emits what happened to an order, and the balances that it changed."""
        self.sequence += 1
        instrument = self.markets[order.symbol].instrument
        now = fill.time if fill else self.clock()
        self.accounts[order.account].updated = now
        self.emit(OrderUpdate(order.account, order, execution, fill, now, self.sequence))
        if execution != "triggered":
            self.emit(BalanceUpdate(order.account, (instrument.base, instrument.quote), now))
