"""Where the money is: by asset, wallet and venue, which are all of it, and by strategy and bot, which is what bots have of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection

from trading.models import DesiredStatus
from trading.portfolio.held import PRICED, HeldPrices
from trading.portfolio.profit import SHOWN, name_bots
from trading.portfolio.rates import Rates
from trading.selectors.notation import ratio_of
from wallets.models import Wallet
from wallets.valuation import Worth

# As a bot's equity is reckoned (`trading.selectors.bots`); of a stopped bot what it still holds. Without a price, cost counts.
BOTS = f"""
WITH priced AS ({PRICED}), held AS (
    SELECT bot_id, sum(realised) AS realised, sum(cost) AS cost, sum(COALESCE(quantity * price, cost)) AS value
    FROM trading_position AS position
    LEFT JOIN priced ON (priced.venue, priced.symbol) = (position.venue, position.symbol)
    GROUP BY bot_id
), quote AS (
    SELECT * FROM unnest(%(now_venues)s::text[], %(now_currencies)s::text[], %(now_prices)s::numeric[])
        AS quote (venue, currency, price)
), bot AS (
    SELECT bot.id, bot.strategy, bot.venue, split_part(split_part(bot.symbols, ',', 1), '-', 2) AS currency,
        CASE WHEN bot.wanted = %(stopped)s THEN COALESCE(held.value, 0)
            ELSE (bot.config->>'cash')::numeric + COALESCE(held.realised + held.value - held.cost, 0) END AS value
    FROM trading_bot AS bot LEFT JOIN held ON held.bot_id = bot.id
    WHERE bot.mode = %(mode)s AND bot.archived_at IS NULL AND bot.run_id IS NOT NULL
), one AS (
    SELECT id, strategy, CASE WHEN price IS NULL THEN currency ELSE %(target)s END AS kept, value * COALESCE(price, 1) AS value
    FROM bot LEFT JOIN quote USING (venue, currency) WHERE value <> 0
), grouped AS (
    SELECT strategy, id, kept, sum(value) AS value FROM one GROUP BY GROUPING SETS ((strategy, kept), (id, kept))
), ranked AS (
    SELECT *, count(*) OVER same AS members, row_number() OVER (same ORDER BY value DESC, id) AS place
    FROM grouped WINDOW same AS (PARTITION BY id IS NULL)
)
SELECT strategy, id, members, kept, value FROM ranked WHERE id IS NULL OR place <= %(shown)s ORDER BY value DESC, strategy, id
"""  # noqa: S608  (our own parts; values are parameters)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the money, and how much that is of all that has a price; None where it has none itself. `amount`: of an asset, how
    much of it."""

    key: str
    name: str
    currency: str
    value: Decimal | None
    share: float | None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Allocation:
    """Each list with the most first. What has no price in the reporting currency has no value and no share (assets), or is in its
    own currency (strategies, bots). Of many bots `bots` has the largest; `bot_count` is of all."""

    assets: Sequence[Share]
    wallets: Sequence[Share]
    venues: Sequence[Share]
    strategies: Sequence[Share]
    bots: Sequence[Share]
    bot_count: int


def allocate_money(
    mode: str, wallets: Sequence[Wallet], worth: Mapping[int, Worth], rates: Rates, held: HeldPrices, *, shown: int = SHOWN
) -> Allocation:
    """`wallets`: all of one kind of money; `worth`: each in the reporting currency. Two queries."""
    whole = sum((worth[one.pk].value for one in wallets), Decimal(0))
    target = rates.target

    def share_out(key: str, name: str, value: Decimal) -> Share:
        return Share(key, name, target, value, ratio_of(value, whole))

    venues: dict[str, Decimal] = defaultdict(Decimal)
    for one in wallets:
        venues[one.venue] += worth[one.pk].value
    strategies, bots, count = allocate_bots(mode, rates, held, whole, shown)
    return Allocation(
        allocate_assets((worth[one.pk] for one in wallets), target, whole),
        rank_shares(share_out(one.wallet_id, one.name, worth[one.pk].value) for one in wallets),
        rank_shares(share_out(venue, venue, value) for venue, value in venues.items()),
        strategies,
        bots,
        count,
    )


def allocate_assets(found: Iterable[Worth], target: str, whole: Decimal) -> list[Share]:
    """Amounts and values over all wallets; those without a price last."""
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    values: dict[str, Decimal] = {}
    for holding in (one for worth in found for one in worth.holdings):
        amounts[holding.asset] += holding.amount
        if holding.value is not None:
            values[holding.asset] = values.get(holding.asset, Decimal(0)) + holding.value
    return rank_shares(
        Share(asset, asset, target, value := values.get(asset), None if value is None else ratio_of(value, whole), amount)
        for asset, amount in amounts.items()
    )


def rank_shares(found: Iterable[Share]) -> list[Share]:
    return sorted(found, key=lambda one: (one.value is None, -(one.value or 0), one.name))


def allocate_bots(mode: str, rates: Rates, held: HeldPrices, whole: Decimal, shown: int) -> tuple[list[Share], list[Share], int]:
    """Strategies, the largest bots, and how many bots there are."""
    now: dict[str, Any] = {
        "now_venues": [venue for venue, _ in rates.now],
        "now_currencies": [currency for _, currency in rates.now],
        "now_prices": list(rates.now.values()),
    }
    asked: dict[str, Any] = {"mode": mode, "stopped": str(DesiredStatus.STOPPED), "target": rates.target, "shown": shown}
    with connection.cursor() as cursor:
        cursor.execute(BOTS, {**asked, **now, **held.columns(rates)})
        rows = cursor.fetchall()
    names = name_bots({bot for _, bot, *_ in rows if bot is not None})

    def share_of_whole(currency: str, value: Decimal) -> float | None:
        return ratio_of(value, whole) if currency == rates.target else None

    strategies = [
        Share(name, name, kept, value, share_of_whole(kept, value)) for name, _, _, kept, value in rows if name is not None
    ]
    bots = [Share(*names[bot], kept, value, share_of_whole(kept, value)) for _, bot, _, kept, value in rows if bot is not None]
    return strategies, bots, max((members for _, bot, members, *_ in rows if bot is not None), default=0)
