"""The life of a bot's run beside its orders: how far it is, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from core.errors import DomainError
from core.events import events_record
from core.push import push_message
from core.times import from_ms
from engine.order_rules import NO_RULES
from engine.types import Rules
from market.models import Instrument
from market.size_rules import instrument_rules
from trading.models import EXTERNAL, Bot, BotRun, BotState, DesiredStatus
from trading.services.bot_loading import trader_make
from trading.services.run_ends import end_news, list_remainders
from trading.setup.config import RunConfig, parse_config, rules_json


def rules_find(config: RunConfig) -> dict[str, Rules]:
    """The rules that a run of this configuration has: those that it names itself, else what is known of its instruments."""
    rows = Instrument.objects.filter(venue=config.venue, symbol__in=config.symbols)
    known = {one.symbol: instrument_rules(one) for one in rows} | dict(config.rules)
    return {symbol: known[symbol] for symbol in config.symbols if known.get(symbol, NO_RULES) != NO_RULES}


def run_rules_take(run: BotRun) -> None:
    """A run has its rules from its start. Those of a venue that had not said them yet, or says others now, are taken into the run
    before its first decision."""
    if run.decided_at:
        return
    rules = {symbol: rules_json(one) for symbol, one in rules_find(parse_config(run.bot.config)).items()}
    if rules == (run.config.get("rules") or {}):
        return
    state = BotState.objects.get(bot=run.bot)
    before = trader_make(parse_config(run.config), external=run.mode in EXTERNAL)
    before.load(bytes(state.book))
    # How far a run is, its row says later than its snapshot does, which has the orders.
    if before.trader_state.begun is not None or before.trader_state.time is not None:
        return
    run.config = {**run.config, "rules": rules}
    trader = trader_make(parse_config(run.config), external=run.mode in EXTERNAL)
    trader.carry(before)
    with transaction.atomic():
        BotRun.objects.filter(pk=run.pk).update(config=run.config)
        BotState.objects.filter(pk=state.pk, version=state.version).update(book=trader.dump())


def runs_rules_take(run_ids: Iterable[int]) -> None:
    """For each of these runs that needs it. One whose snapshot cannot be read is left alone: loading it says so."""
    for run in BotRun.objects.filter(pk__in=list(run_ids), decided_at=None).select_related("bot"):
        with suppress(DomainError):
            run_rules_take(run)


def run_progress(run: BotRun, time_ms: int, *, decided: bool) -> None:
    """Notes a close in memory; `steps.progress_save` writes it."""
    moment = from_ms(time_ms)
    run.history_from = run.history_from or moment
    run.evaluations += 1
    run.decided_at, run.evaluated_at = moment, timezone.now()
    if decided and run.decides_from is None:
        run.decides_from = moment


PROGRESS = """
UPDATE trading_botrun AS run SET
    history_from = new.history_from, decides_from = new.decides_from, decided_at = new.decided_at,
    evaluated_at = new.evaluated_at, evaluation_ms = new.evaluation_ms, evaluations = new.evaluations, equity = new.equity,
    progress = new.progress
FROM unnest(
    %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
    %s::float8[], %s::bigint[], %s::numeric[], %s::float8[]
) AS new (id, history_from, decides_from, decided_at, evaluated_at, evaluation_ms, evaluations, equity, progress)
WHERE run.id = new.id AND run.ended_at IS NULL
"""


def runs_progress_write(runs: Iterable[BotRun]) -> None:
    """Writes how far these runs are, in one statement. The figures are for people: a run goes on from its engine's snapshot."""
    rows = [
        (
            *(run.pk, run.history_from, run.decides_from, run.decided_at),
            *(run.evaluated_at, run.evaluation_ms, run.evaluations, run.equity, run.progress),
        )
        for run in sorted(runs, key=lambda run: run.pk)
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(PROGRESS, [list(column) for column in zip(*rows, strict=True)])


def run_hold_note(run: BotRun, why: str) -> None:
    """Writes why a run does not decide at present; empty where it does."""
    run.held_reason = why[:200]
    BotRun.objects.filter(pk=run.pk).update(held_reason=run.held_reason)


def run_end(run: BotRun, why: str, *, error: str = "") -> None:
    """Ends a run once; its bot is stopped, unless a new run of it has begun. What it still holds is written down with the end, and
    a close that left something is called `partly_closed`."""
    left = list_remainders(run.bot, why)
    if why == "closed" and any(one["what"] != "dust" for one in left):
        why = "partly_closed"
    with transaction.atomic():
        now = timezone.now()
        rows = BotRun.objects.filter(pk=run.pk, ended_at=None)
        if not rows.update(ended_at=now, end_reason=why, error=error[:2_000], left=left):
            return
        Bot.objects.filter(pk=run.bot_id, run=run).update(wanted=DesiredStatus.STOPPED)
        events_record(end_news(run, why, error, left), bot=run.bot.bot_id, run_id=run.run_id)
        transaction.on_commit(partial(push_message, "desk", "changed", bot=run.bot.bot_id))
