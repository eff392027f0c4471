"""Which thread may call what in the live worker is declared, and every call of a worker that trades keeps to it."""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import pkgutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import trading.live
from market.sandbox.server import RunningSandbox
from tests.chaos.desk import bot, fixed, start, wallet
from tests.trading.working import may_trade, sandbox, until, working
from trading.live.executor import Executor
from trading.live.threads import ANY, BOT, DECLARED, DESK, LOOP, called_from
from trading.models import Fill
from trading.services.bots import bot_stop

__all__ = ["sandbox"]
DCA = bot("dca", "binance", "BTC-USDT", {"every": 1, "part": 1}, fixed("150"), {})
NO_WORKER = {"trading.live.consumer", "trading.live.replay"}
"""Modules that none of the worker's threads is in."""
POOLS = {"urgent": BOT, "routine": BOT, "desk": DESK}


def find_thread() -> str:
    """Which of the declared kinds this thread is."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return POOLS.get(threading.current_thread().name.partition("_")[0], "none of the worker's")
    return LOOP


def list_classes() -> Iterator[type]:
    """The classes of the live worker that do something: no protocols, and none that are only fields."""
    for found in pkgutil.iter_modules(trading.live.__path__, "trading.live."):
        if found.name not in NO_WORKER:
            for one in vars(importlib.import_module(found.name)).values():
                if isinstance(one, type) and one.__module__ == found.name and is_active(one):
                    yield one


def is_active(one: type) -> bool:
    return bool(methods_of(one)) and not issubclass(one, tuple) and not getattr(one, "_is_protocol", False)


def methods_of(one: type) -> dict[str, Callable[..., Any]]:
    return {name: each for name, each in vars(one).items() if inspect.isfunction(each) and not name.startswith("__")}


def find_declaration(owner: type, method: Callable[..., Any]) -> tuple[str, ...] | None:
    of_class = f"{owner.__module__}.{owner.__qualname__}"
    return DECLARED.get(f"{of_class}.{method.__name__}", DECLARED.get(of_class))


class Watch:
    """Wraps what is declared. `seen` counts calls by thread, `broken` has those from a thread that may not."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()
        self.broken: set[str] = set()

    def wrap(self, name: str, call: Callable[..., Any], allowed: tuple[str, ...]) -> Callable[..., Any]:
        @functools.wraps(call)
        def checked(*arguments: Any, **named: Any) -> Any:
            thread = find_thread()
            self.seen[name, thread] += 1
            if thread not in allowed:
                self.broken.add(f"{name} is declared for {' and '.join(allowed)}, and was called from {thread}")
            return call(*arguments, **named)

        return checked

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for owner in list_classes():
            for name, method in methods_of(owner).items():
                allowed = find_declaration(owner, method)
                if allowed is not None:
                    monkeypatch.setattr(owner, name, self.wrap(f"{owner.__name__}.{name}", method, allowed))


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    one = Watch()
    one.install(monkeypatch)
    return one


def test_every_class_of_the_live_worker_says_from_which_thread_it_is_called() -> None:
    undeclared = [
        f"{owner.__module__}.{owner.__qualname__}.{name}"
        for owner in list_classes()
        for name, method in methods_of(owner).items()
        if find_declaration(owner, method) is None
    ]
    assert not undeclared


def test_every_module_of_the_live_worker_says_it_in_words() -> None:
    silent = []
    for owner in list_classes():
        text = " ".join((inspect.getdoc(inspect.getmodule(owner)) or "").split())
        if not any(word in text for word in ("loop", "thread")):
            silent.append(owner.__module__)
    assert not silent


def test_a_declaration_costs_no_call() -> None:
    def one() -> None:
        """Anything."""

    assert called_from(LOOP)(one) is one
    del DECLARED[f"{one.__module__}.{one.__qualname__}"]


def test_a_call_from_a_thread_that_may_not_is_found() -> None:
    watch, done = Watch(), list[int]()
    checked = watch.wrap("List.append", done.append, (BOT,))
    checked(1)
    thread = threading.Thread(target=checked, args=(2,), name="urgent_0")
    thread.start()
    thread.join()
    assert done == [1, 2]
    assert watch.broken == {"List.append is declared for bot, and was called from none of the worker's"}


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_trades_calls_nothing_from_a_thread_that_may_not(watch: Watch, sandbox: RunningSandbox) -> None:
    one = start(DCA, wallet(sandbox, "binance"))

    async def trade() -> None:
        async with working(sandbox) as worker:
            await until(lambda: may_trade(worker, one))

            def has_filled() -> bool:
                sandbox.step(10_000)
                return Fill.objects.filter(bot=one).count() > 1

            await until(lambda: worker.pools.in_thread(has_filled))
            await worker.pools.in_thread(lambda: bot_stop(bot_id=one.bot_id))
            await until(lambda: all(not venue.bots.list_all() for venue in worker.venues.values()))

    asyncio.run(trade())
    assert not watch.broken
    for name, thread in (
        ("MarketState.on_tick", LOOP),
        ("BotCandles.close", BOT),
        ("Dispatcher.dispatch", BOT),
        ("Dispatcher.send", LOOP),
        ("Executor.claim", BOT),
        ("Executor.place", LOOP),
        ("BotSteps.apply_report", BOT),
        ("AccountWorker.on_report", LOOP),
        ("Reconciler.compare", LOOP),
        ("Reporter.write_state", DESK),
    ):
        assert watch.seen[name, thread], f"{name} was not called"
    assert find_declaration(Executor, Executor.claim) == (BOT,)
    assert set(ANY) == {LOOP, BOT, DESK}
