"""Bots as rows: what they are set to, what they do, what they have made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Sum, When
from django.utils import timezone

from core import paging
from core.errors import NotFound
from core.symbols import symbol_normalise
from core.text import decimal_text, utc_text
from trading.compiling import compiling_words, engine_progress
from trading.models import OPEN, BlockEvent, Bot, DesiredStatus, Mode, Order, Position
from trading.selectors.filters import SHOWN, one_of
from trading.selectors.notation import ratio_of
from trading.selectors.risk import kill_switch
from trading.selectors.status import BotStatus, bot_status, streams_by_feed
from trading.selectors.valuation import Valued, money_text, positions_valued

DAY = timedelta(days=1)
NEEDY = 2
"""Up to this value of `attention`, somebody should look."""


@dataclass(frozen=True, slots=True)
class BotRow:
    """A bot with everything that a list shows of it. Money in `currency`, the quote of its symbols."""

    bot: Bot
    status: BotStatus
    positions: Sequence[Valued]
    dust: Sequence[Valued]
    """What it has left and no venue takes an order for: no positions, but worth something."""
    realised: Decimal
    """Profit of all that it ever sold."""
    open_orders: int
    blocks: int
    """Orders that were refused it in the last 24 hours."""

    @property
    def exits_blocked(self) -> dict[str, str]:
        """Symbols that it should sell and cannot, and why."""
        return {one.position.symbol: one.position.exit_blocked for one in self.positions if one.position.exit_blocked}

    @property
    def currency(self) -> str:
        return self.bot.symbol_list[0].partition("-")[2]

    @property
    def start_cash(self) -> Decimal:
        return Decimal(str(self.bot.config["cash"]))

    @property
    def cash(self) -> Decimal:
        """What it was given, plus what its sales made, less what its holdings have cost: over all of its runs."""
        return self.start_cash + self.realised - sum((one.position.cost for one in self.held), Decimal(0))

    @property
    def held(self) -> Sequence[Valued]:
        """Positions and dust."""
        return [*self.positions, *self.dust]

    @property
    def dust_worth(self) -> Decimal:
        """As far as there are prices."""
        return sum((one.value or Decimal(0) for one in self.dust), Decimal(0))

    @property
    def allotted(self) -> Decimal:
        """What it may trade with, what it has made included; once it is stopped, what it still holds, at cost."""
        if self.bot.wanted != DesiredStatus.STOPPED:
            return self.start_cash + self.realised
        return sum((one.position.cost for one in self.held), Decimal(0))

    @property
    def valued_at(self) -> str:
        """What `equity` is calculated with: `prices` of now, `old prices`, or, where one is missing, `cost`. A replay's is that of
        the `last close`."""
        states = {one.state for one in self.positions}
        if "missing" in states:
            return "last close" if self.replay_equity is not None else "cost"
        return "old prices" if "old" in states else "prices"

    @property
    def replay_equity(self) -> Decimal | None:
        run = self.bot.run
        return run.equity if run and self.bot.mode == Mode.REPLAY else None

    @property
    def equity(self) -> Decimal:
        """Cash and positions, valued as `valued_at` says."""
        if self.replay_equity is not None and self.valued_at == "last close":
            return self.replay_equity
        held = (one.position.cost if one.value is None else one.value for one in self.held)
        return self.cash + sum(held, Decimal(0))

    @property
    def unrealised_profit(self) -> Decimal:
        return sum((one.unrealised_profit or Decimal(0) for one in self.held), Decimal(0))

    @property
    def profit(self) -> Decimal:
        return self.equity - self.start_cash

    @property
    def profit_ratio(self) -> float | None:
        return ratio_of(self.profit, self.start_cash)


def bots_matching(
    *, mode: str = "", wallet: str = "", symbol: str = "", search: str = "", wanted: str = "", attention: str = ""
) -> QuerySet[Bot]:
    """Bots that are not archived, by name, with run and wallet; `wallet` is a wallet_id. `attention`: only those that need it."""
    rows = Bot.objects.filter(archived_at=None).select_related("run", "wallet").order_by("name")
    named = {
        "mode": one_of("mode", mode, Mode.values),
        "wanted": one_of("wanted", wanted, DesiredStatus.values),
        "wallet__wallet_id": wallet,
    }
    rows = rows.filter(**{column: value for column, value in named.items() if value})
    if attention:
        rows = bots_by_attention(rows).filter(Q(attention__lte=NEEDY))
    if symbol:
        # Letters, digits and one dash: nothing in it that a pattern would take for its own.
        rows = rows.filter(symbols__regex=rf"(^|,){symbol_normalise(symbol)}(,|$)")
    return rows.filter(Q(name__icontains=search) | Q(bot_id__startswith=search) | Q(strategy__icontains=search)) if search else rows


def bots_by_attention(rows: QuerySet[Bot]) -> QuerySet[Bot]:
    """The same bots, those that need somebody first: `attention` is 0 for one that failed, 1 for one that cannot sell what it
    should, 2 for one that is held up, 3 for others at work, 4 for the rest."""
    blocked = Position.objects.filter(bot=OuterRef("pk"), dust=False).exclude(quantity=0).exclude(exit_blocked="")
    working = Q(run__ended_at=None, run__isnull=False)
    rank = Case(
        When(Q(run__ended_at__isnull=False) & (Q(run__end_reason="failed") | ~Q(run__error="")), then=0),
        When(Exists(blocked), then=1),
        When(working & ~Q(run__held_reason=""), then=2),
        When(working, then=3),
        default=4,
    )
    return rows.annotate(attention=rank).order_by("attention", "name")


def bots_page(*, cursor: str = "", limit: int = SHOWN, **filters: str) -> tuple[list[BotRow], str | None]:
    """A page by id, oldest first, as `bot_rows`."""
    rows, after = paging.read_page(bots_matching(**filters), key="id", cursor=cursor, limit=limit)
    return bot_rows(rows), after


def bot_get(bot_id: str) -> Bot:
    """The bot with run and wallet, an archived one too; `NotFound`."""
    rows = Bot.objects.select_related("run", "wallet", "created_by")
    if bot := rows.filter(bot_id=bot_id[:16].replace("\x00", "")).first():
        return bot
    raise NotFound(f"There is no bot {bot_id[:40]!r}. GET bots lists those there are.")


def bot_rows(found: Iterable[Bot]) -> list[BotRow]:
    """Six queries and one question to the price store, however many bots; each with run and wallet loaded."""
    listed = list(found)
    ids = [bot.pk for bot in listed]
    now, streams, switch = timezone.now(), streams_by_feed(), kill_switch()
    compiling = compiling_words(engine_progress()) if any(map(waits_for_its_first, listed)) else ""
    held: dict[int, list[Valued]] = defaultdict(list)
    rows = Position.objects.filter(bot__in=ids).exclude(quantity=0).select_related("bot__wallet").order_by("symbol")
    for one in positions_valued(rows):
        held[one.position.bot_id].append(one)
    realised = dict(Position.objects.filter(bot__in=ids).order_by().values_list("bot").annotate(Sum("realised")))
    orders = count_by_bot(Order.objects.filter(bot__in=ids, status__in=OPEN))
    blocks = count_by_bot(BlockEvent.objects.filter(bot__in=ids, ts__gte=now - DAY))
    return [
        BotRow(
            bot=bot,
            status=bot_status(bot, streams=streams, switch=switch, now=now, compiling=compiling),
            positions=[one for one in held[bot.pk] if not one.position.dust],
            dust=[one for one in held[bot.pk] if one.position.dust],
            realised=realised.get(bot.pk) or Decimal(0),
            open_orders=orders.get(bot.pk, 0),
            blocks=blocks.get(bot.pk, 0),
        )
        for bot in listed
    ]


def waits_for_its_first(bot: Bot) -> bool:
    """Whether it runs and has not decided yet."""
    return bot.run is not None and bot.run.ended_at is None and bot.run.evaluated_at is None


def count_by_bot(rows: QuerySet[Any]) -> dict[int, int]:
    return dict(rows.order_by().values_list("bot").annotate(Count("pk")))


def bot_json(row: BotRow) -> dict[str, Any]:
    """What the lists and GET bots/{id} have in common."""
    bot = row.bot
    return {
        **status_json(row),
        "strategy": bot.strategy,
        "venue": bot.venue,
        "symbols": bot.symbol_list,
        "interval": bot.interval,
        "wallet": bot.wallet.wallet_id,
        "wanted": bot.wanted,
        "currency": row.currency,
        "cash": money_text(row.cash),
        "equity": money_text(row.equity),
        "valued_at": row.valued_at,
        "profit": money_text(row.profit),
        "profit_ratio": row.profit_ratio,
        "realised": money_text(row.realised),
        "unrealised": money_text(row.unrealised_profit),
        "positions": len(row.positions),
        "dust": [dust_json(one) for one in row.dust],
        "open_orders": row.open_orders,
        "blocks_today": row.blocks,
        "created_at": utc_text(bot.created_at),
    }


def dust_json(one: Valued) -> dict[str, Any]:
    symbol = one.position.symbol
    worth = {"value": money_text(one.value), "currency": symbol.partition("-")[2]}
    return {"symbol": symbol, "qty": decimal_text(one.position.quantity), **worth}


def status_json(row: BotRow) -> dict[str, Any]:
    """GET bots/status: what it does, and how fresh that is."""
    bot, run = row.bot, row.bot.run
    return {
        "bot": bot.bot_id,
        "name": bot.name,
        "mode": bot.mode,
        "status": row.status.word,
        "why": row.status.why,
        "exits_blocked": row.exits_blocked,
        "run_id": run.run_id if run else None,
        "started_at": utc_text(run.started_at) if run else None,
        "ended_at": utc_text(run.ended_at) if run else None,
        "end_reason": run.end_reason or None if run else None,
        "left": run.left if run else [],
        "last_evaluation_at": utc_text(run.evaluated_at) if run else None,
        "last_candle_at": utc_text(run.decided_at) if run else None,
        "evaluation_ms": run.evaluation_ms if run else None,
        "evaluations": run.evaluations if run else 0,
        "progress": run.progress if run else None,
    }
