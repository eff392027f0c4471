"""The steps of one bot: what its engine does at a price, on a report, or as a person wishes, with the market as it is just then.

Steps are taken in the bot's thread, one after the other. Only whether the bot may decide, and what market it would see, may be
asked from any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Protocol

from core.times import from_ms
from engine.live import Refusal, Step
from market.exchanges.base import Balance, Report
from trading.live.exit_watch import ExitWatch
from trading.live.history import Decisions
from trading.live.market_state import MarketState
from trading.live.threads import ANY, BOT, called_from
from trading.models import OrderStatus
from trading.services.bot_loading import instruments_of
from trading.services.lease import Lease
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.orders import order_end, report_apply
from trading.services.step_writer import StepEffects
from trading.services.steps import exits_retry, step_apply


class AccountViews(Protocol):
    """What a bot may know of an exchange account, by its primary key, from any thread."""

    def explain_not_ready(self, account_id: int) -> str:
        """Why its bots may not decide at present; empty: they may."""

    def find_balances(self, account_id: int) -> Mapping[str, Balance] | None:
        """What the account has at the venue, by asset; None: that is not known."""

    def find_lease(self, account_id: int) -> Lease | None:
        """By which orders can be sent at once; None: they cannot."""

    def explain_drift(self, account_id: int) -> str:
        """How its books and the venue differ, where that keeps its bots from buying; empty: it does not."""


@dataclass(frozen=True, slots=True)
class BotInputs:
    """What the bots of a venue decide from. `now_ms`: the market's time."""

    market: MarketState
    accounts: AccountViews
    decisions: Decisions
    now_ms: Callable[[], int]


@called_from(BOT)
class BotSteps:
    def __init__(self, loaded: LoadedBot, inputs: BotInputs, dispatch: Callable[[StepEffects], None]) -> None:
        """`dispatch` takes on what a step has written: its orders leave for the venue."""
        self.loaded_bot, self.inputs, self.dispatch = loaded, inputs, dispatch
        self.received = 0.0
        """When the frame came in (`time.perf_counter()`) that the present job is about; 0: it is about none."""
        self.exit_watch = ExitWatch()

    @property
    def account_id(self) -> int:
        return self.loaded_bot.bot.wallet.account_id or 0

    @called_from(*ANY)
    def explain_not_ready(self) -> str:
        """Why this bot may not decide at present; empty: it may."""
        if why := self.inputs.market.explain_no_prices():
            return why
        return self.inputs.accounts.explain_not_ready(self.account_id) if self.loaded_bot.external else ""

    @called_from(*ANY)
    def explain_halts(self) -> str:
        """Which of its symbols the venue itself does not trade at present, what keeps it from entries, or whose entries the venue
        refuses; empty: none. It decides all the same: what cannot be traded is refused, and an exit stays wanted."""
        tradable = self.inputs.market.tradable
        halted = [] if tradable is None else [symbol for symbol in self.loaded_bot.config.symbols if symbol not in tradable]
        if halted:
            return f"{self.loaded_bot.bot.venue} does not trade {', '.join(halted)} at present."
        drift = self.inputs.accounts.explain_drift(self.account_id) if self.loaded_bot.external else ""
        return drift or explain_refusals(self.loaded_bot)

    @called_from(*ANY)
    def find_prices(self) -> dict[str, float]:
        """The last prices of its symbols, as far as there are any."""
        find = self.inputs.market.find_price
        return {symbol: float(price[0]) for symbol in self.loaded_bot.config.symbols if (price := find(symbol))}

    @called_from(*ANY)
    def describe_market(
        self, trigger_id: str, *, prices: Mapping[str, tuple[Decimal, float]] | None = None, time_ms: int = 0
    ) -> MarketNow:
        """`prices` (with their age in seconds) and `time_ms` go before the last prices and the present time."""
        loaded, inputs = self.loaded_bot, self.inputs
        known = {symbol: price for symbol in loaded.config.symbols if (price := inputs.market.find_price(symbol))}
        return MarketNow(
            from_ms(time_ms or inputs.now_ms()),
            {**known, **(prices or {})},
            trigger_id,
            loaded.trader.entries_allowed,
            tradable=inputs.market.tradable,
            received=self.received,
            balances=inputs.accounts.find_balances(self.account_id) if loaded.external else None,
            lease=inputs.accounts.find_lease(self.account_id) if loaded.external else None,
            drift=inputs.accounts.explain_drift(self.account_id) if loaded.external else "",
            memory=inputs.market,
            find_quote=partial(inputs.market.find_price, quoted=True),
        )

    def touch(self, symbol: str, price: float, time_ms: int) -> StepEffects | None:
        """A price has reached a level that this bot waits for."""
        if self.explain_not_ready():
            return None
        market = self.describe_market(f"tick:{symbol}:{time_ms}")
        return step_apply(self.loaded_bot, market, lambda: self.loaded_bot.trader.apply_price(symbol, price, time_ms))

    def send_entries(self) -> StepEffects | None:
        """At a venue, entries go out once no exit is on its way any more."""
        loaded = self.loaded_bot
        market = self.describe_market(f"open:{loaded.config.interval}:{loaded.opened or 0}")
        prices = {symbol: float(price) for symbol, (price, _) in market.prices.items()}
        return step_apply(loaded, market, lambda: loaded.trader.entries(prices)) if loaded.external else None

    def apply_report(self, report: Report, wallet_id: int) -> StepEffects | None:
        """`wallet_id`: the primary key of the wallet whose account said it."""
        if not self.loaded_bot.is_news(report):
            return None
        market = self.describe_market(f"report:{report.venue_order_id}")
        self.dispatch(report_apply(self.loaded_bot, report, market, wallet_id=wallet_id))
        return self.send_entries()

    def end_order(self, order_id: int, seen: str, status: OrderStatus, why: Refusal | str) -> StepEffects | None:
        """`seen`: the status from which it was concluded that the order is over. `why`: the venue's refusal, or in words."""
        self.dispatch(order_end(self.loaded_bot, order_id, seen, status, why, self.describe_market(f"order:{order_id}")))
        return self.send_entries()

    def retry_exits(self) -> StepEffects | None:
        """Exits that were refused go out again when it is their time, or what kept them may have gone."""
        loaded = self.loaded_bot
        if not loaded.trader.has_held_exits() or self.explain_not_ready():
            return None
        market = self.describe_market("exits:again")
        changed = self.exit_watch.find_changed(loaded, market)
        return exits_retry(loaded, market, changed)

    def reload_rules(self) -> None:
        """The venue's rules may have changed."""
        self.loaded_bot.update_instruments(instruments_of(self.loaded_bot.bot.venue, self.loaded_bot.config.symbols))

    def pause(self) -> StepEffects | None:
        trader = self.loaded_bot.trader
        return self.act_by_hand("pause", trader.pause) if trader.entries_allowed else None

    def resume(self) -> StepEffects:
        return self.act_by_hand("resume", self.loaded_bot.trader.resume)

    def act_by_hand(self, what: str, call: Callable[[], Step]) -> StepEffects:
        return step_apply(self.loaded_bot, self.describe_market(f"person:{what}"), call)


def explain_refusals(loaded_bot: LoadedBot) -> str:
    """Which entries the venue refuses, and why; empty: none."""
    venue, blocked = loaded_bot.bot.venue, loaded_bot.trader.blocked_entries().values()
    return " ".join(f"{venue} takes no purchase of {one.symbol}: {one.cause} It is tried again." for one in blocked)
