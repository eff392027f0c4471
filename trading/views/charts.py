"""What a bot's chart draws: candles of a symbol, and the bot's fills on them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import JsonResponse
from django.views.decorators.http import require_GET

from access.requests import PageRequest
from core.errors import Invalid
from core.text import decimal_text
from core.times import to_ms
from engine.grid import can_make, find_longest, find_open
from engine.types import INTERVALS
from market.models import CandleSeries
from market.window import candle_window
from trading import selectors
from trading.models import Bot, Fill

MOST_MARKS = 2_000


@require_GET
def bot_candles(request: PageRequest, bot_id: str) -> JsonResponse:
    """As `market:candles`, in the bot's interval, with `marks`; no rows where no candles are stored."""
    found = selectors.bot_get(bot_id)
    symbol = request.GET.get("symbol") or found.symbol_list[0]
    if symbol not in found.symbol_list:
        raise Invalid.at("symbol", f"{found.name} trades {found.symbols}.")
    series = series_for(found, symbol)
    step = find_longest(found.interval) // 1000
    empty: dict[str, Any] = {"rows": [], "step": step, "from": 0, "to": 10**10, "before": False, "after": False}
    asked = request.GET
    shown = candle_window(series, found.interval, asked.get("start"), asked.get("end"), asked.get("limit")) if series else empty
    return JsonResponse(shown | {"marks": fill_marks(found, symbol, shown["from"])})


def series_for(found: Bot, symbol: str) -> CandleSeries | None:
    """The stored candles nearest to the bot's interval that it can be made of."""
    held = CandleSeries.objects.select_related("instrument").filter(instrument__venue=found.venue, instrument__symbol=symbol)
    fitting = [one for one in held if can_make(found.interval, one.interval)]
    return max(fitting, key=lambda one: INTERVALS[one.interval], default=None)


def fill_marks(found: Bot, symbol: str, start: int) -> list[dict[str, Any]]:
    """The newest fills since `start`, each on the candle that it fell into."""
    since = datetime.fromtimestamp(min(start, 10**10), UTC) if start else datetime(2000, 1, 1, tzinfo=UTC)
    rows = Fill.objects.filter(bot=found, symbol=symbol, ts__gte=since).select_related("order").order_by("-id")[:MOST_MARKS]
    return [
        {
            "id": fill.pk,
            "time": find_open(found.interval, to_ms(fill.ts)) // 1000,
            "side": fill.side,
            "text": "",
            "detail": in_words(fill),
        }
        for fill in sorted(rows, key=lambda fill: (fill.ts, fill.pk))
    ]


def in_words(fill: Fill) -> str:
    done = "Bought" if fill.side == "buy" else "Sold"
    return f"{done} {decimal_text(fill.quantity)} at {decimal_text(fill.price)}: {fill.order.reason.replace('_', ' ')}"
