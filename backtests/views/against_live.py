"""A bot's run against the backtest of its span."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from backtests.against_live import Pair
from backtests.selectors.differences import CAUSES, MOST_PAIRS, BotDifference, bot_run_get, find_difference
from core.errors import Conflict
from core.times import from_ms
from engine.grid import number_candles


@require_GET
def against_live(request: HttpRequest, bot_id: str, run_id: str) -> HttpResponse:
    run = bot_run_get(run_id, bot_id=bot_id)
    context: dict[str, Any] = {"bot": run.bot, "run": run, "currency": run.bot.symbol_list[0].split("-")[1]}
    try:
        found = find_difference(run)
    except Conflict as error:
        return render(request, "backtests/against_live_none.html", context | {"reason": str(error)})
    return render(request, "backtests/against_live.html", context | difference_context(found))


def difference_context(found: BotDifference) -> dict[str, Any]:
    interval = found.run.config["interval"]
    pairs = found.pairs
    return {
        "found": found,
        "compared": found.found,
        "until": from_ms(found.found.until),
        "causes": [(*CAUSES[one.code], one) for one in found.causes],
        "rows": [pair_row(pair, interval) for pair in pairs[:MOST_PAIRS]],
        "different": sum(not pair.same for pair in pairs),
    }


def pair_row(pair: Pair, interval: str) -> dict[str, Any]:
    deal = pair.expected or pair.actual
    assert deal is not None
    effects = [(CAUSES[code][0].lower(), -cost) for code, cost in pair.causes.items() if code not in ("timing", "missed", "extra")]
    return {
        "deal": deal,
        "time": from_ms(deal.time),
        "expected": pair.expected,
        "actual": pair.actual,
        "effects": effects,
        "words": pair_words(pair, interval),
    }


def pair_words(pair: Pair, interval: str) -> str:
    if pair.actual is None:
        return "Missed: only the backtest traded"
    if pair.expected is None:
        return "Extra: only the bot traded"
    if late := number_candles(interval, pair.actual.time) - number_candles(interval, pair.expected.time):
        return f"{abs(late)} candle{'s' if abs(late) > 1 else ''} {'later' if late > 0 else 'earlier'}"
    return "The same" if pair.same else ""
