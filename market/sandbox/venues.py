"""Both venues with one tape, their keys, faults and faces: all of a sandbox but the port it is served on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial

from market.sandbox import instruments, keys, state
from market.sandbox.binance.face import BinanceFace
from market.sandbox.coinbase.face import CoinbaseFace
from market.sandbox.exchange import SandboxExchange
from market.sandbox.faults import AMOUNTS, COUNTS, VENUES, FaultRule, FaultScript
from market.sandbox.history import SandboxCandle
from market.sandbox.journal import SandboxJournal, journal_path
from market.sandbox.scenario import Scenario
from market.sandbox.sockets import ClientSockets
from market.sandbox.tape import Tape, TapeTrade
from market.sandbox.walk import PriceWalk


class SandboxVenues:
    """The exchanges of a scenario and what moves them. All calls belong on one event loop."""

    def __init__(self, scenario: Scenario | None = None) -> None:
        self.scenario = plan = scenario or Scenario()
        start = int(time.time() * 1000) if plan.start is None else plan.start
        walk = PriceWalk(plan.listed, plan.seed)
        past = plan.past or (walk.past(start, plan.minutes) if plan.ticks is None else {})
        self.tape = Tape(walk.ticks(start, plan.rate) if plan.ticks is None else plan.ticks, self._play, start=start)
        self.faults = FaultScript(plan.faults, seed=plan.seed, clock=self._now)
        self.keys = {"binance": keys.binance_key(plan.seed), "coinbase": keys.coinbase_key(plan.seed)}
        self.exchanges = {venue: self._make_exchange(venue, past) for venue in VENUES}
        self.line = state.load_accounts(plan.state, self.exchanges, plan.seed) if plan.state else 0
        self.journal: SandboxJournal | None = None
        self.sockets = ClientSockets(self.faults)
        self.binance = BinanceFace(self.exchanges["binance"], self.keys["binance"], lambda: self.wall("binance"))
        self.coinbase = CoinbaseFace(self.exchanges["coinbase"], self.keys["coinbase"], lambda: self.wall("coinbase"))

    def wall(self, venue: str) -> int:
        """The venue's clock (ms), which clients must agree with: real time, as far off as the faults say."""
        return int(time.time() * 1000) + self.faults.clock_skew(venue)

    def step(self, milliseconds: int) -> None:
        """Moves the market on by hand."""
        self.tape.step(milliseconds)
        self.strike()

    def strike(self) -> None:
        """Does what is due at the market's time: deadlines of orders, faults that strike by themselves, frames that waited."""
        for exchange in self.exchanges.values():
            exchange.expire(self.tape.now)
        for rule in self.faults.take_due():
            apply_rule(rule, self.exchanges, self.sockets)
        self.binance.advance(self.tape.now)

    def permit(self, *, can_trade: bool = True, can_withdraw: bool = False, ip_restricted: bool = False) -> None:
        """Sets what the keys of both venues may do from now on."""
        for venue, exchange in self.exchanges.items():
            account = exchange.accounts[self.keys[venue].name]
            account.can_trade, account.can_withdraw, account.ip_restricted = can_trade, can_withdraw, ip_restricted
        self.coinbase.permit(self.keys["coinbase"].name, can_trade=can_trade, can_transfer=can_withdraw)

    def keep_accounts(self) -> None:
        """From now on whatever changes the accounts is in a file before anybody is told, if the scenario has one."""
        if self.scenario.state:
            self.journal = SandboxJournal(journal_path(self.scenario.state), self.exchanges, self.line)
            self.save()

    def save(self, *, last: bool = False) -> None:
        """Writes the accounts to the file of the scenario, if they are kept."""
        if self.scenario.state and self.journal:
            state.save_accounts(self.scenario.state, self.journal, self.scenario.seed, last=last)

    def _now(self) -> int:
        return self.tape.now

    def _play(self, tick: TapeTrade) -> None:
        self.exchanges[tick.venue].trade(tick.symbol, tick.price, tick.qty, buyer_is_maker=tick.buyer_is_maker, time=tick.time)

    def _make_exchange(self, venue: str, past: Mapping[tuple[str, str], Sequence[SandboxCandle]]) -> SandboxExchange:
        fees = instruments.BINANCE_FEES if venue == "binance" else instruments.COINBASE_FEES
        exchange = SandboxExchange(venue, self.scenario.listed[venue], fees, seed=self.scenario.seed, clock=self._now)
        exchange.find_refusal, exchange.wall = partial(self.faults.match_order, venue), partial(self.wall, venue)
        for symbol, market in exchange.markets.items():
            market.history.load_minutes(past.get((venue, symbol), ()))
        exchange.open_account(self.keys[venue].name, instruments.BALANCES[venue])
        return exchange


def apply_rule(rule: FaultRule, exchanges: Mapping[str, SandboxExchange], sockets: ClientSockets) -> None:
    """Lets a fault strike that waits for its time, not for a request or a frame."""
    if rule.fault in ("drop", "close", "outage"):
        sockets.strike(rule)
        return
    for venue, exchange in exchanges.items():
        symbol = rule.options["symbol"]
        if rule.venue not in ("*", venue) or symbol not in exchange.markets:
            continue
        if rule.fault == "delist":
            exchange.delist(symbol)
        elif rule.fault in ("halt", "relist"):
            exchange.change_filters(symbol, trading=rule.fault == "relist")
        else:
            amounts = {name: Decimal(rule.options[name]) for name in AMOUNTS if name in rule.options}
            exchange.change_filters(symbol, **amounts, **{name: rule.options[name] for name in COUNTS if name in rule.options})
