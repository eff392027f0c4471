"""One bot's brain, driven candle by candle."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from core.errors import Conflict, Invalid
from engine.book import CANCELLED, REFUSED
from engine.live import kernel, reports
from engine.live import price_levels as watch
from engine.live import snapshot as memory
from engine.live.carry import HeldPosition, carry, take_over
from engine.live.intents import number_targets, sells, write_wishes
from engine.live.trader_state import TraderState
from engine.live.types import OHLCV, HeldQuantity, Intent, PriceLevel, SignalRow, Step
from engine.live.venue_orders import VenueOrders
from engine.matching import SLIPPAGE_KINDS, VOLUME_SHARE
from engine.types import REASONS, Account

BLOCKED_KEPT = 64
NEVER = 2**60
"""A start that no ladder reaches."""


class Trader:
    """One bot's brain: the simulator's book, driven candle by candle by the same compiled functions.

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
        exits = self.account.exits
        self.brain = TraderState(self.account, self.symbols, self.position, self.reserve)
        stops = exits.stop_loss > 0.0 or exits.trailing_stop > 0.0
        self.outside = VenueOrders(self.brain, stops, self.venue_stops) if self.external else None
        self.blocked: list[int] = []

    @property
    def cash(self) -> float:
        """Free and held together."""
        return float(self.brain.state["cash"])

    @property
    def free(self) -> float:
        """What new entries may spend."""
        apart = self.outside.apart() if self.outside else 0.0
        return float(self.brain.state["cash"] - self.brain.state["held"] - apart)

    @property
    def time(self) -> int | None:
        """Open time of the last candle that was closed here; None before the first."""
        return self.brain.time

    @property
    def entries_allowed(self) -> bool:
        """False while paused. Kept by dump."""
        return self.brain.entries_allowed

    # The candle, step by step.
    def open(self, time_ms: int, opens: Mapping[str, float]) -> Step:
        """Steps 1 and 2 of the fill rules for the candle that has begun at `time_ms`, for the symbols whose open price is known.

        Paper: queued market orders are executed at the open (with `volume_share` slippage, which needs the candle's volume, at
        `close` instead). External: the queued exits are wanted; entries follow by `entries`. A symbol that was opened already at
        `time_ms` is not opened twice. `Invalid` for a time that is not after the last closed candle.
        """
        self.check_time(time_ms)
        self.brain.begin(time_ms)
        return Step() if self.waits_for_volume else self.open_symbols(self.prices(opens))

    def open_symbols(self, prices: dict[int, float]) -> Step:
        brain = self.brain
        fresh = {s: price for s, price in prices.items() if not brain.opened[s]}
        if not fresh:
            return Step()
        brain.show_opens(fresh)
        if not brain.has_queued():
            return Step()
        if self.outside:
            return self.outside.open(fresh)
        brain.run(kernel.opening, brain.t, brain.entries_allowed)
        return brain.settle(brain.now(), executed=True)

    def entries(self, prices: Mapping[str, float]) -> Step:
        """External: sizes the queued entries of these symbols at these prices and wants them, one after the other, cash held for
        each. Does nothing while a market exit or the cancelling of an entry is in flight (call it again when that has ended) and
        before `open` of the candle after the decision. Paper: nothing."""
        return self.outside.entries(self.prices(prices)) if self.outside else Step()

    def queued(self, prices: Mapping[str, float]) -> list[Intent]:
        """The market orders that `open` would execute or want next, with their quantity were the open at `prices`; for risk checks
        before it. Changes nothing. Numbers are the ones that the orders will have."""
        if not self.brain.has_queued():
            return []
        twin = Trader(self.account, self.symbols, self.step_ms, self.position, external=False)
        twin.load(self.dump())
        twin.brain.opened = [False] * len(self.symbols)
        twin.brain.book.setup["reserve"] = self.reserve
        return twin.open_symbols(twin.prices(prices)).wanted

    def close(self, time_ms: int, candles: Mapping[str, OHLCV], signals: Mapping[str, SignalRow], tradable: bool = True) -> Step:
        """The candle that opened at `time_ms` has closed: steps 3 and 4 (paper executes), 5 (decisions, from the symbols' rows of
        `signals`; a symbol without a row, as in its warm-up, wants nothing). Symbols that were not opened are opened first, at
        their candle's open. `tradable=False`, for a candle that arrives too late to act on: exits are decided, entries are not.
        """
        self.check_time(time_ms)
        brain = self.brain
        brain.begin(time_ms)
        shown = {self.place(symbol): candle for symbol, candle in candles.items()}
        if self.waits_for_volume:
            self.show_volume(shown)
        before = self.open_symbols(self.prices({symbol: candle.open for symbol, candle in candles.items()}))
        self.show(shown)
        after = self.decide(signals, tradable and brain.entries_allowed)
        brain.time, brain.begun = time_ms, None
        brain.t += 1
        return joined(before, after)

    def decide(self, signals: Mapping[str, SignalRow], entering: bool) -> Step:
        brain = self.brain
        wishes = write_wishes(brain, signals, entering)
        if wishes == 0 and self.is_idle():
            brain.state["equity"] = equity = self.equity()
            return Step(equity=equity)
        starts = self.brain.book.rungs["start"].copy()
        if not entering:
            brain.book.rungs["start"] = NEVER
        if not self.external:
            brain.run(kernel.matching, brain.t)
        brain.run(kernel.closing, brain.plan, brain.t)
        brain.book.rungs["start"] = starts
        number_targets(brain)
        step = self.settle(float(brain.state["equity"]))
        if self.outside:
            self.outside.want_out(step, [symbol for symbol, row in signals.items() if row.exit])
        return step

    def settle(self, equity: float | None = None) -> Step:
        if self.outside:
            return self.outside.settle(equity)
        return self.brain.settle(self.brain.now(), executed=True, equity=equity)

    def is_idle(self) -> bool:
        """Whether nothing can happen at this close without a wish."""
        brain, state = self.brain, self.brain.state
        if state["working"] > 0 or len(brain.book.rungs) > 0:
            return False
        return not (state["lots"] > 0 and brain.book.setup[0]["protected"])

    def show(self, candles: Mapping[int, OHLCV]) -> None:
        """These candles, and no others, are at hand."""
        columns = self.brain.columns
        columns["close"][:] = np.nan
        for s, candle in candles.items():
            columns["open"][s], columns["high"][s], columns["low"][s] = candle.open, candle.high, candle.low
            columns["close"][s] = columns["mark"][s] = candle.close
        self.show_volume(candles)

    def show_volume(self, candles: Mapping[int, OHLCV]) -> None:
        for s, candle in candles.items():
            self.brain.columns["volume"][s] = candle.volume

    # Risk.
    def block(self, number: int, why: str = "") -> Step:
        """Risk refused it: a queued or wanted order that has not been sent ends as `refused`; cash and lots are free again. An
        exit too, though the engine itself never blocks one: its level sets it off again at the next price. The order itself is
        not in the Step. A number that is over: an empty Step."""
        brain = self.brain
        for s, (reserved, _) in list(brain.targets.items()):
            if reserved == number:
                brain.forget_target(s)
        self.blocked = [*self.blocked, number][-BLOCKED_KEPT:]
        if self.outside:
            return self.outside.block(number)
        row = brain.row_of(number)
        if row is not None:
            brain.end(row, REFUSED)
        step = self.settle()
        step.done[:] = [done for done in step.done if done.number != number]
        return step

    def is_wanted(self, number: int) -> bool:
        """False for an order that was blocked."""
        return number not in self.blocked

    # By a person's word.
    def pause(self) -> Step:
        """No entries from now on; waiting ones are cancelled; exits go on. Sets `entries_allowed`."""
        brain = self.brain
        brain.entries_allowed = False
        for s in list(brain.targets):
            if not sells(brain, s, float(brain.book.symbols[s]["target"])):
                brain.forget_target(s)
        while rows := brain.buys():
            brain.end(rows[0], CANCELLED)
        return self.settle()

    def resume(self) -> Step:
        """Entries again, and take-profit orders at the venue."""
        self.brain.entries_allowed = True
        if self.outside:
            self.outside.halted = False
        return self.settle()

    def cancel_all(self) -> Step:
        """Cancels every order that waits, exits too. Protective levels stay watched, take-profits by `levels` until `resume`."""
        self.drop_orders()
        if self.outside:
            self.outside.halted, self.outside.reached = True, []
        return self.settle()

    def drop_orders(self) -> None:
        for s in list(self.brain.targets):
            self.brain.forget_target(s)
        while rows := self.brain.rows():
            self.brain.end(rows[0], CANCELLED)

    def sell_all(self, reason: str = "by_hand", prices: Mapping[str, float] | None = None) -> Step:
        """Cancels every order and sells every lot: paper at `prices` (default: the last closes) less slippage, now; external:
        market sells are wanted now (those whose base a venue still holds for another order: once that is over)."""
        brain = self.brain
        if self.outside:
            self.drop_orders()
            return self.outside.sell_all(REASONS.index(reason))
        for s in list(brain.targets):
            brain.forget_target(s)
        for s, price in self.prices(prices or {}).items():
            brain.columns["mark"][s] = price
        brain.run(kernel.selling_out, brain.t, REASONS.index(reason))
        return brain.settle(brain.now(), executed=True, equity=float(brain.state["equity"]))

    def rest_stops(self, symbols: Collection[str]) -> None:
        """External: the stops of these symbols can rest at the venue from now on, and of no others."""
        self.venue_stops = frozenset(symbols)
        if self.outside:
            self.outside.venue_stops = self.venue_stops

    # External only: the venue's reports. Each is told once (fills are told apart by the venue's trade id, outside).
    def fill(
        self, number: int, price: float, quantity: float, fee_quote: float, maker: bool, time_ms: int, fee_base: float = 0.0
    ) -> Step:
        """The venue executed `quantity` of order `number` at `price`. Facts win: fills of orders that were given up count too.
        `fee_base`: a fee taken out of the base that was bought. `NotFound` for an order that this run never wanted."""
        return reports.fill(self.venue(), number, price, quantity, fee_quote, fee_base)

    def accepted(self, number: int) -> None:
        """The venue has the order: a stop that stands there is watched here no more. Telling it twice changes nothing."""
        reports.accepted(self.venue(), number)

    def ended(self, number: int, status: str) -> Step:
        """The venue says that the order is over, after all of its fills: `filled`, `cancelled`, `expired` or `rejected`. Cash or
        lots are released; a market exit that did not sell is wanted again at the next `open` or `touched`. Telling it twice
        changes nothing."""
        return reports.ended(self.venue(), number, status)

    def levels(self) -> list[PriceLevel]:
        """The prices to compare ticks with. They change only by calls that return a Step."""
        return watch.watched(self.outside) if self.outside else []

    def touched(self, symbol: str, price: float, time_ms: int) -> Step:
        """A price reached levels of this symbol (or may have: each is checked): stop -> market sell; take-profit -> limit sell at
        the level; a watched stop order of the strategy's -> its market or limit order. Without a stop, take-profits rest at the
        venue from the purchase on and are not watched here; of stops that rest there, the price is that they cannot sell below."""
        return watch.touched(self.venue(), self.place(symbol), price)

    def venue(self) -> VenueOrders:
        if self.outside is None:
            raise Conflict("The engine itself executes this bot's orders: there is no venue to report.")
        return self.outside

    # State.
    def equity(self, prices: Mapping[str, float] | None = None) -> float:
        """Cash and positions at these prices, else at the last closes."""
        crumbs = self.outside.crumbs if self.outside else {}
        return self.brain.equity({self.place(symbol): price for symbol, price in (prices or {}).items()}, crumbs)

    def positions(self) -> dict[str, float]:
        """Base held, by symbol."""
        crumbs = self.outside.crumbs if self.outside else {}
        held = self.brain.book.symbols["position"]
        return {symbol: float(held[s]) + crumbs.get(s, 0.0) for s, symbol in enumerate(self.symbols)}

    def holdings(self) -> list[HeldQuantity]:
        """The lots, in the order they were opened."""
        found = []
        for lot, (stop, _, take) in zip(self.brain.lots(), self.brain.levels(), strict=True):
            found.append(
                HeldQuantity(
                    lot=int(lot["id"]),
                    symbol=self.symbols[lot["symbol"]],
                    quantity=float(lot["quantity"]),
                    price=float(lot["price"]),
                    fees=float(lot["fees"]),
                    highest=float(lot["highest"]),
                    reason=REASONS[lot["reason"]],
                    stop=float(stop),
                    take=float(take),
                )
            )
        return found

    def working(self) -> list[Intent]:
        """Orders that wait: resting, queued, in flight. A queued target, whose quantity the open decides, has NaN."""
        brain = self.brain
        found = [brain.order(brain.book.working[row]["order"]) for row in brain.rows()]
        for s, (number, created) in brain.targets.items():
            if brain.book.symbols[s]["target_at"] < 0:
                continue  # its open has been
            side = "sell" if sells(brain, s, float(brain.book.symbols[s]["target"])) else "buy"
            found.append(Intent(number, self.symbols[s], side, "market", "rebalance", np.nan, None, None, created))
        return found + (self.outside.resting_offers() if self.outside else [])

    def dump(self) -> bytes:
        """The whole state, compact. dump and load between any two calls change nothing."""
        outside = self.outside.dumped() if self.outside else None
        return memory.dumped(self.brain, {"blocked": self.blocked, "outside": outside})

    def load(self, data: bytes) -> None:
        """Take over a dumped state (made with the same arguments of the constructor); empty bytes: as new. `Invalid` for a state of
        another version or of other symbols."""
        self.renew()
        if data:
            more = memory.restored(self.brain, data)
            self.blocked = more["blocked"]
            if self.outside and more["outside"]:
                self.outside.restore(more["outside"])

    def carry(self, old: Trader) -> None:
        """A new run of the same bot takes over cash and lots, no orders. Before the first candle. `Invalid` where `old` holds a
        symbol that this one does not have."""
        carry(old.brain, self.brain)
        if self.outside and old.outside:
            self.outside.crumbs = {
                self.places[old.symbols[s]]: quantity for s, quantity in old.outside.crumbs.items() if old.symbols[s] in self.places
            }

    def take_over(self, cash: float, held: Mapping[str, HeldPosition]) -> None:
        """A new run takes over what the books say, where the memory of the one before cannot be read. As `carry`."""
        take_over(self.brain, cash, held)

    # What is asked of the caller.
    def check_time(self, time_ms: int) -> None:
        last = self.brain.begun if self.brain.begun is not None else self.brain.time
        if last is not None and (time_ms < last or time_ms == self.brain.time):
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


def joined(first: Step, second: Step) -> Step:
    lists: dict[str, Any] = {
        name: getattr(first, name) + getattr(second, name) for name in ("wanted", "executed", "done", "closed")
    }
    return Step(**lists, equity=second.equity)
