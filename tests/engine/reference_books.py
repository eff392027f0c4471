"""The words of docs/reference/fill-rules.md in `Decimal`; the steps that use them are in reference.py."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from itertools import pairwise
from typing import Any

from engine.types import Account, Candles, Signals
from tests.engine.reference_protections import Watch
from tests.engine.reference_values import ONE, ZERO, Fill, Lot, Market, Order, Row, Trade, binary, exact

WHOLE = Decimal("1e-9")
EDGE = Decimal("1e-12")
DIGIT = Decimal("1e-15")
YEAR_MS = 365 * 86_400_000


def money_places(account: Account) -> int | None:
    """Those of ticks x lots and of the cash, at least 8; None where a symbol lacks a tick or a lot size."""

    def places(value: float) -> int:
        return -int(exact(value).normalize().as_tuple().exponent)

    if not all(rule.tick and rule.lot for rule in account.rules):
        return None
    return max(8, places(account.cash), *(places(rule.tick) + places(rule.lot) for rule in account.rules))


class Books:
    """The page's words: slippage, rounding, cash held, fills into lots and out of them, and what an entry spends."""

    def __init__(
        self, account: Account, candles: Sequence[Candles], signals: Sequence[Signals], warmup: int, position: str
    ) -> None:
        self.account, self.warmup, self.position = account, warmup, position
        self.time = sorted({int(time) for one in candles for time in one.time})
        index = {time: t for t, time in enumerate(self.time)}
        self.markets = [
            Market(
                one,
                wants,
                {index[int(time)]: i for i, time in enumerate(one.time)},
                [tuple(map(exact, row)) for row in zip(one.open, one.high, one.low, one.close, one.volume, strict=True)],  # type: ignore[misc]
            )
            for one, wants in zip(candles, signals, strict=True)
        ]
        self.maker, self.taker = exact(account.fees.maker), exact(account.fees.taker)
        self.cash = self.start = exact(account.cash)
        self.dust = self.start * WHOLE
        self.places = money_places(account)
        self.last_equity = self.cash
        self.lots: list[Lot] = []
        self.queued_exits: list[Order] = []
        self.queued_entries: list[Order] = []
        self.resting: list[Order] = []
        self.own_exits: dict[int, Order] = {}
        self.orders: list[Order] = []
        self.fills: list[Fill] = []
        self.trades: list[Trade] = []
        self.equity: list[Decimal] = []
        self.watch = Watch(account)
        self.edges = 0
        self.t = 0
        self.now: list[int] = []

    # ---- words

    def candle(self, s: int) -> Row:
        """Open, high, low, close, volume of the symbol's newest candle."""
        return self.markets[s].rows[self.markets[s].last]

    def held_quantity(self, s: int) -> Decimal:
        return sum((lot.quantity for lot in self.lots if lot.symbol == s), ZERO)

    def free_cash(self) -> Decimal:
        return self.cash - sum((order.held for order in self.resting), ZERO)

    def near(self, a: Decimal, b: Decimal) -> None:
        """Count a decision that binary floats may take otherwise: computed values (almost) equal, and not exact in binary."""
        self.edges += (a == b and not binary(a)) or (a != b and abs(a - b) < EDGE * max(abs(a), abs(b)))

    def round(self, value: Decimal, step: float, rounding: str, doubt: Decimal = ZERO) -> Decimal:
        """To a whole number of steps; what is within 1e-9 of one is that number. `doubt` is what floats may have got wrong in
        `value` beside the last digit: what is left of the cash after a purchase is known to the cash's last digit only."""
        if not step:
            return value
        quotient = value / exact(step)
        off = abs(quotient - quotient.to_integral_value())
        self.edges += abs(off - WHOLE) <= quotient * DIGIT + doubt / exact(step)
        return quotient.to_integral_value(ROUND_HALF_EVEN if off <= WHOLE else rounding) * exact(step)

    def money(self, amount: Decimal) -> Decimal:
        """To the places of money, where there are any."""
        return amount if self.places is None else amount.quantize(Decimal(1).scaleb(-self.places), ROUND_HALF_EVEN)

    def slipped(self, s: int, price: Decimal, sign: int, share: Decimal) -> Decimal:
        """What a taker pays (`sign` 1) or gets (-1); `share` of the candle's volume."""
        slippage = self.account.slippage
        if slippage.kind == "bps":
            price *= 1 + sign * exact(slippage.value) / 10_000
        elif slippage.kind == "half_spread":
            price = max(ZERO, price + sign * exact(slippage.value))
        else:
            price = max(ZERO, price * (1 + sign * exact(slippage.impact) * share**2))
        return self.round(price, self.account.rules[s].tick, ROUND_CEILING if sign > 0 else ROUND_FLOOR)

    def dearest(self, s: int, price: Decimal) -> Decimal:
        """What a buyer pays at the most: with the slippage of the full cap share."""
        return self.slipped(s, price, 1, exact(self.account.slippage.max_share))

    def take(self, s: int, quantity: Decimal) -> tuple[Decimal, Decimal]:
        """As much of `quantity` as the volume cap leaves, and its share of the candle's volume."""
        if self.account.slippage.kind != "volume_share":
            return quantity, ZERO
        market = self.markets[s]
        if market.left > 0:
            self.near(quantity, market.left)
        got = quantity if quantity <= market.left else self.round(market.left, self.account.rules[s].lot, ROUND_FLOOR)
        market.left -= got
        return got, got / self.candle(s)[4] if got else ZERO

    # ---- orders

    def order(self, s: int, side: str, kind: str, reason: str, **more: Any) -> Order:
        return Order(s, side, kind, reason, self.t, self.markets[s].last, **more)

    def record(self, order: Order) -> Order:
        self.orders.append(order)
        return order

    def close(self, order: Order, status: str, refusal: str = "") -> None:
        order.status, order.closed, order.refusal = status, self.t, refusal
        for book in (self.queued_exits, self.queued_entries, self.resting):
            if order in book:
                book.remove(order)
        if self.own_exits.get(order.symbol) is order:
            del self.own_exits[order.symbol]

    def refuse(self, order: Order, code: str) -> None:
        self.close(order, "refused", code)

    def buy(self, order: Order, quantity: Decimal, price: Decimal, reference: Decimal, *, maker: bool, at_open: bool) -> None:
        """One fill, into its lot. `reference` is the price before slippage."""
        s, fee = order.symbol, self.money(quantity * price * (self.maker if maker else self.taker))
        slippage = ZERO if maker else abs(price - reference) * quantity
        self.cash -= quantity * price + fee
        if -self.dust <= self.cash < 0:
            fee += ZERO if self.places is None else self.cash
            self.cash = ZERO
        order.got += quantity
        assert order.rest is not None
        order.rest -= quantity
        lot = next((lot for lot in self.lots if self.joins(order, lot)), None)
        if lot is None:
            self.lots.append(
                Lot(s, order, self.t, self.markets[s].last, quantity, price, fee, slippage, price, -1, at_open or maker)
            )
            lot = self.lots[-1]
        else:
            lot.entry = (lot.quantity * lot.entry + quantity * price) / (lot.quantity + quantity)
            lot.quantity, lot.fee, lot.slippage = lot.quantity + quantity, lot.fee + fee, lot.slippage + slippage
            lot.highest = max(lot.highest, lot.entry)
        if not at_open:
            lot.inside = self.t
        self.fills.append(Fill(order, self.t, price, quantity, fee, slippage, maker, self.cash, self.held_quantity(s)))
        if not order.rest:
            self.close(order, "filled")

    def joins(self, order: Order, lot: Lot) -> bool:
        if lot.symbol != order.symbol or lot.selling is not None:
            return False
        merges = self.position == "merge" and order.rung is None and lot.order.rung is None
        return merges or lot.order is order

    def sell(
        self, order: Order, lots: list[Lot], wanted: Decimal | None, price: Decimal, *, maker: bool = False, capped: bool = True
    ) -> bool:
        """One fill of `wanted` (None: all) out of the lots in turn, at `price` less a taker's slippage; whether it got all."""
        s, total = order.symbol, sum((lot.quantity for lot in lots), ZERO)
        wanted = total if wanted is None else min(wanted, total)
        got, share = self.take(s, wanted) if capped else (wanted, self.end_share(s, wanted))
        if not got:
            return False
        paid = price if maker else self.slipped(s, price, -1, share)
        if order.limit is not None:
            paid = max(paid, order.limit)
        fee = self.money(got * paid * (self.maker if maker else self.taker))
        slippage = ZERO if maker else abs(price - paid) * got
        self.cash += got * paid - fee
        order.got += got
        left = got
        for lot in lots:
            part = lot.quantity if got == total else min(lot.quantity, left)
            left -= part
            if part:
                self.trade(lot, order, part, paid, fee * part / got, slippage * part / got)
        self.lots = [lot for lot in self.lots if lot.quantity]
        self.fills.append(Fill(order, self.t, paid, got, fee, slippage, maker, self.cash, self.held_quantity(s)))
        if s in self.own_exits and self.own_exits[s] is not order and not self.held_quantity(s):
            self.close(self.own_exits[s], "cancelled")
        return got == wanted

    def trade(self, lot: Lot, order: Order, part: Decimal, price: Decimal, fee: Decimal, slippage: Decimal) -> None:
        share = part / lot.quantity
        entry_fee, entry_slippage = lot.fee * share, lot.slippage * share
        paid = part * lot.entry + entry_fee
        self.trades.append(
            Trade(
                lot.symbol, lot.opened, self.t, lot.entry, price, part, entry_fee + fee, entry_slippage + slippage,
                part * price - fee - paid, paid, lot.order.reason, order.reason,
            )
        )  # fmt: skip
        lot.parts.append(self.trades[-1])
        lot.quantity, lot.fee, lot.slippage = lot.quantity - part, lot.fee - entry_fee, lot.slippage - entry_slippage
        if not lot.quantity:
            self.watch.close(lot.parts)

    # ---- how much an entry spends

    def amount(self, order: Order, rungs: int = 1) -> Decimal | str:
        """The money to spend, fee included, or why not."""
        s, free, limits = order.symbol, self.free_cash(), self.account.limits
        if free <= self.dust:
            return "insufficient_cash"
        wanted = self.sizing(order, rungs)
        if self.account.sizing.kind == "fixed" and free < wanted - self.dust:
            return "insufficient_cash"
        amount = min(wanted, free)
        if limits.symbol_cap:
            held = sum((other.held for other in self.resting if other.symbol == s), ZERO)
            room = exact(limits.symbol_cap) * self.last_equity - self.held_quantity(s) * self.markets[s].mark - held
            if room <= self.dust:
                return "symbol_cap"
            amount = min(amount, room)
        return amount

    def sizing(self, order: Order, rungs: int) -> Decimal:
        sizing = self.account.sizing
        value, cap, equity = exact(sizing.value), exact(sizing.cap), self.last_equity
        if sizing.kind == "all_in":
            return (self.free_cash() if order.rung is None else equity / rungs) * order.weight
        if sizing.kind == "fixed":
            return value * order.weight / rungs
        if sizing.kind == "fraction":
            share = value
        elif sizing.kind == "volatility":
            share = min(cap, value / order.volatility)
        elif len(self.trades) < sizing.min_trades:
            share = cap * value
        else:
            share = min(cap, max(ZERO, value * self.kelly()))
        return share * order.weight * equity / rungs

    def kelly(self) -> Decimal:
        returns = [trade.ratio for trade in self.trades]
        for one in returns:
            self.near(1 + one, ONE)
        wins, losses = [one for one in returns if one > 0], [-one for one in returns if one <= 0]
        won = Decimal(len(wins)) / len(returns)
        if not wins:
            return ZERO
        average_loss = sum(losses, ZERO) / len(losses) if losses else ZERO
        if not average_loss:
            return won
        result = won - (1 - won) / (sum(wins, ZERO) / len(wins) / average_loss)
        self.near(1 + result, ONE)
        return result

    def volatility(self, s: int) -> Decimal:
        """Yearly, from the last `lookback` log returns; 0 where there are too few closes."""
        market, n = self.markets[s], self.account.sizing.lookback
        if market.last < n:
            return ZERO
        closes = [row[3] for row in market.rows[market.last - n : market.last + 1]]
        returns = [(b / a).ln() for a, b in pairwise(closes)]
        mean = sum(returns, ZERO) / n
        deviation = (sum(((one - mean) ** 2 for one in returns), ZERO) / (n - 1)).sqrt()
        self.edges += ZERO < deviation < WHOLE
        return deviation * (Decimal(YEAR_MS) / market.candles.step).sqrt()

    def size(self, order: Order, price: Decimal, fee: Decimal, amount: Decimal | str) -> bool:
        """Fix the order's quantity, or refuse it."""
        rules = self.account.rules[order.symbol]
        if isinstance(amount, str):
            self.refuse(order, amount)
            return False
        order.rest = wanted = self.round(amount / (price * (1 + fee)), rules.lot, ROUND_FLOOR, 10 * DIGIT * self.start / price)
        least = exact(rules.min_notional) * (1 - WHOLE)
        if not order.rest:
            self.refuse(order, "below_lot_size")
        elif not self.cap(order, price):
            self.refuse(order, "above_maximum")
        elif order.rest * price < least:
            self.refuse(order, "below_min_notional")
        elif over := wanted - order.rest:
            more = {"limit": order.limit, "stop": order.stop, "rest": over}
            self.refuse(self.record(self.order(order.symbol, "buy", order.type, order.reason, **more)), "above_maximum")
        return order.status == "open"

    def cap(self, order: Order, price: Decimal) -> Decimal:
        """Cut what is wanted to the instrument's maxima; what is left of it."""
        assert order.rest is not None
        rules, market = self.account.rules[order.symbol], order.type in ("market", "stop")
        most = [exact(rules.max_quantity)] if rules.max_quantity else []
        if market and rules.market_max_quantity:
            most.append(exact(rules.market_max_quantity))
        if rules.max_notional and (rules.max_notional_market or not market):
            most.append(exact(rules.max_notional) * (Decimal("0.95") if market else 1) / price)
        if rules.max_position:
            waiting = [
                one.rest or ZERO for one in self.resting + self.queued_entries if one.symbol == order.symbol and one is not order
            ]
            most.append(max(ZERO, exact(rules.max_position) - self.held_quantity(order.symbol) - sum(waiting, ZERO)))
        for one in most:
            self.near(order.rest, one)
        if most and order.rest > min(most) * (1 + WHOLE):
            order.rest = self.round(min(most), rules.lot, ROUND_FLOOR)
        return order.rest

    def cut(self, order: Order, price: Decimal, fee: Decimal, cash: Decimal) -> bool:
        """Cut what is still to be bought to what `cash` can pay; end the order if that is nothing."""
        assert order.rest is not None
        price *= 1 + fee
        if order.rest * price > cash + self.dust:
            held, payable = order.held, cash / price if cash > self.dust else ZERO
            order.rest = self.round(payable, self.account.rules[order.symbol].lot, ROUND_FLOOR, 10 * DIGIT * self.start / price)
            order.hold_price = held / order.rest if order.rest else ZERO
        if not order.rest:
            self.close(order, *(("filled",) if order.got else ("refused", "insufficient_cash")))
        return order.status == "open"

    def full(self, s: int) -> bool:
        """Whether another symbol would be one too many."""
        taken = {lot.symbol for lot in self.lots} | {order.symbol for order in self.resting}
        taken |= {order.symbol for order in self.queued_entries if order.target is None}
        return (
            bool(self.account.limits.max_open_positions) and s not in taken and len(taken) >= self.account.limits.max_open_positions
        )

    def end_share(self, s: int, quantity: Decimal) -> Decimal:
        most, volume = exact(self.account.slippage.max_share), self.candle(s)[4]
        return min(quantity / volume, most) if volume else most
