"""docs/reference/fill-rules.md once more: slow, obvious, in `Decimal`, written from the page and not from the kernel.

Read it beside the page: `step_1` to `step_5` and `the_end` carry the page's numbers. Codes are the page's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from engine.types import Account, Candles, Signals
from tests.engine.reference_books import Books
from tests.engine.reference_values import ONE, ZERO, Lot, Order, ReferenceResult, exact


def simulate_reference(
    account: Account, candles: Sequence[Candles], signals: Sequence[Signals], *, warmup: int, position: str = "single"
) -> ReferenceResult:
    with localcontext() as context:
        context.prec = 40
        return Reference(account, candles, signals, warmup, position).run()


class Reference(Books):
    """The page's steps, candle by candle."""

    def run(self) -> ReferenceResult:
        for t in range(len(self.time)):
            self.t = t
            self.now = [s for s, market in enumerate(self.markets) if self.t in market.own]
            for s in self.now:
                self.markets[s].last = self.markets[s].own[self.t]
                self.markets[s].left = exact(self.account.slippage.max_share) * self.candle(s)[4]
            self.step_1_exits_at_the_open()
            self.step_2_entries_at_the_open()
            self.step_3_resting_entries()
            self.step_4_exits_inside()
            self.step_5_at_the_close()
        self.the_end()
        return ReferenceResult(self.time, self.orders, self.fills, self.trades, self.equity, self.cash, self.edges)

    def step_1_exits_at_the_open(self) -> None:
        for order in [order for order in self.queued_exits if order.symbol in self.now]:
            self.sell_queued(order)
        for order in [order for order in self.queued_entries if order.symbol in self.now and order.target is not None]:
            self.sell_to_target(order)

    def sell_queued(self, order: Order) -> None:
        locked = order.rest is None
        lots = [lot for lot in self.lots if lot.symbol == order.symbol and lot.selling is (order if locked else None)]
        before = order.got
        done = self.sell(order, lots, order.rest, self.candle(order.symbol)[0]) if lots else True
        if order.rest is not None:
            order.rest -= order.got - before
        if done:
            self.close(order, "filled" if order.got else "cancelled")

    def target_gap(self, order: Order) -> Decimal:
        """Wanted less held value at this open; 0 where it is to be left alone."""
        assert order.target is not None
        cap = self.account.limits.symbol_cap
        target = min(order.target, exact(cap)) if cap else order.target
        gap = target * self.last_equity - self.held_quantity(order.symbol) * self.candle(order.symbol)[0]
        if target:
            self.near(abs(gap), self.last_equity / 100)
        return gap if abs(gap) >= self.last_equity / 100 or not target else ZERO

    def sell_to_target(self, order: Order) -> None:
        s, gap = order.symbol, self.target_gap(order)
        if gap >= 0:
            return
        self.queued_entries.remove(order)
        free = sum((lot.quantity for lot in self.lots if lot.symbol == s and lot.selling is None), ZERO)
        wanted = -gap / self.candle(s)[0]
        rest = min(free, self.round(wanted, self.account.rules[s].lot, ROUND_FLOOR) if order.target else free)
        if rest:
            order.side, order.rest, order.target = "sell", rest, None
            self.queued_exits.append(self.record(order))
            self.sell_queued(order)

    def step_2_entries_at_the_open(self) -> None:
        queued = [order for order in self.queued_entries if order.symbol in self.now]
        for order in [order for order in queued if order.target is None]:
            self.buy_queued(order)
        for order in [order for order in queued if order.target is not None]:
            if self.starts_to_buy(order):
                self.buy_queued(order)

    def buy_queued(self, order: Order) -> None:
        price = self.dearest(order.symbol, self.candle(order.symbol)[0])
        if order.rest is None:
            ready = self.size(order, price, self.taker, self.wanted(order))
        else:
            ready = self.cut(order, price, self.taker, self.free_cash())
        if ready:
            self.buy_at_open(order)

    def starts_to_buy(self, order: Order) -> bool:
        """A target that buys becomes an order; one to be left alone goes."""
        gap = self.target_gap(order)
        if gap <= 0:
            self.queued_entries.remove(order)
            return False
        if order.barred:
            self.refuse(self.record(order), "protection")
            return False
        if self.full(order.symbol):
            self.refuse(self.record(order), "max_open_positions")
            return False
        self.queued_entries.remove(order)
        self.queued_entries.append(self.record(order))
        order.target, order.gap = None, gap
        return True

    def wanted(self, order: Order) -> Decimal | str:
        if order.reason != "rebalance":
            return self.amount(order)
        return min(order.gap, self.free_cash()) if self.free_cash() > self.dust else "insufficient_cash"

    def buy_at_open(self, order: Order) -> None:
        s, opened = order.symbol, self.candle(order.symbol)[0]
        assert order.rest is not None
        got, share = self.take(s, order.rest)
        if got:
            self.buy(order, got, self.slipped(s, opened, 1, share), opened, maker=False, at_open=True)

    def step_3_resting_entries(self) -> None:
        for order in [order for order in self.resting if order.symbol in self.now]:
            match self.touched(order):
                case (price, maker, at_open):
                    self.buy_resting(order, price, maker, at_open)

    def touched(self, order: Order) -> tuple[Decimal, bool, bool] | None:
        """The price before slippage, whether as maker, whether at the open; None: not in this candle."""
        opened, high, low, _, _ = self.candle(order.symbol)
        first = self.markets[order.symbol].last == order.placed + 1
        limit, stop = order.limit, order.stop
        for price in (limit, stop):
            if price is not None and not order.as_given:
                for level in (opened, high, low):
                    self.near(price, level)
        if stop is None or (order.triggered and limit is not None):
            assert limit is not None
            if first and opened <= limit:
                return opened, False, True
            return (limit, True, False) if low < limit else None
        at_open = order.triggered or opened >= stop
        if not at_open and high < stop:
            return None
        order.triggered = True
        price = opened if at_open else stop
        return (price, False, at_open) if limit is None or price <= limit else None

    def buy_resting(self, order: Order, reference: Decimal, maker: bool, at_open: bool) -> None:
        s, fee = order.symbol, self.maker if maker else self.taker
        most = order.limit if order.limit is not None else Decimal("Infinity")
        dearest = reference if maker else min(self.dearest(s, reference), most)
        if not self.cut(order, dearest, fee, self.free_cash() + order.held):
            return
        assert order.rest is not None
        got, share = self.take(s, order.rest)
        if got:
            price = reference if maker else min(self.slipped(s, reference, 1, share), most)
            self.buy(order, got, price, reference, maker=maker, at_open=at_open)

    def step_4_exits_inside(self) -> None:
        for s in self.now:
            for lot in [lot for lot in self.lots if lot.symbol == s and lot.selling is None]:
                self.protect(lot)
            if s in self.own_exits:
                self.own_exit(self.own_exits[s])

    def protect(self, lot: Lot) -> None:
        exits, s = self.account.exits, lot.symbol
        opened, high, low, _, _ = self.candle(s)
        tick = self.account.rules[s].tick
        stop = lot.entry * (1 - exact(exits.stop_loss)) if exits.stop_loss else ZERO
        trailing = lot.highest * (1 - exact(exits.trailing_stop)) if exits.trailing_stop else ZERO
        level = self.round(max(stop, trailing), tick, ROUND_FLOOR)
        if level:
            self.near_level(low, level, tick)
            if low <= level:
                self.near(stop, trailing)
                order = self.record(self.order(s, "sell", "stop", "trailing_stop" if trailing > stop else "stop_loss", stop=level))
                passed = lot.opened == self.t and not lot.at_open
                self.sell_now(order, [lot], min(high if passed else opened, level))
                return
        profit = lot.entry * (1 + exact(exits.take_profit)) if exits.take_profit else None
        if lot.order.rung is not None:
            profit = exact(self.markets[s].ladder.sell[lot.order.rung])
        profit = None if profit is None else self.round(profit, tick, ROUND_CEILING)
        if profit is not None and lot.inside != self.t:
            self.near_level(high, profit, tick) if lot.order.rung is None else None
            order = self.order(s, "sell", "limit", "take_profit", limit=profit)
            if high > profit and (self.sell(order, [lot], None, profit, maker=True) or order.got):
                self.close(self.record(order), "filled")

    def near_level(self, price: Decimal, level: Decimal, tick: float) -> None:
        """On a tick a level is a price like those of candles: floats hold both exactly alike."""
        if not tick:
            self.near(price, level)

    def sell_now(self, order: Order, lots: list[Lot], price: Decimal) -> None:
        """As a taker; what the volume cap leaves is queued for the next opens."""
        if self.sell(order, lots, None, price):
            self.close(order, "filled")
            return
        self.own_exits.pop(order.symbol, None) if self.own_exits.get(order.symbol) is order else None
        self.queued_exits.append(order)
        for lot in lots:
            lot.selling = order

    def own_exit(self, order: Order) -> None:
        s, limit, stop = order.symbol, order.limit, order.stop
        opened, high, low, _, _ = self.candle(s)
        first = self.markets[s].last == order.placed + 1
        lots = [lot for lot in self.lots if lot.symbol == s and lot.selling is None and lot.inside != self.t]
        if not lots:
            return
        for price in (limit, stop):
            if price is not None and not order.as_given:
                for level in (opened, high, low):
                    self.near(price, level)
        if stop is None or (order.triggered and limit is not None):
            assert limit is not None
            at_open = first and opened >= limit and stop is None
            if (at_open or high > limit) and self.sell(order, lots, None, opened if at_open else limit, maker=not at_open):
                self.close(order, "filled")
        elif low <= stop:
            order.triggered, price = True, min(opened, stop)
            if limit is None:
                self.sell_now(order, lots, price)
            elif price >= limit and self.sell(order, lots, None, price):
                self.close(order, "filled")

    def step_5_at_the_close(self) -> None:
        last = self.t == len(self.time) - 1
        if not last:
            self.end_long_holds()
            self.expire()
        for s in self.now:
            self.markets[s].mark = self.candle(s)[3]
        self.last_equity = self.cash + sum((self.held_quantity(s) * market.mark for s, market in enumerate(self.markets)), ZERO)
        self.equity.append(self.last_equity)
        for s in self.now if not last else []:
            if self.markets[s].last >= self.warmup - 1:
                self.decide(s)
        for lot in self.lots:
            if lot.symbol in self.now and lot.inside != self.t:
                lot.highest = max(lot.highest, self.candle(lot.symbol)[1])

    def expire(self) -> None:
        for order in [order for order in self.resting if order.symbol in self.now]:
            if self.account.order_ttl and self.markets[order.symbol].last - order.placed >= self.account.order_ttl:
                self.close(order, "expired")

    def end_long_holds(self) -> None:
        most = self.account.exits.max_candles
        for lot in self.lots if most else []:
            s = lot.symbol
            if s in self.now and lot.selling is None and self.markets[s].last - lot.opened_own + 1 >= most:
                self.queue_exit(self.order(s, "sell", "market", "time_limit"), [lot])

    def queue_exit(self, order: Order, lots: list[Lot]) -> None:
        self.queued_exits.append(self.record(order))
        for lot in lots:
            lot.selling = order

    def decide(self, s: int) -> None:
        market = self.markets[s]
        if market.signals.target is not None:
            self.decide_target(s, market.signal("target", market.last))
        elif market.flag("exit", market.last):
            self.decide_exit(s)
        elif market.flag("entry", market.last):
            self.decide_entry(s)
        if market.signals.ladder is not None and market.last >= market.signals.ladder.start:
            self.decide_ladder(s)

    def decide_target(self, s: int, target: Decimal | None) -> None:
        if target is None:
            return
        for order in [
            order for order in self.queued_entries + self.queued_exits if order.symbol == s and order.reason == "rebalance"
        ]:
            self.close(order, "cancelled")
        barred = self.watch.bars_entry(s, self.t)
        self.queued_entries.append(self.order(s, "buy", "market", "rebalance", target=target, barred=barred))

    def priced(self, s: int, side: str, reason: str, limit: Decimal | None, stop: Decimal | None) -> Order:
        """An order with its prices on the tick: limits of buys down, of sells up, stops the other way."""
        tick, down = self.account.rules[s].tick, side == "buy"
        kind = {(False, False): "market", (True, False): "limit", (False, True): "stop", (True, True): "stop_limit"}
        order = self.order(s, side, kind[limit is not None, stop is not None], reason)
        if limit is not None:
            order.limit = self.round(limit, tick, ROUND_FLOOR if down else ROUND_CEILING)
        if stop is not None:
            order.stop = self.round(stop, tick, ROUND_CEILING if down else ROUND_FLOOR)
        order.as_given = (order.limit, order.stop) == (limit, stop)
        return order

    def bad_price(self, order: Order) -> bool:
        return any(price is not None and price <= 0 for price in (order.limit, order.stop))

    def decide_exit(self, s: int) -> None:
        market, lots = self.markets[s], [lot for lot in self.lots if lot.symbol == s and lot.selling is None]
        for order in [order for order in self.resting + self.queued_entries if order.symbol == s]:
            self.close(order, "cancelled")
        if not lots:
            return
        limit, stop = market.signal("exit_limit", market.last), market.signal("exit_stop", market.last)
        order = self.priced(s, "sell", "exit_signal", limit, stop)
        if self.bad_price(order):
            self.refuse(self.record(order), "bad_price")
            return
        if s in self.own_exits:
            self.close(self.own_exits[s], "cancelled")
        if order.type == "market":
            self.queue_exit(order, lots)
        else:
            self.own_exits[s] = self.record(order)

    def decide_entry(self, s: int) -> None:
        market, sizing = self.markets[s], self.account.sizing.kind
        weight = ONE if market.signals.weight is None else market.signal("weight", market.last)
        volatility = self.volatility(s) if sizing == "volatility" else ONE
        if weight is None or weight <= 0 or not volatility:
            return
        queued = any(order.symbol == s for order in self.queued_entries)
        if self.position == "single" and (queued or any(lot.symbol == s for lot in self.lots)):
            return
        limit, stop = market.signal("entry_limit", market.last), market.signal("entry_stop", market.last)
        order = self.record(self.priced(s, "buy", "entry_signal", limit, stop))
        order.weight, order.volatility = weight, volatility
        if self.watch.bars_entry(s, self.t):
            self.refuse(order, "protection")
            return
        for other in [other for other in self.resting if other.symbol == s and self.position != "lots"]:
            self.close(other, "cancelled")
        if order.type != "market":
            self.place(order)
        elif self.full(s):
            self.refuse(order, "max_open_positions")
        else:
            self.queued_entries.append(order)

    def place(self, order: Order, rungs: int = 1) -> bool:
        """Let an entry rest, its quantity fixed and its cash held; or refuse it."""
        price = order.stop if order.limit is None else order.limit
        fee = self.taker if order.limit is None else max(self.maker, self.taker)
        assert price is not None
        if self.full(order.symbol):
            self.refuse(order, "max_open_positions")
        elif self.bad_price(order):
            self.refuse(order, "bad_price")
        elif self.size(order, price, fee, self.amount(order, rungs)):
            order.hold_price = price * (1 + fee)
            self.resting.append(order)
        return order.status == "open"

    def decide_ladder(self, s: int) -> None:
        market, ladder = self.markets[s], self.markets[s].ladder
        volatility = self.volatility(s) if self.account.sizing.kind == "volatility" else ONE
        for k in range(len(ladder.buy)) if volatility else []:
            price = exact(ladder.buy[k])
            alive = [order.rung for order in self.resting if order.symbol == s] + [
                lot.order.rung for lot in self.lots if lot.symbol == s
            ]
            if k in alive or price >= market.mark:
                continue
            order = self.priced(s, "buy", "ladder", price, None)
            order.rung, order.volatility = k, volatility
            known = k in market.refused_rungs
            placed = self.place_rung(order, len(ladder.buy))
            if placed or not known:
                self.record(order)
            (market.refused_rungs.discard if placed else market.refused_rungs.add)(k)

    def place_rung(self, order: Order, rungs: int) -> bool:
        if self.watch.bars_entry(order.symbol, self.t):
            self.refuse(order, "protection")
            return False
        return self.place(order, rungs)

    def the_end(self) -> None:
        for order in self.resting + self.queued_entries + self.queued_exits + list(self.own_exits.values()):
            self.close(order, "cancelled")
        for lot in list(self.lots):
            order = self.record(self.order(lot.symbol, "sell", "market", "end_of_data"))
            self.sell(order, [lot], None, self.markets[lot.symbol].mark, capped=False)
            self.close(order, "filled")
        self.equity[-1:] = [self.cash]
