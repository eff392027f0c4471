"""Plays a day: a sandbox in a thread, and a stream worker in a child process that dies again and again. Then compares the books."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any

from django.db import connection
from django.utils import timezone

from market.models import VenueStream
from market.sandbox.events import Event, OrderUpdate
from market.sandbox.orders import OrderTicket, RequestRefused, SandboxOrder
from market.sandbox.scenario import Scenario
from market.sandbox.server import RunningSandbox, running_sandbox
from tests.broker import forget_keys
from tests.chaos import proxy
from tests.chaos.books import Difference, differences, runs_that_failed, unsettled
from tests.chaos.child import Life, live
from tests.chaos.days import HOUR, HOURS, MOMENT, VENUE, Day, Kill, Wish, market_ms
from tests.chaos.desk import START, lifted_limits, open_desk, scenario
from tests.chaos.proxy import proxied
from trading.models import Bot, Order
from trading.services.bots import bot_close, bot_stop

PACE = 0.005
BEFORE_READY = 0.1
PATIENCE = 25.0
"""Seconds that both sides have to become quiet, on a busy machine."""
LONGEST_TURN = 0.05
"""Seconds that a turn of ours counts for at most: where we got no turn for longer, neither did the children."""
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.chaos.preload"])


class Play:
    """Use it as a context; `day()` plays, `settle()` answers what differs at the end. `desk` makes accounts, wallets and bots.
    `market`: what the sandbox plays, unless it is the seeded walk. `reckless`: see `Life`. `cuttable`: children reach database and
    Redis by `database` and `redis`, which can be cut."""

    def __init__(
        self,
        day: Day,
        folder: Path,
        *,
        reckless: bool = False,
        cuttable: bool = False,
        desk: Callable[[RunningSandbox, int], None] = open_desk,
        market: Scenario | None = None,
    ) -> None:
        self.plan, self.folder, self.desk = day, folder, desk
        self.scenario = market or scenario(day.seed)
        self.reckless, self.cuttable = reckless, cuttable
        self.stack = ExitStack()
        self.clock: Any = CONTEXT.Value("d", START / 1000, lock=False)
        self.ready: Any = CONTEXT.Value("i", 0, lock=False)
        self.child: BaseProcess | None = None
        self.story: list[tuple[float, str, str]] = []
        """Seconds of ours, what happened, and our id of the order that it is about."""
        self.refused: list[tuple[str, str]] = []
        """By venues: our id of the order, and the code of `RequestRefused`."""
        self.wishes: list[Wish] = []
        self.kill: Kill | None = None
        self.passings = 0
        self.begun = self.turned = time.monotonic()
        self.waited = 0.0
        """Seconds, as turns count."""

    def __enter__(self) -> Play:
        forget_limits()
        self.database = self.stack.enter_context(proxied(proxy.database()))
        self.redis = self.stack.enter_context(proxied(proxy.redis()))
        self.sandbox: RunningSandbox = self.stack.enter_context(running_sandbox(self.scenario))
        self.stack.callback(self.end_child)
        self.stack.enter_context(lifted_limits(self.sandbox))
        for venue in ("binance", "coinbase"):
            self.sandbox.exchange(venue).listen(lambda event, venue=venue: self.hear(venue, event))  # type: ignore[misc]
            self.watch_refusals(venue)
        self.desk(self.sandbox, self.plan.seed)
        self.accounts = Bot.objects.filter(mode="testnet").values("wallet").distinct().count()
        self.sandbox.fault(*self.plan.rules)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stack.__exit__(kind, error, trace)

    # The day.

    @property
    def market(self) -> int:
        return self.sandbox.sandbox.tape.now

    def day(self) -> None:
        end = START + HOURS * HOUR
        self.wishes = [*self.plan.wishes]
        for kill in (*self.plan.kills, None):
            self.begin_child(kill)
            until = self.market + kill.nth if kill and kill.point == MOMENT else end
            while self.market < min(until, end) and self.alive():
                self.advance()
            if self.market >= end or kill is None:
                break
            self.end_child()
        self.end_child()

    def advance(self) -> None:
        """The market moves on by what has passed: by less where the machine was busy, and slowly until the child trades."""
        passed = self.take_turn()
        if self.ready.value < self.accounts:
            passed *= BEFORE_READY
        self.sandbox.step(market_ms(passed))
        for wish in [one for one in self.wishes if START + one.at <= self.market]:
            self.wishes.remove(wish)
            self.fulfil(wish)
        self.clock.value = self.market / 1000
        assert self.child is not None
        self.child.join(PACE)

    def take_turn(self) -> float:
        """Returns what has passed since the last one."""
        now = time.monotonic()
        passed, self.turned = min(now - self.turned, LONGEST_TURN), now
        self.waited += passed
        return passed

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """The market goes on until it holds."""
        deadline = self.waited + PATIENCE
        while not condition():
            failed = [str(one) for one in runs_that_failed()]
            assert self.waited < deadline, f"not within {PATIENCE:g} s: {what} {failed}; see {self.folder / 'children.log'}"
            assert self.alive(), f"the child died; see {self.folder / 'children.log'}"
            self.advance()

    def fulfil(self, wish: Wish) -> None:
        bot = Bot.objects.order_by("pk")[wish.bot]
        self.note(f"a person {'closes' if wish.close else 'stops'} {bot.name}")
        (bot_close if wish.close else bot_stop)(bot_id=bot.bot_id)

    def pass_seconds(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.advance()

    def settle(self) -> list[Difference]:
        """Without faults and with a child that lives, until nothing is on its way and nothing differs; else what does."""
        self.sandbox.mend()
        self.note("the faults are over")
        self.begin_child(None)
        deadline = self.waited + PATIENCE
        changed = [rule["symbol"] for rule in self.plan.rules if rule["fault"] == "filters"]
        changed += set(changed)  # which the mending gives their first ones back
        while (waiting := unsettled()) or (found := differences(self.sandbox, self.refused, changed)):
            self.take_turn()
            if self.waited > deadline:
                found = differences(self.sandbox, self.refused, changed)
                return [*map(Difference, waiting), *found]
            assert self.child is not None
            assert self.alive(), "the last child died"
            self.child.join(0.05)
        return []

    # Children.

    def begin_child(self, kill: Kill | None) -> None:
        self.note(f"a child begins; it ends at {kill.point} {kill.nth}" if kill else "a child begins")
        self.kill, self.passings, self.turned = kill, 0, time.monotonic()
        self.ready.value = 0
        # A hold runs out by our clock, in which the market would do nothing.
        VenueStream.objects.update(held_until=timezone.now())
        self.child = self.spawn(kill)

    def spawn(self, kill: Kill | None = None) -> BaseProcess:
        name = str(connection.settings_dict["NAME"])
        ports = (self.database.port, self.redis.port) if self.cuttable else (0, 0)
        child = CONTEXT.Process(
            target=live, args=(Life(name, self.folder, self.clock, self.ready, kill, self.reckless, *ports),), daemon=True
        )
        child.start()
        return child

    def alive(self) -> bool:
        return self.child is not None and self.child.is_alive()

    def end_child(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.join()
            self.note("the child is dead")
            self.child = None

    # The story.

    def hear(self, venue: str, event: Event) -> None:
        """On the sandbox's loop, inside what the venue does."""
        if not isinstance(event, OrderUpdate):
            return
        order = event.order
        asked = f"{order.side} {order.request.type} {order.qty:f} {order.symbol}"
        self.note(f"{venue} {event.execution}: {asked}, filled {order.filled:f}", order.client_id)
        kill = self.kill
        if kill and kill.point in VENUE and kill.point.split()[1] == event.execution and self.child and self.child.pid:
            self.passings += 1
            if self.passings == kill.nth:
                os.kill(self.child.pid, signal.SIGKILL)

    def watch_refusals(self, venue: str) -> None:
        exchange = self.sandbox.exchange(venue)
        place = exchange.place

        def place_watched(account: str, ticket: OrderTicket) -> SandboxOrder:
            try:
                return place(account, ticket)
            except RequestRefused as refused:
                self.refused.append((ticket.client_id, refused.code))
                self.note(f"{venue} refuses: {refused.code}", ticket.client_id)
                raise

        setattr(exchange, "place", place_watched)  # noqa: B010 # a method of this one exchange

    def note(self, what: str, order: str = "") -> None:
        self.story.append((time.monotonic() - self.begun, what, order))

    def told(self, found: Sequence[Difference]) -> str:
        """Seed, differences, and what happened around them."""
        about = {one.order for one in found if one.order}
        lines = [f"seed {self.plan.seed}: CHAOS_SEED={self.plan.seed} pytest -m chaos", *map(str, found), "", "What happened:"]
        lines += [f"{at:7.3f} {order} {what}" for at, what, order in self.story if not order or order in about]
        lines += ["", "Faults, by the market's clock:", *(f"{rule['at'] / market_ms(1):7.3f} {rule}" for rule in self.plan.rules)]
        lines += ["", "Our orders:", *(describe(order) for order in Order.objects.filter(client_order_id__in=about))]
        return "\n".join([*lines, "", f"The children's log is {self.folder / 'children.log'}"])


def describe(order: Order) -> str:
    times = (
        f"created {order.created_at:%S.%f} submitted {order.submitted_at or 0:%S.%f}" if order.submitted_at else "never submitted"
    )
    return f"{order} {order.type} {order.status} ({order.status_reason}), {order.filled_quantity:f} filled, {times}"


def forget_limits() -> None:
    """Rate budgets and breakers of another day's venues."""
    forget_keys("exchange:*")
