"""The portfolio's page without a browser: what it shows, its addresses, its files, and that many rows cost no more queries."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.people import make_person
from tests.trading.live.fixtures import Rows, price, rows
from tests.trading.portfolio.test_profit import sell
from tests.trading.portfolio.test_report import hold
from trading.models import Bot
from trading.portfolio.tables import HISTORY, TABLES
from wallets.models import ValueSnapshot, Wallet

pytestmark = [pytest.mark.django_db, pytest.mark.services]

__all__ = ["rows"]


@pytest.fixture(autouse=True)
def storage_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("viewer"))
    return client


def shown(client: Client, path: str = "/portfolio/", **asked: str) -> str:
    answer = client.get(path, asked)
    assert answer.status_code == 200
    return answer.content.decode()


def trade(rows: Rows, **given: Any) -> Bot:
    """A bot that sold today and a week ago, holds something, and whose wallet has a history."""
    bot = rows.bot(wallet=hold(rows.wallet(), USDT="1000", BTC="2"), **given)
    price("BTC-USDT", "100")
    price("USDT-USD", "1")
    sell(rows, bot, "5", timezone.now())
    sell(rows, bot, "-3", timezone.now() - timedelta(days=7))
    rows.position(bot, quantity="1", cost="90")
    remember(bot.wallet, (100, 0), (110, 0), (1120, 1000), (1008, 0))
    return bot


def remember(wallet: Wallet, *days: tuple[int, int]) -> None:
    """(value, flow) of days up to this midnight."""
    midnight, paid_in = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0), Decimal(100)
    for number, (value, flow) in enumerate(days):
        paid_in += flow
        at = midnight - timedelta(days=len(days) - 1 - number)
        ValueSnapshot.objects.create(wallet=wallet, currency="USD", ts=at, value=Decimal(value), paid_in=paid_in)


def test_a_desk_without_money_says_the_next_step(viewer: Client) -> None:
    found = shown(viewer)
    assert ("There is no money here yet" in found, "curves" in found) == (True, False)


def test_the_page_shows_what_there_is_and_what_it_made(viewer: Client, rows: Rows) -> None:
    bot = trade(rows)
    found = shown(viewer)
    for words in ("1,200.00 USD", "+5.00 USD", "−3.00 USDT", bot.name, "Best sales", "BTC-USDT"):
        assert words in found, words
    assert "−0.11 %" in found  # 1.1 x 1120 / 1110 x 0.9: the deposit is taken out


def test_what_has_no_price_is_named(viewer: Client, rows: Rows) -> None:
    hold(trade(rows).wallet, XYZ="3")
    assert "for want of a price in USD:</b> XYZ" in shown(viewer)


def test_the_address_says_whose_money_and_when(viewer: Client, rows: Rows) -> None:
    trade(rows)
    assert 'aria-current="page">30d' in shown(viewer)
    assert 'aria-current="page">7d' in shown(viewer, period="7d")
    day = timezone.now().date().isoformat()
    found = shown(viewer, **{"from": day, "to": day})
    assert f'name="from" value="{day}"' in found
    assert f"mode=paper&amp;from={day}&amp;to={day}" in found
    assert "There is no money here yet" in shown(viewer, mode="live")


@pytest.mark.parametrize("asked", [{"period": "8d"}, {"mode": "replay"}, {"from": "x"}, {"from": "2026-02-01", "to": "2026-01-01"}])
def test_what_cannot_be_shown_is_told_and_not_a_fault(viewer: Client, asked: dict[str, str]) -> None:
    answer = viewer.get("/portfolio/", asked)
    assert answer.status_code == 400
    assert "The portfolio cannot be shown for this." in answer.content.decode()


@pytest.mark.parametrize("table", [*TABLES, HISTORY])
def test_each_table_is_a_file_of_the_same_rows_in_both_forms(viewer: Client, rows: Rows, table: str) -> None:
    empty = shown(viewer, f"/portfolio/{table}.csv")
    trade(rows)
    lines = list(csv.reader(StringIO(shown(viewer, f"/portfolio/{table}.csv", period="year"))))
    told = json.loads(shown(viewer, f"/portfolio/{table}.json", period="year"))
    assert empty.strip().split(",") == lines[0]
    assert told
    assert lines[1:] == [["" if one is None else str(one) for one in row.values()] for row in told]


def test_no_text_of_a_file_is_a_formula(viewer: Client, rows: Rows) -> None:
    trade(rows, name="=HYPERLINK(1)", strategy="@evil")
    assert "'=HYPERLINK(1)" in shown(viewer, "/portfolio/bots.csv")
    lines = list(csv.reader(StringIO(shown(viewer, "/portfolio/bots.csv", period="year"))))
    assert any("-3" in line for line in lines), "a number stays one"


def test_a_file_has_all_bots_and_the_page_both_ends(viewer: Client, rows: Rows) -> None:
    wallet = hold(rows.wallet(), USDT="1000")
    for number in range(103):
        sell(rows, rows.bot(wallet=wallet), str(number - 50), timezone.now())
    found = shown(viewer)
    assert "100 of 103 bots are shown" in found
    assert len(json.loads(shown(viewer, "/portfolio/bots.json"))) == 103


@pytest.mark.parametrize("path", ["/portfolio/secrets.csv", "/portfolio/days.xml", "/portfolio/days.", "/portfolio/../live.csv"])
def test_there_are_no_other_files(viewer: Client, path: str) -> None:
    assert viewer.get(path).status_code == 404


def test_a_stranger_sees_nothing(client: Client) -> None:
    assert client.get("/portfolio/").status_code == 302
    assert client.get("/portfolio/days.csv").status_code == 302


def test_the_queries_of_the_page_are_as_many_for_many(viewer: Client, rows: Rows) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            shown(viewer)
        return len(asked)

    trade(rows)
    few = count_queries()
    for number in range(4):
        trade(rows, strategy=f"s{number}")
    assert few == count_queries() < 35


@pytest.mark.parametrize("model", ["botday", "walletday"])
def test_the_admin_shows_the_days_and_lets_nobody_change_them(rows: Rows, model: str) -> None:
    trade(rows)
    client = Client()
    client.force_login(make_person("looker", "viewer", is_staff=True))
    found = shown(client, f"/admin/trading/{model}/")
    assert found.count("<tr") == 3  # the head, and two days
    assert client.get(f"/admin/trading/{model}/add/").status_code == 403
