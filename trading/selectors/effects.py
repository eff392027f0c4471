"""What each of a bot's buttons would do now, in a sentence."""

from __future__ import annotations

from decimal import Decimal

from trading.selectors.bots import BotRow

ACTIONS = ("start", "pause", "stop", "close")


def bot_effects(row: BotRow) -> dict[str, str]:
    """By action, of a bot as it stands: what becomes of its open orders and of what it holds."""
    orders, held = count_words(row.open_orders, "open order"), count_words(len(row.positions), "position")
    keeps = (
        f"keeps {held}, with nothing to protect {'it' if len(row.positions) == 1 else 'them'}" if row.positions else "holds nothing"
    )
    sells = f"sells {held} at market{worth_words(row)}" if row.positions else "has nothing to sell"
    taken = f" It takes over {held}." if row.positions else ""
    return {
        "start": f"Begins a new run: entries and exits from the next candle that closes.{taken}",
        "pause": f"No new entries: cancels those that rest among {orders}; exits go on for {held}.",
        "stop": f"Cancels {orders}, {keeps}.",
        "close": f"Cancels {orders}, {sells}, then stops.",
    }


def worth_words(row: BotRow) -> str:
    values = [one.value for one in row.positions]
    known = [value for value in values if value is not None]
    return f", about {sum(known, Decimal(0)):,.2f} {row.currency}" if len(known) == len(values) else ", at a price not known now"


def count_words(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"
