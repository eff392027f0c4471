"""One bot's trader: its state, driven candle by candle."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from core.errors import Conflict, Invalid
from engine.book import CANCELLED, REFUSED
from engine.live import kernel, price_levels, refusals, reports, snapshot, venue_steps
from engine.live.carry import HeldPosition, carry_over, take_over
from engine.live.held_orders import HeldOrder
from engine.live.holdings import list_holdings, list_working
from engine.live.intents import is_sale, number_targets, write_intents
from engine.live.resting_exits import RestingExits
from engine.live.settling import settle_book
from engine.live.trader_state import TraderState
from engine.live.types import OHLCV, BlockedOrder, HeldQuantity, Intent, PriceLevel, Refusal, SignalRow, Step
from engine.live.venue_orders import VenueOrders
from engine.matching import SLIPPAGE_KINDS, VOLUME_SHARE
from engine.types import REASONS, Account, Rules

BLOCKED_KEPT = 64
DENIED, UNSOLD = Refusal("desk"), Refusal("passing")
NEVER = 2**60
"""A start that no ladder reaches."""


class Trader:
    """One bot's trader: the simulator's book, driven candle by candle by the same compiled functions.

    `external=False` (replay, paper): the kernel's own matching executes, so the result is the backtest's to the last bit.
    `external=True` (testnet, live): the same functions decide; what is filled is reported from outside.

    Not thread-safe. Everything is deterministic: the same state and the same call give the same numbers.
    """

    def __init__(
        self,
        account: Account,
        symbols: Sequence[str],
        step_ms: int,
        position: str,
        *,
        external: bool,
        reserve: float = 0.002,
        venue_stops: Collection[str] = (),
    ) -> None:
        """`account.rules`: one for each symbol. `step_ms`: the interval. `position`: the strategy's. `reserve` (external): the
        share that a market order is sized below what it may spend, for a price that moves before it arrives. `venue_stops`
        (external): the symbols whose protective stops rest at the venue, as `stop_limit` orders."""
        self.account, self.symbols, self.step_ms, self.position = account, tuple(symbols), step_ms, position
        self.external, self.reserve = external, reserve if external else 0.0
        self.venue_stops = frozenset(venue_stops)
        self.places = {symbol: s for s, symbol in enumerate(self.symbols)}
        self.waits_for_volume = account.slippage.kind == SLIPPAGE_KINDS[VOLUME_SHARE] and not external
        self.renew()

    def renew(self) -> None:
        rules = self.account.exits
        self.trader_state = TraderState(self.account, self.symbols, self.position, self.reserve)
        stops = rules.stop_loss > 0.0 or rules.trailing_stop > 0.0
        exits = RestingExits(self.trader_state, stops, dict(enumerate(self.account.rules)), self.venue_stops)
        self.venue_orders = VenueOrders(self.trader_state, exits) if self.external else None
        self.blocked: list[int] = []

    @property
    def cash(self) -> float:
        """Free and held together."""
        return float(self.trader_state.totals["cash"])

    @property
    def free(self) -> float:
        """What new entries may spend."""
        apart = self.venue_orders.cash_apart() if self.venue_orders else 0.0
        return float(self.trader_state.totals["cash"] - self.trader_state.totals["held"] - apart)

    @property
    def time(self) -> int | None:
        """Open time of the last candle that was closed here; None before the first."""
        return self.trader_state.time

    @property
    def entries_allowed(self) -> bool:
        """False while paused. Kept by dump."""
        return self.trader_state.entries_allowed

    # The candle, step by step.
    def open(self, time_ms: int, opens: Mapping[str, float]) -> Step:
        """Steps 1 and 2 of the fill rules for the candle that has begun at `time_ms`, for the symbols whose open price is known.

        Paper: queued market orders are executed at the open (with `volume_share` slippage, which needs the candle's volume, at
        `close` instead). External: the queued exits are wanted; entries follow by `entries`. A symbol that was opened already at
        `time_ms` is not opened twice. `Invalid` for a time that is not after the last closed candle.
        """
        self.check_time(time_ms)
        self.trader_state.begin(time_ms)
        return Step() if self.waits_for_volume else self.open_symbols(self.prices(opens))

    def open_symbols(self, prices: dict[int, float]) -> Step:
        trader_state = self.trader_state
        fresh = {s: price for s, price in prices.items() if not trader_state.opened[s]}
        if not fresh:
            return Step()
        trader_state.show_opens(fresh)
        if not trader_state.has_queued():
            return Step()
        if self.venue_orders:
            return venue_steps.open_symbols(self.told(trader_state.now()), fresh)
        trader_state.run(kernel.step_open, trader_state.t, trader_state.entries_allowed)
        return settle_book(trader_state, executed=True)

    def entries(self, prices: Mapping[str, float]) -> Step:
        """External: sizes the queued entries of these symbols at these prices and wants them, one after the other, cash held for
        each. Does nothing while a market exit or the cancelling of an entry is in flight (call it again when that has ended) and
        before `open` of the candle after the decision. Paper: nothing."""
        return venue_steps.size_entries(self.venue_orders, self.prices(prices)) if self.venue_orders else Step()

    def close(self, time_ms: int, candles: Mapping[str, OHLCV], signals: Mapping[str, SignalRow], tradable: bool = True) -> Step:
        """The candle that opened at `time_ms` has closed: steps 3 and 4 (paper executes), 5 (decisions, from the symbols' rows of
        `signals`; a symbol without a row, as in its warm-up, wants nothing). Symbols that were not opened are opened first, at
        their candle's open. `tradable=False`, for a candle that arrives too late to act on: exits are decided, entries are not.
        """
        self.check_time(time_ms)
        trader_state = self.trader_state
        trader_state.begin(time_ms)
        shown = {self.place(symbol): candle for symbol, candle in candles.items()}
        if self.waits_for_volume:
            trader_state.candles.show_volumes(shown)
        before = self.open_symbols(self.prices({symbol: candle.open for symbol, candle in candles.items()}))
        trader_state.candles.show_candles(shown)
        after = self.decide(signals, tradable and trader_state.entries_allowed)
        trader_state.time, trader_state.begun = time_ms, None
        trader_state.t += 1
        return join_steps(before, after)

    def decide(self, signals: Mapping[str, SignalRow], entering: bool) -> Step:
        trader_state = self.trader_state
        intents = write_intents(trader_state, signals, entering)
        if intents == 0 and self.is_idle():
            trader_state.totals["equity"] = equity = self.equity()
            return Step(equity=equity)
        starts = self.trader_state.book.rungs["start"].copy()
        if not entering:
            trader_state.book.rungs["start"] = NEVER
        if not self.external:
            trader_state.run(kernel.step_inside, trader_state.t)
        trader_state.run(kernel.step_close, trader_state.intents, trader_state.t)
        trader_state.book.rungs["start"] = starts
        number_targets(trader_state)
        step = self.settle(float(trader_state.totals["equity"]))
        if self.venue_orders:
            venue_steps.mark_unwanted(self.venue_orders, step, [symbol for symbol, row in signals.items() if row.exit])
        return step

    def settle(self, equity: float | None = None) -> Step:
        if self.venue_orders:
            return self.venue_orders.settle(equity)
        return settle_book(self.trader_state, executed=True, equity=equity)

    def is_idle(self) -> bool:
        """Whether nothing can happen at this close without an intent."""
        trader_state, state = self.trader_state, self.trader_state.totals
        if state["working"] > 0 or len(trader_state.book.rungs) > 0:
            return False
        return not (state["lots"] > 0 and trader_state.book.setup[0]["protected"])

    # Risk.
    def block(self, number: int, refusal: Refusal = DENIED) -> Step:
        """Risk refused it: a queued or wanted order that has not been sent ends as `refused`; cash and lots are free again. At a
        venue an exit stays wanted, under another number: see `held_orders`. The order itself is not in the Step. A number that is
        over: an empty Step."""
        trader_state = self.trader_state
        for s, (reserved, _) in list(trader_state.targets.items()):
            if reserved == number:
                trader_state.forget_target(s)
        self.blocked = [*self.blocked, number][-BLOCKED_KEPT:]
        if self.venue_orders:
            return refusals.block_order(self.told(refusal.time, ours=True), number, refusal)
        row = trader_state.row_of(number)
        if row is not None:
            trader_state.end_order(row, REFUSED)
        step = self.settle()
        step.done[:] = [done for done in step.done if done.number != number]
        return step

    def is_wanted(self, number: int) -> bool:
        """False for an order that was blocked."""
        return number not in self.blocked

    # By hand.
    def pause(self) -> Step:
        """No entries from now on; waiting ones are cancelled; exits go on. Sets `entries_allowed`."""
        trader_state = self.trader_state
        trader_state.entries_allowed = False
        for s in list(trader_state.targets):
            if not is_sale(trader_state, s, float(trader_state.book.symbols[s]["target"])):
                trader_state.forget_target(s)
        while rows := trader_state.purchase_rows():
            trader_state.end_order(rows[0], CANCELLED)
        return self.settle()

    def resume(self) -> Step:
        """Entries again, and take-profit orders at the venue."""
        self.trader_state.entries_allowed = True
        if self.venue_orders:
            self.venue_orders.exits.halted = False
        return self.settle()

    def cancel_all(self) -> Step:
        """Cancels every order that waits, exits too. Protective levels stay watched, take-profits by `levels` until `resume`."""
        self.drop_orders()
        if self.venue_orders:
            self.venue_orders.exits.halted, self.venue_orders.exits.reached = True, []
        return self.settle()

    def drop_orders(self) -> None:
        for s in list(self.trader_state.targets):
            self.trader_state.forget_target(s)
        while rows := self.trader_state.waiting_rows():
            self.trader_state.end_order(rows[0], CANCELLED)

    def sell_all(self, reason: str = "by_hand", prices: Mapping[str, float] | None = None) -> Step:
        """Cancels every order and sells every lot: paper at `prices` (default: the last closes) less slippage, now; external:
        market sells are wanted now (those whose base a venue still holds for another order: once that is over; those that were
        refused: when it is their time)."""
        trader_state = self.trader_state
        if self.venue_orders:
            before = refusals.find_market_holds(self.venue_orders)
            self.drop_orders()
            return venue_steps.sell_lots(self.venue_orders, REASONS.index(reason), before)
        for s in list(trader_state.targets):
            trader_state.forget_target(s)
        for s, price in self.prices(prices or {}).items():
            trader_state.candles.columns["mark"][s] = price
        trader_state.run(kernel.sell_everything, trader_state.t, REASONS.index(reason))
        return settle_book(trader_state, executed=True, equity=float(trader_state.totals["equity"]))

    def rest_stops(self, symbols: Collection[str]) -> None:
        """External: the stops of these symbols can rest at the venue from now on, and of no others."""
        self.venue_stops = frozenset(symbols)
        if self.venue_orders:
            self.venue_orders.exits.venue_stops = self.venue_stops

    def take_rules(self, rules: Mapping[str, Rules]) -> None:
        """External: the venue's rules of these symbols as they are now. Snapshots do not have them: take them after `load`."""
        for symbol, one in rules.items() if self.venue_orders else ():
            refusals.take_rules(self.venue(), self.place(symbol), one)

    def count_orders(self, symbol: str) -> int:
        """External: how many orders of the symbol are at the venue, or on their way there."""
        return sum(one.order.symbol == symbol for one in self.venue().sent.values())

    # External only: the venue's reports, each passed on once: the caller knows fills apart by the venue's trade id.
    def apply_fill(
        self, number: int, price: float, quantity: float, fee_quote: float, maker: bool, time_ms: int, fee_base: float = 0.0
    ) -> Step:
        """The venue executed `quantity` of order `number` at `price`. Fills of orders that were given up count too.
        `fee_base`: a fee taken out of the base that was bought, or is left after a sale. `NotFound` for an order that this run
        never wanted."""
        return reports.apply_fill(self.told(time_ms), number, price, quantity, fee_quote, fee_base)

    def charge(self, fee_quote: float) -> None:
        """The worth of fees has become known that their fills counted as nothing."""
        self.venue().trader_state.totals["cash"] -= fee_quote

    def apply_acceptance(self, number: int) -> None:
        """The venue has the order: a stop that stands there is no longer watched here. A second report changes nothing."""
        reports.apply_acceptance(self.venue(), number)

    def apply_end(self, number: int, status: str, refusal: Refusal = UNSOLD) -> Step:
        """The venue says that the order is over, after all of its fills: `filled`, `cancelled`, `expired` or `rejected`. Cash or
        lots are released; an exit that did not sell is wanted again, at the next price or later: see `held_orders`. A second report
        changes nothing."""
        return reports.apply_end(self.told(refusal.time, ours=True), number, status, refusal)

    def retry_exits(self, time_ms: int, changed: Collection[str] = ()) -> Step:
        """Exits that were refused go out again if it is their time. `changed`: symbols where what kept them may have gone."""
        return refusals.retry_exits(self.told(time_ms, ours=True), changed)

    def has_held_exits(self) -> bool:
        """External: whether an exit waits to be tried again."""
        return self.venue_orders is not None and bool(self.venue_orders.held or self.venue_orders.exits.held)

    def held_order(self, order: Intent) -> HeldOrder | None:
        """External: how this exit, or the symbol's last entry, was refused before, if it was."""
        if order.side == "buy":
            return self.venue().held_entries.get(self.place(order.symbol))
        return self.venue().find_held(order.number)

    def try_entry(self, number: int, time_ms: int) -> HeldOrder | None:
        """External: how the last entries of its symbol were refused, where this one has to wait; None: it may be tried."""
        return refusals.try_entry(self.told(time_ms, ours=True), number)

    def is_selling(self) -> bool:
        """External: whether a market order to sell is at the venue, or goes out as soon as what rests there is cancelled."""
        return self.venue_orders is not None and venue_steps.has_market_exit(self.venue_orders)

    def symbols_leaving(self) -> set[str]:
        """External: those of which a market exit is at the venue, or goes out when it may, whatever candle comes."""
        return {self.symbols[s] for s in venue_steps.list_leaving(self.venue())}

    def blocked_exits(self) -> dict[str, BlockedOrder]:
        """External: the exits of which a person should know that they cannot be sold, by symbol."""
        return refusals.list_blocked(self.venue()) if self.has_held_exits() else {}

    def blocked_entries(self) -> dict[str, BlockedOrder]:
        """External: as `blocked_exits`, of entries that the venue refuses for good."""
        return refusals.list_blocked_entries(self.venue_orders) if self.venue_orders else {}

    def levels(self) -> list[PriceLevel]:
        """The prices to compare ticks with. They change only by calls that return a Step."""
        return price_levels.list_price_levels(self.venue_orders) if self.venue_orders else []

    def apply_price(self, symbol: str, price: float, time_ms: int) -> Step:
        """Act on levels of this symbol that `price` has reached (each is checked): a stop sells at the market, a take-profit by a
        limit at its level; a watched stop order of the strategy's becomes its market or limit order."""
        return price_levels.apply_price(self.told(time_ms), self.place(symbol), price)

    def told(self, time_ms: int, *, ours: bool = False) -> VenueOrders:
        """What it is told at `time_ms`, by the venue's clock or by `ours`; 0: that is not known."""
        venue = self.venue()
        if ours and time_ms:
            refusals.put_clock(venue, time_ms)
        venue.clock = max(venue.clock, time_ms)
        return venue

    def venue(self) -> VenueOrders:
        if self.venue_orders is None:
            raise Conflict("The engine itself executes this bot's orders: there is no venue to report.")
        return self.venue_orders

    # State.
    def equity(self, prices: Mapping[str, float] | None = None) -> float:
        """Cash and positions at these prices, else at the last closes."""
        crumbs = self.venue_orders.crumbs if self.venue_orders else {}
        return self.trader_state.equity({self.place(symbol): price for symbol, price in (prices or {}).items()}, crumbs)

    def positions(self) -> dict[str, float]:
        """Base held, by symbol."""
        crumbs = self.venue_orders.crumbs if self.venue_orders else {}
        held = self.trader_state.book.symbols["position"]
        return {symbol: float(held[s]) + crumbs.get(s, 0.0) for s, symbol in enumerate(self.symbols)}

    def holdings(self) -> list[HeldQuantity]:
        """The lots, in the order they were opened."""
        return list_holdings(self.trader_state)

    def working(self) -> list[Intent]:
        """Orders that wait: resting, queued, in flight. A queued target, whose quantity the open decides, has NaN."""
        found = list_working(self.trader_state)
        if self.venue_orders:
            found += [one.order for one in self.venue_orders.exits.list_waiting(self.venue_orders.sent)]
        return found

    def dump(self) -> bytes:
        """The whole state, compact: dump and load between any two calls change nothing."""
        orders = snapshot.dump_venue_orders(self.venue_orders) if self.venue_orders else None
        return snapshot.dump_trader_state(self.trader_state, {"blocked": self.blocked, "outside": orders})

    def load(self, data: bytes) -> None:
        """Take over a dumped state (made with the same arguments of the constructor); empty bytes: as new. `Invalid` for a state of
        another version or of other symbols."""
        self.renew()
        if data:
            more = snapshot.load_trader_state(self.trader_state, data)
            self.blocked = more["blocked"]
            if self.venue_orders and more["outside"]:
                snapshot.load_venue_orders(self.venue_orders, more["outside"])

    def carry(self, old: Trader) -> None:
        """A new run of the same bot takes over cash and lots, no orders. Before the first candle. `Invalid` where `old` holds a
        symbol that this one does not have."""
        carry_over(old.trader_state, self.trader_state)
        if self.venue_orders and old.venue_orders:
            self.venue_orders.crumbs = {
                self.places[old.symbols[s]]: quantity
                for s, quantity in old.venue_orders.crumbs.items()
                if old.symbols[s] in self.places
            }

    def take_over(self, cash: float, held: Mapping[str, HeldPosition]) -> None:
        """A new run takes over what the books say, where the snapshot of the one before cannot be read. As `carry`."""
        take_over(self.trader_state, cash, held)

    # What is asked of the caller.
    def check_time(self, time_ms: int) -> None:
        last = self.trader_state.begun if self.trader_state.begun is not None else self.trader_state.time
        if last is not None and (time_ms < last or time_ms == self.trader_state.time):
            raise Invalid.at("time", f"The candle of {time_ms} is not after the last one, of {last}.")

    def place(self, symbol: str) -> int:
        try:
            return self.places[symbol]
        except KeyError:
            raise Invalid.at("symbols", f"{symbol} is not one of the bot's symbols, {', '.join(self.symbols)}.") from None

    def prices(self, prices: Mapping[str, float]) -> dict[int, float]:
        """By place, in the order of the symbols."""
        for symbol, price in prices.items():
            if not 0.0 < price < np.inf:
                raise Invalid.at("prices", f"{price!r} is no price of {symbol}.")
        return dict(sorted((self.place(symbol), price) for symbol, price in prices.items()))


def join_steps(first: Step, second: Step) -> Step:
    lists: dict[str, Any] = {
        name: getattr(first, name) + getattr(second, name) for name in ("wanted", "executed", "done", "closed")
    }
    return Step(**lists, equity=second.equity)
