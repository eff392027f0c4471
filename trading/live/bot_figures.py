"""What the running bots are worth, and how far they are: to the pages and the metrics every few seconds, to the rows as well.

Called in a database thread, with the list of bots as it was on the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import Error as DatabaseError

from core.push import push_all
from core.text import utc_text
from trading import metrics
from trading.live.bot_runner import BotRunner
from trading.services.equity import equity_record
from trading.services.loaded_bot import LoadedBot
from trading.services.runs import run_hold_note, runs_progress_write


def report_figures(runners: Sequence[BotRunner]) -> None:
    """A bot's figures between two events of its own, where they have changed."""
    write_progress([runner for runner in runners if runner.candles.progressed])
    messages = []
    for runner in runners:
        loaded = runner.loaded_bot
        reason = (runner.steps.explain_not_ready() or runner.steps.explain_halts())[:200]
        if reason != loaded.run.held_reason:
            run_hold_note(loaded.run, reason)
        equity = loaded.trader.equity(runner.steps.find_prices())
        figures = (equity, loaded.trader.cash, loaded.run.evaluation_ms, reason)
        if figures != runner.pushed:
            runner.pushed = figures
            metrics.bot_pnl.labels(loaded.bot.bot_id).set(equity - float(loaded.config.cash))
            messages.append(("bot_metrics", metrics_message(loaded, equity, reason)))
    if messages:
        push_all("live", messages)


def write_progress(runners: Sequence[BotRunner]) -> None:
    for runner in runners:
        runner.candles.progressed = False
    try:
        runs_progress_write([runner.loaded_bot.run for runner in runners])
    except DatabaseError:
        for runner in runners:
            runner.candles.progressed = True
        raise


def record_equity(runners: Sequence[BotRunner], known: dict[str, Decimal]) -> None:
    """`known`: last prices, by symbol."""
    rows = []
    for runner in runners:
        trader = runner.loaded_bot.trader
        prices = {symbol: float(known[symbol]) for symbol in runner.symbols if symbol in known}
        rows.append((runner.loaded_bot.bot, runner.loaded_bot.run, round_money(trader.equity(prices)), round_money(trader.cash)))
    equity_record(rows, known, at=datetime.now(UTC))


def metrics_message(loaded: LoadedBot, equity: float, reason: str) -> dict[str, Any]:
    """`reason`: why the bot may not decide at present; empty: it may."""
    payload = {
        "bot": loaded.bot.bot_id,
        "equity": f"{equity:.2f}",
        "cash": f"{loaded.trader.cash:.2f}",
        "profit": f"{equity - float(loaded.config.cash):.2f}",
        "evaluation_ms": loaded.run.evaluation_ms,
        "held": reason,
    }
    return {"type": "bot_metrics", "seq": None, "ts": utc_text(datetime.now(UTC)), "correlation_id": None, "payload": payload}


def round_money(value: float) -> Decimal:
    """To the eight places that are stored."""
    return Decimal(repr(float(value))).quantize(Decimal("1e-8"))
