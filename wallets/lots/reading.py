"""The ledger, read for cost basis: in one statement, as a stream, in the order of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from wallets.lots.links import read_links
from wallets.lots.moments import to_microseconds
from wallets.lots.types import Change, KnownCosts, KnownLot, LotMethod, LotRule, LotScope, to_units
from wallets.models import CostRule, LedgerEntry, ToldCost

Account = LedgerEntry.Account
CHUNK = 5_000
# What must have come in without being booked is no change of its own: it is what cost basis calls short, and finds by itself.
# The text of an amount becomes an integer much faster than a number becomes a Decimal.
CHANGES = """
SELECT booking.id, booking.wallet_id, booking.kind, coalesce(linked.ts, (extract(epoch FROM booking.ts) * 1000000)::bigint) AS ts,
    coalesce(linked.link, CASE WHEN booking.kind = 'transfer' THEN 'elsewhere ' || booking.wallet_id ELSE '' END),
    string_agg(concat_ws(E'\\x1f', entry.account, entry.asset, (entry.amount * 1e18)::numeric(56, 0)), E'\\x1f' ORDER BY entry.id)
FROM wallets_ledgertransaction AS booking JOIN wallets_ledgerentry AS entry ON entry.transaction_id = booking.id
LEFT JOIN unnest(%s::bigint[], %s::bigint[], %s::text[]) AS linked (id, ts, link) ON linked.id = booking.id
WHERE booking.wallet_id = ANY(%s) AND booking.ts <= coalesce(%s::timestamptz, 'infinity') AND entry.account <> 'assets'
    AND NOT (booking.kind = 'correction' AND booking.reference LIKE 'unbooked:%%')
GROUP BY booking.id, linked.ts, linked.link ORDER BY ts, booking.id
"""


def read_changes(wallets: Collection[int], until: datetime | None = None) -> Iterator[Change]:
    """What the ledgers of these wallets (by primary key) say up to a moment, that one included."""
    links = read_links(wallets)
    given: list[Any] = [[one.transaction for one in links], [one.ts for one in links], [one.link for one in links]]
    # A cursor of the server lives in a transaction, behind a pooler too.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(CHANGES, [*given, list(wallets), until])
        while rows := cursor.fetchmany(CHUNK):
            for number, wallet, kind, ts, link, legs in rows:
                yield read_change(Change(ts, number, wallet, kind, link=link), legs.split("\x1f"))


def read_change(change: Change, words: list[str]) -> Change:
    """`words`: account, asset, units, and so on. Entries are those of the other side: what they have less, the wallet has more."""
    traded, fees, moved = [], [], []
    for account, asset, units in zip(words[::3], words[1::3], words[2::3], strict=True):
        amount = int(units)
        if account == Account.TRADING:
            traded.append((asset, -amount))
        elif account == Account.CAPITAL:
            moved.append((asset, -amount))
        else:
            fees.append((asset, amount))
    change.traded, change.fees, change.moved = traded, fees, moved
    return change


def read_rules() -> list[LotRule]:
    return [
        LotRule(begin_day(row.since, row.time_zone), LotMethod(row.method), LotScope(row.scope)) for row in CostRule.objects.all()
    ]


def begin_day(day: date, time_zone: str) -> int:
    return to_microseconds(datetime.combine(day, time(), ZoneInfo(time_zone)))


def read_costs(wallets: Collection[int], currency: str) -> KnownCosts:
    """What people said in this currency."""
    found: defaultdict[tuple[int, str], list[KnownLot]] = defaultdict(list)
    for row in ToldCost.objects.filter(transaction__wallet__in=wallets, currency=currency).order_by("acquired_at", "id"):
        lot = KnownLot(to_units(row.quantity), to_units(row.basis), to_microseconds(row.acquired_at))
        found[row.transaction_id, row.asset].append(lot)
    return found
