"""A bot's run beside the backtest of its span, for pages and programs: what both came to, and why they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from backtests.against_live import Comparison, Deal, Pair, compare_with_backtest
from backtests.text import float_text
from core.errors import Conflict, Invalid, NotFound
from core.text import ms_text
from trading.models import BotRun

CAUSES = {
    "price": ("Price", "It was filled at other prices than the backtest counts with."),
    "fee": ("Fee", "The venue took other fees than the backtest counts with."),
    "quantity": ("Quantity", "It traded other quantities."),
    "timing": ("Timing", "It traded in another candle. What that cost is in the price."),
    "missed": ("Missed", "Only the backtest traded: the cash that moved there and not here."),
    "extra": ("Extra", "Only the bot traded: the cash that moved here and not there."),
}
"""Each cause's name and what it means, in the order in which they are shown."""
MOST_PAIRS = 500
EVEN = 0.005
"""In quote: smaller remainders come from rounding."""


@dataclass(frozen=True, slots=True)
class Cause:
    """`effect`: by how much the bot has more (or less) in quote for it; None where it has none of its own."""

    code: str
    count: int
    effect: float | None


@dataclass(frozen=True, slots=True)
class BotDifference:
    """`total`: the bot's equity less the backtest's; None where the bot's is not known. `held`: the part of it that lies in what
    is still held, not in cash."""

    run: BotRun
    found: Comparison
    causes: Sequence[Cause]
    total: float | None
    held: float | None

    @property
    def pairs(self) -> Sequence[Pair]:
        """The newest first."""
        return self.found.pairs[::-1]


def bot_run_get(run_id: str, *, bot_id: str = "") -> BotRun:
    """One run of a bot, with the bot; `NotFound`."""
    rows = BotRun.objects.select_related("bot").filter(run_id=run_id)
    if found := (rows.filter(bot__bot_id=bot_id) if bot_id else rows).first():
        return found
    raise NotFound(f"There is no run {run_id[:40]!r} of a bot. GET bots names the present run of each.")


def find_difference(run: BotRun) -> BotDifference:
    """`Conflict` where there is nothing to compare yet, in words."""
    try:
        found = compare_with_backtest(run)
    except (Invalid, NotFound) as error:
        raise Conflict(f"The candles of this run are not in the store: {error}") from None
    counts = Counter(cause for pair in found.pairs for cause in pair.causes)
    causes = [Cause(code, counts[code], None if code == "timing" else -found.causes[code]) for code in CAUSES if counts[code]]
    total = None if found.actual_equity is None else round(found.actual_equity - found.expected_equity, 8)
    held = None if total is None else total - sum(cause.effect or 0.0 for cause in causes)
    return BotDifference(run, found, causes, total, held if held is not None and abs(held) > EVEN else None)


def difference_json(found: BotDifference) -> dict[str, Any]:
    """The newest MOST_PAIRS pairs; `pairs_total` counts all."""
    compared = found.found
    return {
        "run_id": found.run.run_id,
        "bot": found.run.bot.bot_id,
        "mode": found.run.mode,
        "same": compared.zero,
        "until": ms_text(compared.until),
        "candles": compared.candles,
        "expected_equity": float_text(compared.expected_equity),
        "actual_equity": optional_text(compared.actual_equity),
        "difference": optional_text(found.total),
        "in_what_is_held": optional_text(found.held),
        "causes": {one.code: {"fills": one.count, "effect": optional_text(one.effect)} for one in found.causes},
        "pairs_total": len(compared.pairs),
        "pairs": [pair_json(pair) for pair in found.pairs[:MOST_PAIRS]],
    }


def pair_json(pair: Pair) -> dict[str, Any]:
    return {
        "expected": deal_json(pair.expected),
        "actual": deal_json(pair.actual),
        "causes": {code: optional_text(-cost) for code, cost in pair.causes.items()},
    }


def deal_json(deal: Deal | None) -> dict[str, Any] | None:
    if deal is None:
        return None
    figures = {"price": deal.price, "qty": deal.quantity, "fee": deal.fee}
    return {
        "symbol": deal.symbol,
        "side": deal.side,
        "reason": deal.reason,
        "candle": ms_text(deal.time),
        "ts": ms_text(deal.moment),
        **{name: float_text(value) for name, value in figures.items()},
    }


def optional_text(value: float | None) -> str | None:
    return None if value is None else float_text(value + 0.0)
