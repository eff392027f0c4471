"""What all bots of a wallet have made and hold, summed by the database: one statement, however many bots there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from core.venues import venue_split
from market.prices import Price, prices_get
from trading.models import DesiredStatus, Mode

# A bot's currency is the quote of its first symbol. One that was never started, or is archived, has no part in anything.
SUMS = """
WITH bot AS (
    SELECT bot.id, bot.wallet_id, bot.mode = %(replay)s AS replays, bot.wanted, bot.venue, run.equity AS run_equity,
        (bot.config->>'cash')::numeric AS start_cash, split_part(split_part(bot.symbols, ',', 1), '-', 2) AS currency
    FROM trading_bot AS bot JOIN trading_botrun AS run ON run.id = bot.run_id
    WHERE bot.archived_at IS NULL
), position AS (
    SELECT bot_id, sum(realised) AS realised, sum(cost) FILTER (WHERE quantity <> 0) AS cost,
        bool_or(quantity <> 0 AND NOT dust) AS holds
    FROM trading_position GROUP BY bot_id
), one AS (
    SELECT bot.*, COALESCE(realised, 0) AS realised, COALESCE(cost, 0) AS cost, COALESCE(holds, false) AS holds,
        COALESCE((
            SELECT equity FROM trading_equitypoint AS point WHERE point.bot_id = bot.id AND point.ts <= %(midnight)s
            ORDER BY point.ts DESC LIMIT 1
        ), start_cash) AS begun
    FROM bot LEFT JOIN position ON position.bot_id = bot.id
), held AS (
    SELECT bot.wallet_id, replays, currency, bot.venue, symbol, sum(quantity) AS quantity, sum(cost) AS cost, bool_and(dust) AS dust
    FROM trading_position JOIN bot ON bot.id = bot_id
    WHERE quantity <> 0 GROUP BY bot.wallet_id, replays, currency, bot.venue, symbol
), listed AS (
    SELECT wallet_id, replays, currency, json_agg(json_build_array(venue, symbol, quantity::text, cost::text, dust)) AS holdings
    FROM held GROUP BY wallet_id, replays, currency
)
SELECT wallet_id, replays, currency, (SELECT holdings FROM listed WHERE (listed.wallet_id, listed.replays, listed.currency)
        = (one.wallet_id, one.replays, one.currency)), count(*), sum(start_cash), sum(realised), sum(begun), sum(cost),
    sum(CASE WHEN wanted = %(stopped)s THEN cost ELSE start_cash + realised END),
    sum(CASE WHEN replays AND holds AND run_equity IS NOT NULL THEN run_equity - start_cash - realised ELSE 0 END)
FROM one GROUP BY wallet_id, replays, currency
"""


class Group(NamedTuple):
    """Bots whose money can be added up."""

    wallet: int
    replays: bool
    currency: str


@dataclass(slots=True)
class BotSums:
    """What the bots of a group come to, in its currency."""

    bots: int = 0
    start_cash: Decimal = Decimal(0)
    realised: Decimal = Decimal(0)
    begun: Decimal = Decimal(0)
    """What they were worth at midnight, or when they began if that was later."""
    cost: Decimal = Decimal(0)
    """Of what they hold, dust too."""
    allotted: Decimal = Decimal(0)
    beyond_cost: Decimal = Decimal(0)
    """What they hold is worth this much more than its cost, at the newest prices; a replay's, at its last close."""
    unrealised: Decimal = Decimal(0)
    """The same as far as it comes from prices of now."""
    unpriced: list[str] = field(default_factory=list)
    """Symbols of positions without a price of now."""

    @property
    def equity(self) -> Decimal:
        return self.start_cash + self.realised + self.beyond_cost

    @property
    def cash(self) -> Decimal:
        return self.start_cash + self.realised - self.cost


def sum_bots(midnight: datetime) -> Mapping[Group, BotSums]:
    """All bots that were ever started, by wallet and currency. One statement and one question to the price store."""
    found: dict[Group, BotSums] = defaultdict(BotSums)
    held: list[tuple[Group, str, str, Decimal, Decimal, bool]] = []
    with connection.cursor() as cursor:
        cursor.execute(SUMS, {"replay": str(Mode.REPLAY), "stopped": str(DesiredStatus.STOPPED), "midnight": midnight})
        for wallet, replays, currency, holdings, *sums in cursor.fetchall():
            group = Group(wallet, replays, currency)
            found[group] = BotSums(*sums)
            held += [(group, venue, symbol, Decimal(qty), Decimal(cost), dust) for venue, symbol, qty, cost, dust in holdings or ()]
    # A replay has no prices of today.
    prices = prices_get({(*venue_split(venue), symbol) for group, venue, symbol, *_ in held if not group.replays})
    for group, venue, symbol, quantity, cost, dust in held:
        price = None if group.replays else prices.get((*venue_split(venue), symbol))
        add_held(found[group], symbol, price, quantity, cost, dust=dust)
    return found


def add_held(sums: BotSums, symbol: str, price: Price | None, quantity: Decimal, cost: Decimal, *, dust: bool) -> None:
    if price is not None:
        sums.beyond_cost += quantity * price.price - cost
        sums.unrealised += quantity * price.price - cost
    if not dust and (price is None or price.stale):
        sums.unpriced.append(symbol)
