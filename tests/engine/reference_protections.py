"""The section "Protections" of docs/reference/fill-rules.md, in `Decimal`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.types import Account
from tests.engine.reference_values import ZERO, Trade, exact

WHOLE = Decimal("1e-9")
STOPS = ("stop_loss", "trailing_stop")


@dataclass(frozen=True)
class ClosedTrade:
    """All parts of a lot, when the last of them is sold."""

    symbol: int
    t: int
    reason: str
    profit: Decimal
    paid: Decimal
    equity: Decimal
    """Closed equity after it."""


@dataclass(frozen=True)
class Bar:
    symbol: int | None
    """None: all."""
    since: int
    candles: int


class Watch:
    """What the protections remember, and what they bar."""

    def __init__(self, account: Account) -> None:
        self.rules, self.start = account.protections, exact(account.cash)
        self.closed: list[ClosedTrade] = []
        self.bars: list[Bar] = []

    def bars_entry(self, s: int, t: int) -> bool:
        """Whether an entry of symbol `s`, decided at the close of `t`, is refused."""
        return any(bar.since <= t <= bar.since + bar.candles - 1 for bar in self.bars if bar.symbol in (None, s))

    def close(self, parts: Sequence[Trade]) -> None:
        last = parts[-1]
        profit, paid = sum((part.profit for part in parts), ZERO), sum((part.paid for part in parts), ZERO)
        equity = (self.closed[-1].equity if self.closed else self.start) + profit
        trade = ClosedTrade(last.symbol, last.exit_index, last.exit_reason, profit, paid, equity)
        self.closed.append(trade)
        self.bars.append(Bar(trade.symbol, trade.t, self.rules.cooldown))
        self.stop_guard(trade)
        self.drawdown_guard(trade)
        self.low_profit_lock(trade)

    def within(self, trade: ClosedTrade, window: int) -> list[ClosedTrade]:
        return [one for one in self.closed[-20:] if trade.t - window + 1 <= one.t <= trade.t]

    def is_stop(self, trade: ClosedTrade) -> bool:
        return trade.reason in STOPS and -trade.profit > self.start * WHOLE

    def stop_guard(self, trade: ClosedTrade) -> None:
        rules = self.rules
        everywhere = rules.stop_scope == "all"
        stops = [one for one in self.within(trade, rules.stop_window) if self.is_stop(one)]
        stops = [one for one in stops if everywhere or one.symbol == trade.symbol]
        if rules.stop_count and self.is_stop(trade) and len(stops) >= rules.stop_count:
            self.bars.append(Bar(None if everywhere else trade.symbol, trade.t, rules.stop_pause))

    def drawdown_guard(self, trade: ClosedTrade) -> None:
        rules = self.rules
        trades = self.within(trade, rules.drawdown_window)
        if not rules.drawdown_window or len(trades) < rules.drawdown_trades:
            return
        high = max(trades[0].equity - trades[0].profit, *(one.equity for one in trades))
        if high * (1 - exact(rules.drawdown)) - trade.equity > self.start * WHOLE:
            self.bars.append(Bar(None, trade.t, rules.drawdown_pause))

    def low_profit_lock(self, trade: ClosedTrade) -> None:
        rules = self.rules
        trades = [one for one in self.within(trade, rules.profit_window) if one.symbol == trade.symbol]
        short = exact(rules.profit_least) - sum((one.profit / one.paid for one in trades), ZERO)
        if rules.profit_window and len(trades) >= rules.profit_trades and short > WHOLE:
            self.bars.append(Bar(trade.symbol, trade.t, rules.profit_pause))
