"""A desk of 1,000 bots: its pages are bounded, and what every page asks for costs the same few statements."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.people import make_person
from tests.trading.live.fixtures import CONFIG, Rows, price, rows
from trading import selectors
from trading.models import Bot, BotRun, Position, RiskBudget
from wallets.models import WalletBalance

__all__ = ["rows"]
pytestmark = [pytest.mark.django_db, pytest.mark.services]


@pytest.fixture
def client() -> Client:
    signed_in = Client()
    signed_in.force_login(make_person("tom", "trader"))
    return signed_in


def make_bots(rows: Rows, count: int) -> None:
    """Running bots of one wallet, each with a position and a budget; the last one's run has failed."""
    wallet, now = rows.wallet(), timezone.now()
    WalletBalance.objects.create(wallet=wallet, asset="USDT", amount=Decimal(5_000_000))
    plain = {"config": CONFIG, "strategy": "sma_cross", "venue": "binance", "symbols": "BTC-USDT", "interval": "5m"}
    bots = Bot.objects.bulk_create(
        Bot(**plain, bot_id=f"b{number:011x}", name=f"bot {number:04}", mode="paper", wallet=wallet, wanted="running")
        for number in range(count)
    )
    made = {"mode": "paper", "config": CONFIG, "limits": {}, "code_hash": "x", "started_at": now, "evaluated_at": now}
    runs = BotRun.objects.bulk_create(BotRun(bot=bot, run_id=f"r{bot.bot_id}", **made) for bot in bots)
    for bot, run in zip(bots, runs, strict=True):
        bot.run = run
    Bot.objects.bulk_update(bots, ["run"])
    BotRun.objects.filter(pk=runs[-1].pk).update(ended_at=now, error="It broke.")
    one, amounts = {"wallet": wallet, "venue": "binance", "symbol": "BTC-USDT"}, {"quantity": Decimal(1), "cost": Decimal(100)}
    Position.objects.bulk_create(Position(bot=bot, **one, **amounts, realised=Decimal(2)) for bot in bots)
    RiskBudget.objects.bulk_create(
        RiskBudget(scope="bot", bot=bot, currency="USD", limit=Decimal(1000), used=Decimal(100)) for bot in bots
    )
    price("BTC-USDT", "103")


def count_queries(client: Client, path: str, **given: Any) -> tuple[int, bytes]:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path, **given)
    assert answer.status_code == 200
    return len(queries), answer.content


def test_the_bar_and_live_cost_the_same_whatever_the_number_of_bots(rows: Rows, client: Client) -> None:
    make_bots(rows, 60)
    few = {path: count_queries(client, path)[0] for path in ("/live/", "/live/bar/")}
    Position.objects.all().delete()
    RiskBudget.objects.all().delete()
    Bot.objects.all().delete()
    make_bots(rows, 1_000)
    bar, live = count_queries(client, "/live/bar/"), count_queries(client, "/live/")
    assert {"/live/": live[0], "/live/bar/": bar[0]} == few
    assert bar[0] == 14
    assert len(live[1]) < 150_000
    assert len(bar[1]) < 3_000


def test_live_begins_with_what_needs_somebody_and_says_how_much_there_is(rows: Rows, client: Client) -> None:
    make_bots(rows, 60)
    Position.objects.filter(bot__name="bot 0058").update(exit_blocked="The venue refused it.", cost=Decimal(1))
    page = client.get("/live/").content.decode()
    strip = page[page.index('id="part-bots"') : page.index('id="part-positions"')]
    named = [f"bot {number:04}" for number in range(60) if f"bot {number:04}" in strip]
    assert len(named) == 50
    assert strip.index("bot 0059") < strip.index("bot 0058") < strip.index("bot 0000")
    assert "50 of 60" in strip
    assert "2 need attention" in strip
    positions = page[page.index('id="part-positions"') : page.index('id="part-orders"')]
    assert "50 of 60, the largest" in positions
    assert "The venue refused it." in positions
    listed = client.get("/bots/", {"attention": "1"}).content.decode()
    assert [name for name in ("bot 0000", "bot 0058", "bot 0059") if name in listed] == ["bot 0058", "bot 0059"]


def test_sums_of_the_database_are_those_of_the_rows(rows: Rows) -> None:
    """The same figures from all bots one by one: what lists of bots show adds up to what the desk shows."""
    make_bots(rows, 7)
    Bot.objects.filter(name="bot 0003").update(wanted="stopped")
    Bot.objects.filter(name="bot 0004").update(archived_at=timezone.now())
    (paper,) = selectors.desk_portfolio().modes
    shown = selectors.bot_rows(selectors.bots_matching())
    assert paper.bots == len(shown) == 6
    assert paper.allotted == sum(row.allotted for row in shown)
    assert paper.realised_profit == sum(row.realised for row in shown) == 12
    assert paper.unrealised_profit == sum(row.unrealised_profit for row in shown) == 18
    assert paper.change_today == sum(row.equity - row.start_cash for row in shown)
