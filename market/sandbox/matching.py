"""Matching: how an order meets the book, and what a trade does to the orders and accounts on its two sides."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from market.sandbox import settlement, taking
from market.sandbox.depth import Offer
from market.sandbox.events import PublicTrade
from market.sandbox.orders import ZERO, SandboxOrder, Status
from market.sandbox.records import ExchangeRecords, ListedMarket


class OrderMatcher:
    """Changes a venue's records by trades and ended orders, and announces each change."""

    def __init__(self, records: ExchangeRecords) -> None:
        self._records = records

    def execute(self, market: ListedMarket, order: SandboxOrder, offers: list[Offer]) -> None:
        """Lets an order take the offers. What is left of it rests in the book or ends."""
        for offer in offers:
            if offer.order and taking.is_own(offer, order):
                self.end(offer.order, "expired", "self_trade")
                continue
            if offer.order is None:
                market.book.take(offer.price, offer.qty)
            trade = self.print_trade(
                market, offer.price, offer.qty, buyer_is_maker=order.side == "sell", time=self._records.clock()
            )
            if offer.order:
                self.fill(offer.order, trade, maker=True)
            self.fill(order, trade, maker=False)
        if order.status != "open":
            return
        if order.request.limit and order.request.tif not in ("ioc", "fok"):
            market.book.place(order)
        else:
            self.end(order, "expired", "immediate")

    def trigger_stops(self, market: ListedMarket) -> None:
        """Executes every stop that the last price has reached. Each may move the last price on."""
        records = self._records
        while order := market.book.stops.find_next(market.book.last):
            market.book.remove(order)
            order.triggered, order.working_time = True, records.clock()
            records.announce(order, "triggered")
            balance = records.accounts[order.account].balance(order.hold_asset)
            # A stop without a limit may meet higher prices than its hold was made for, so it takes what its account can pay.
            budget = order.held + balance.free if order.side == "buy" else None
            self.execute(market, order, taking.plan_taking(order, market.book, rate=records.rate, budget=budget))

    def print_trade(self, market: ListedMarket, price: Decimal, qty: Decimal, *, buyer_is_maker: bool, time: int) -> PublicTrade:
        """Makes a public trade: the last price, a row of the history, and an event."""
        trade = PublicTrade(market.history.next_id, market.instrument.symbol, price, qty, buyer_is_maker, time)
        market.book.last = price
        market.history.add(trade)
        self._records.emit(trade)
        return trade

    def fill(self, order: SandboxOrder, trade: PublicTrade, *, maker: bool) -> None:
        """Books one order's side of a trade: its money, its fee and its quantity."""
        records = self._records
        market, account = records.markets[order.symbol], records.accounts[order.account]
        fill = settlement.make_fill(order, trade, market.instrument, records.fee_rates, maker=maker)
        for asset, amount in settlement.settle_fill(account, order, fill, market.instrument).items():
            records.outside[asset] = records.outside.get(asset, ZERO) - amount
        records.outside[fill.fee_asset] = records.outside.get(fill.fee_asset, ZERO) - fill.fee
        records.fees[fill.fee_asset] = records.fees.get(fill.fee_asset, ZERO) + fill.fee
        order.updated = trade.time
        if not order.remaining:
            self.close(order, "filled")
        elif order.request.limit or order.request.stop:
            account.hold(order, min(order.held, taking.needed_funds(order, [], rate=records.rate)))
        records.announce(order, "trade", fill)

    def end(self, order: SandboxOrder, status: Literal["cancelled", "expired"], reason: str) -> None:
        """Ends an open order other than by filling it."""
        order.reason, order.updated = reason, self._records.clock()
        self.close(order, status)
        self._records.announce(order, status)

    def close(self, order: SandboxOrder, status: Status) -> None:
        """Takes an order out of the book and gives back what it still holds."""
        account = self._records.accounts[order.account]
        self._records.markets[order.symbol].book.remove(order)
        order.status = status
        account.hold(order, ZERO)
        del account.open[order.id]
        self._records.deadlines.pop(order.id, None)
