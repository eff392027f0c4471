"""Cost basis of what the ledger has: read as it was booked, by the rules that people set, and told by the API and the admin."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from core.errors import Conflict, Forbidden, Invalid
from market.exchanges.movements import Movement as VenueMovement
from market.exchanges.movements import MovementLeg
from tests.people import make_person
from tests.wallets.making import NOW, account, allowed, fill, paper
from tests.wallets.prices import store_closes
from wallets import services
from wallets.ledger import Account, Booking, booking_write, transfer_legs
from wallets.lots.basis import basis_of_wallet, check_lots
from wallets.lots.holding import find_tax_year, name_term
from wallets.models import CostRule, LedgerTransaction, ToldCost, Wallet

pytestmark = pytest.mark.django_db
YEAR = datetime.now(UTC).year
HEAD = "transaction,asset,quantity,basis,acquired_at"
Kind = LedgerTransaction.Kind


@pytest.fixture(autouse=True)
def storage_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def api() -> APIClient:
    cache.clear()  # throttles
    client = APIClient()
    client.force_authenticate(User.objects.create_user("ada"))
    return client


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def real(name: str = "real") -> Wallet:
    row = services.account_check(account=account(name=name, environment="live"), permissions=allowed())
    return services.wallet_create(name=name, kind="exchange", quote="USD", account=row)


def dollars(amount: str = "1000000", **options: Any) -> Wallet:
    return paper(quote="USD", opening={"USD": amount}, **options)


def move(wallet: Wallet, amount: str, asset: str, ts: datetime = NOW, kind: Any = Kind.DEPOSIT) -> LedgerTransaction:
    legs = transfer_legs(asset, Decimal(amount), Account.CAPITAL)
    booking_write(wallet.pk, Booking(kind, f"{kind} {asset} {ts} {amount}", ts, legs))
    return wallet.transactions.latest("id")


def buy(wallet: Wallet, number: int, quantity: str, price: str, **options: Any) -> None:
    told: dict[str, Any] = {"quote": "USD", "fee": Decimal(0), "fee_asset": "USD", "ts": NOW + timedelta(days=number)}
    assert fill(wallet, number, quantity=Decimal(quantity), price=Decimal(price), **told | options)


def sell(wallet: Wallet, number: int, quantity: str, price: str, **options: Any) -> None:
    buy(wallet, number, quantity, price, side="sell", **options)


def walk(api: APIClient, url: str | None) -> Iterator[dict[str, Any]]:
    while url:
        answer = api.get(url).json()
        yield from answer["results"]
        url = answer["next"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "in", "out"]),
        st.sampled_from(["BTC", "ETH"]),
        st.decimals("0.001", 50, places=3),
        st.decimals(1, 100, places=2),
        st.decimals("-0.5", "0.5", places=2),
        st.sampled_from(["USD", "BTC", "BNB"]),
        st.integers(-3, 3),
    ),
    max_size=12,
)


@given(STEPS, st.sampled_from(CostRule.Method.values), st.sampled_from(CostRule.Scope.values))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_open_lots_are_the_balances_whatever_is_booked_in_whatever_order(steps: list[Any], method: str, scope: str) -> None:
    """Of an account that nobody told what was in it, too: what it sold and never had is short, as it is not booked."""
    CostRule.objects.all().delete()
    CostRule.objects.create(since=date(2020, 1, 1), method=method, scope=scope)
    wallet = real(f"real {Wallet.objects.count()}")
    for number, (what, asset, quantity, price, fee, fee_asset, days) in enumerate(steps):
        ts = NOW + timedelta(days=days)
        if what in ("in", "out"):
            move(wallet, str(quantity if what == "in" else -quantity), asset, ts, Kind.DEPOSIT if what == "in" else Kind.WITHDRAWAL)
        else:
            buy(wallet, number, str(quantity), str(price), base=asset, side=what, fee=fee, fee_asset=fee_asset, ts=ts)
    assert check_lots(basis_of_wallet(wallet)) == []


def test_lots_that_differ_from_the_balances_are_named() -> None:
    wallet = dollars()
    buy(wallet, 1, "2", "100")
    wallet.balances.filter(asset="BTC").update(amount=7)
    found = [(item.wallet, item.asset, item.lots, item.balance) for item in check_lots(basis_of_wallet(wallet))]
    assert found == [(wallet.name, "BTC", Decimal(2), Decimal(7))]


def test_the_lots_of_a_wallet_can_be_asked_as_of_a_moment_and_page_by_key(api: APIClient) -> None:
    wallet = dollars()
    for number in range(5):
        buy(wallet, number, "1", str(100 + number), fee=Decimal(2))
    sell(wallet, 9, "1.5", "200")
    url = f"/api/v1/wallets/{wallet.wallet_id}/lots"
    rows = list(walk(api, f"{url}?limit=2"))
    assert [(row["quantity"], row["basis"], row["unit_cost"]) for row in rows] == [
        ("0.5", "51.5", "103"),
        ("1", "104", "104"),
        ("1", "105", "105"),
        ("1", "106", "106"),
    ]
    assert len({row["key"] for row in rows}) == 4
    before = (NOW + timedelta(days=2)).isoformat().replace("+00:00", "Z")
    assert [row["basis"] for row in walk(api, f"{url}?as_of={before}&asset=btc")] == ["102", "103", "104"]
    assert list(walk(api, f"{url}?asset=ETH")) == []


def test_past_prices_value_what_no_dollar_was_paid_for(api: APIClient) -> None:
    wallet, before = paper(quote="USDT", opening={}), NOW - timedelta(days=1)
    for amount, asset in (("100000", "USDT"), ("10", "BNB")):
        move(wallet, amount, asset, before)
    store_closes("USDT-USD", [1.01] * 30, start=NOW.replace(minute=0, second=0))
    store_closes("BNB-USDT", [500.0] * 30, start=NOW.replace(minute=0, second=0))
    fill(wallet, 1, quantity=Decimal(2), price=Decimal(100), fee=Decimal("0.1"), fee_asset="BNB", ts=NOW + timedelta(hours=5))
    fill(wallet, 2, quantity=Decimal(2), price=Decimal(100), fee=Decimal(0), ts=NOW + timedelta(days=9))
    (known, unknown) = walk(api, f"/api/v1/wallets/{wallet.wallet_id}/lots?asset=BTC")
    assert (known["basis"], unknown["basis"], unknown["unit_cost"]) == ("252.5", None, None)
    sold = list(walk(api, f"/api/v1/portfolio/disposals?year={NOW.year}&mode=paper"))
    assert [(row["asset"], row["proceeds"], row["basis"], row["note"], row["kind"]) for row in sold] == [
        ("USDT", "202", None, "cost_unknown", "sale"),
        ("BNB", "50.5", None, "cost_unknown", "fee"),
        ("USDT", None, None, "cost_unknown", "sale"),
    ]


def test_disposals_of_a_year_as_json_and_as_csv(api: APIClient) -> None:
    wallet = dollars(name="=HYPERLINK(1)")
    buy(wallet, 0, "1", "100")
    buy(wallet, 1, "1", "300")
    sell(wallet, 10, "1.5", "200", fee=Decimal(3))
    sell(wallet, 400, "0.5", "200")
    url = f"/api/v1/portfolio/disposals?mode=paper&year={NOW.year}"
    told = api.get(url).json()
    assert told["totals"] == {
        "proceeds": "297",
        "basis": "250",
        "gain": "47",
        "short_term_gain": "47",
        "long_term_gain": "0",
        "unknown": 0,
    }
    rows = list(walk(api, f"{url}&limit=1"))
    assert rows == told["results"]
    assert [(row["quantity"], row["gain"], row["days"], row["term"]) for row in rows] == [
        ("1", "98", 10, "short"),
        ("0.5", "-51", 9, "short"),
    ]
    sheet = api.get(f"/api/v1/portfolio/disposals.csv?mode=paper&year={NOW.year}")
    assert sheet["Content-Type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(sheet.content.decode())))
    assert [(line["wallet_name"], line["gain"]) for line in lines] == [("'=HYPERLINK(1)", "98"), ("'=HYPERLINK(1)", "-51")]
    (later,) = api.get(f"/api/v1/portfolio/disposals?mode=paper&year={NOW.year + 1}").json()["results"]
    assert (later["gain"], later["term"]) == ("-50", "long")
    assert api.get(f"/api/v1/portfolio/disposals?year={NOW.year}").json()["results"] == [], "made-up money is not real money"


def test_the_tax_year_begins_in_its_time_zone(api: APIClient) -> None:
    CostRule.objects.create(since=date(2020, 1, 1), method="fifo", scope="wallet", time_zone="Pacific/Auckland")
    wallet = dollars()
    buy(wallet, 1, "2", "1", ts=datetime(2024, 6, 1, tzinfo=UTC))
    sell(wallet, 2, "1", "2", ts=datetime(2024, 12, 31, 10, 59, tzinfo=UTC))
    sell(wallet, 3, "1", "3", ts=datetime(2024, 12, 31, 11, 0, tzinfo=UTC))
    found = {year: api.get(f"/api/v1/portfolio/disposals?mode=paper&year={year}").json() for year in (2024, 2025)}
    assert {year: [row["proceeds"] for row in told["results"]] for year, told in found.items()} == {2024: ["2"], 2025: ["3"]}
    assert found[2025]["time_zone"] == "Pacific/Auckland"


def test_years_before_the_first_rule_and_after_a_new_one_have_their_own_zone() -> None:
    rules = [CostRule(since=date(2024, 7, 1), time_zone="Europe/Berlin"), CostRule(since=date(2026, 1, 1), time_zone="Asia/Tokyo")]
    assert [find_tax_year(year, rules).zone.key for year in (2020, 2024, 2025, 2026)] == [*["Europe/Berlin"] * 3, "Asia/Tokyo"]
    assert find_tax_year(2020, []).zone.key == "UTC"


@pytest.mark.parametrize(
    ("acquired", "disposed", "term"),
    [
        ("2023-01-15", "2024-01-15", "short"),
        ("2023-01-15", "2024-01-16", "long"),
        ("2023-02-28", "2024-02-29", "short"),
        ("2023-02-28", "2024-03-01", "long"),
        ("2024-02-28", "2025-02-28", "short"),
        ("2024-02-29", "2025-02-28", "short"),
        ("2024-02-29", "2025-03-01", "long"),
    ],
)
def test_long_is_more_than_a_year_counted_from_the_day_after(acquired: str, disposed: str, term: str) -> None:
    assert name_term(date.fromisoformat(acquired), date.fromisoformat(disposed)) == term


def test_one_pool_for_all_wallets_is_told_of_each(api: APIClient) -> None:
    services.cost_rule_add(since="2020-01-01", method="hifo", scope="all")
    one, other = dollars(), dollars()
    buy(one, 1, "1", "100")
    buy(other, 2, "1", "300")
    sell(one, 3, "0.5", "200")
    rows = list(walk(api, f"/api/v1/wallets/{one.wallet_id}/lots"))
    assert [(row["wallet"], row["quantity"], row["basis"]) for row in rows] == [
        (one.wallet_id, "1", "100"),
        (other.wallet_id, "0.5", "150"),
    ]
    assert check_lots(basis_of_wallet(one)) == []


def test_asking_takes_a_fixed_number_of_queries(api: APIClient) -> None:
    wallet = dollars()
    urls = [f"/api/v1/wallets/{wallet.wallet_id}/lots", f"/api/v1/portfolio/disposals?mode=paper&year={NOW.year}"]

    def count(url: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert api.get(url).status_code == 200
        return len(seen)

    buy(wallet, 0, "1", "1")
    few = [count(url) for url in urls]
    for number in range(1, 20):
        buy(wallet, number, "1", "1")
        sell(dollars(), number, "1", "1", base="USD", quote="EUR", fee=Decimal("0.01"))
    assert [count(url) for url in urls] == few


# ---------------------------------------------------------------- transfers


def movement(wallet: Wallet, reference: str, amount: str, kind: str, ts: datetime, txid: str = "") -> VenueMovement:
    row = VenueMovement(reference, kind, "done", ts, ts, (MovementLeg("BTC", Decimal(amount)),), txid=txid)  # type: ignore[arg-type]
    services.movements_take(wallet=wallet, rows=[row])
    return row


def opened(name: str) -> Wallet:
    wallet = real(name)
    services.ledger_opening_from_venue(wallet=wallet, balances=[], ts=NOW - timedelta(days=9))
    return wallet


@pytest.mark.parametrize("later", [1, -1])
def test_lots_follow_a_transfer_from_wallet_to_wallet_whatever_the_clocks_of_venues_say(api: APIClient, later: int) -> None:
    one, other = opened("one"), opened("other")
    buy(one, 0, "2", "100")
    sent = NOW + timedelta(days=3)
    movement(one, "w1", "-1.5", "withdrawal", sent, "0xabc")
    (moved,) = [row for row in walk(api, f"/api/v1/wallets/{one.wallet_id}/lots") if row["quantity"] == "0.5"]
    assert moved["place"] == "wallet"
    movement(other, "d1", "1.5", "deposit", sent + later * timedelta(minutes=5), "0xabc")
    (row,) = walk(api, f"/api/v1/wallets/{other.wallet_id}/lots")
    assert (row["quantity"], row["basis"], row["acquired_at"]) == ("1.5", "150", NOW.isoformat().replace("+00:00", "Z"))
    assert check_lots(basis_of_wallet(other)) == []


def test_what_is_elsewhere_at_the_venue_comes_back_with_its_cost(api: APIClient) -> None:
    wallet = opened("one")
    buy(wallet, 0, "2", "100")
    movement(wallet, "t1", "-2", "transfer", NOW + timedelta(days=2))
    url = f"/api/v1/wallets/{wallet.wallet_id}/lots"
    assert [(row["quantity"], row["basis"], row["place"]) for row in walk(api, url)] == [("2", "200", "elsewhere")]
    movement(wallet, "t2", "0.5", "transfer", NOW + timedelta(days=3))
    assert [(row["basis"], row["place"]) for row in walk(api, url)] == [("150", "elsewhere"), ("50", "wallet")]
    assert check_lots(basis_of_wallet(wallet)) == []


def test_a_withdrawal_that_the_venue_took_back_gives_its_lots_back(api: APIClient) -> None:
    wallet = opened("one")
    buy(wallet, 0, "2", "100")
    sent = movement(wallet, "w1", "-2", "withdrawal", NOW + timedelta(days=2))
    url = f"/api/v1/wallets/{wallet.wallet_id}/lots"
    services.movements_take(wallet=wallet, rows=[replace(sent, state="failed", moved_at=None)])
    assert [(row["quantity"], row["basis"], row["place"]) for row in walk(api, url)] == [("2", "200", "wallet")]


# ---------------------------------------------------------------- page


def test_the_wallets_page_has_its_lots_and_says_what_differs(root: Client) -> None:
    wallet, htmx = real(), {"HX-Request": "true"}
    url = f"/wallets/{wallet.wallet_id}/lots/"
    assert f'hx-get="{url}"' in root.get(f"/wallets/{wallet.wallet_id}/").content.decode()
    assert root.get(url).status_code == 302
    assert "No open lots" in root.get(url, headers=htmx).content.decode()
    for number in range(60):
        buy(wallet, number, "1", str(100 + number))
    sell(wallet, 99, "2", "5", base="ETH")
    page = root.get(url, headers=htmx)
    shown = page.content.decode()
    assert "2 ETH is short" in shown
    assert "not the balance" not in shown
    more = root.get(f"{url}?cursor={page.context['cursor']}", headers=htmx)
    assert len(page.context["rows"]) + len(more.context["rows"]) == 60
    wallet.balances.filter(asset="BTC").update(amount=7)
    assert "the lots are not the balance" in root.get(url, headers=htmx).content.decode()
    before = root.get(f"{url}?day={(NOW + timedelta(days=2)).date()}", headers=htmx)
    assert [row["basis"] for row in before.context["rows"]] == ["100", "101", "102"]
    assert [root.get(f"{url}?day={day}", headers=htmx).status_code for day in ("soon", "9999-12-31")] == [400, 200]


# ---------------------------------------------------------------- rules


def test_a_rule_holds_from_its_day_on_and_years_that_are_over_stay_as_they_were(api: APIClient) -> None:
    wallet, begin = dollars(), datetime(YEAR - 1, 2, 1, tzinfo=UTC)
    for number, price in enumerate(("100", "300", "200")):
        buy(wallet, number, "1", price, ts=begin + timedelta(days=number))
    sell(wallet, 8, "1", "400", ts=begin + timedelta(days=9))
    sell(wallet, 9, "1", "400", ts=datetime(YEAR, 1, 2, tzinfo=UTC))
    services.cost_rule_add(since=f"{YEAR - 1}-01-01", method="fifo", scope="wallet")
    over = api.get(f"/api/v1/portfolio/disposals?mode=paper&year={YEAR - 1}").json()
    services.cost_rule_add(since=f"{YEAR}-01-01", method="lifo", scope="wallet")
    assert api.get(f"/api/v1/portfolio/disposals?mode=paper&year={YEAR - 1}").json() == over
    (now,) = api.get(f"/api/v1/portfolio/disposals?mode=paper&year={YEAR}").json()["results"]
    assert (over["results"][0]["basis"], now["basis"]) == ("100", "200")


def test_rules_are_added_after_the_newest_in_years_that_are_not_over() -> None:
    rule: dict[str, Any] = {"method": "fifo", "scope": "wallet"}
    first = services.cost_rule_add(since="2015-01-01", **rule)
    for since, words in ((f"{YEAR - 1}-06-01", "over"), ("2015-01-01", "after 2015-01-01"), ("soon", "a date like")):
        with pytest.raises(Invalid) as refused:
            services.cost_rule_add(since=since, **rule)
        assert words in refused.value.fields["since"][0]
    with pytest.raises(Invalid) as refused:
        services.cost_rule_add(since=f"{YEAR}-01-01", method="magic", scope="none", time_zone="Mars/Base")
    assert set(refused.value.fields) == {"method", "scope", "time_zone"}
    newest = services.cost_rule_add(since=f"{YEAR}-01-01", **rule)
    for held in (first, newest):
        with pytest.raises(Conflict) if held == first else pytest.raises(Forbidden):
            services.cost_rule_delete(rule=held, user=None if held == first else make_person("vera", "viewer"))
    services.cost_rule_delete(rule=newest)
    assert list(CostRule.objects.all()) == [first]
    with pytest.raises(Conflict, match="over"):
        services.cost_rule_delete(rule=first)


def test_rules_are_made_and_taken_back_in_the_admin(root: Client) -> None:
    url = "/admin/wallets/costrule/"
    given = {"since": f"{YEAR}-01-01", "method": "average", "scope": "all", "time_zone": "Europe/Berlin"}
    assert "Mars/Base" in root.post(f"{url}add/", given | {"time_zone": "Mars/Base"}).content.decode()
    assert root.post(f"{url}add/", given).status_code == 302
    rule = CostRule.objects.get()
    assert (rule.method, rule.scope, rule.time_zone, str(rule.created_by)) == ("average", "all", "Europe/Berlin", "root")
    assert "average cost" in root.get(url).content.decode()
    assert "is taken back" in root.post(url, {"action": "take_back", "_selected_action": [rule.pk]}, follow=True).content.decode()
    assert not CostRule.objects.exists()


# ---------------------------------------------------------------- costs that people tell


def test_told_costs_count_and_telling_again_replaces_them(api: APIClient, root: Client) -> None:
    wallet = real()
    deposit = move(wallet, "3", "BTC")
    rows = f"{HEAD}\n{deposit.pk},btc,1,5000,2024-02-01\n{deposit.pk},BTC,1.5,9000,2025-01-01T10:00:00Z\n"
    added = "/admin/wallets/toldcost/add/"
    assert root.post(added, {"wallet": wallet.pk, "rows": rows}).status_code == 302
    url = f"/api/v1/wallets/{wallet.wallet_id}/lots"
    assert [(row["quantity"], row["basis"], row["acquired_at"]) for row in walk(api, url)] == [
        ("1", "5000", "2024-02-01T00:00:00Z"),
        ("1.5", "9000", "2025-01-01T10:00:00Z"),
        ("0.5", None, NOW.isoformat().replace("+00:00", "Z")),
    ]
    services.told_costs_import(wallet=wallet, text=f"{HEAD}\n{deposit.pk},BTC,3,1,2020-01-01")
    assert [(row["quantity"], row["basis"]) for row in walk(api, url)] == [("3", "1")]
    assert "3 BTC" in str(ToldCost.objects.get())
    assert deposit.reference in root.get("/admin/wallets/toldcost/").content.decode()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{deposit},BTC,4,1,2024-01-01", "is more than the 3 BTC"),
        ("{deposit},BTC,2,1,2024-01-01\n{deposit},BTC,2,1,2024-01-01", "Line 3: quantity is more than the 1 BTC"),
        ("{deposit},ETH,1,1,2024-01-01", "brought no ETH"),
        ("{other},BTC,1,1,2024-01-01", "brought no BTC"),
        ("{deposit},BTC,1,,2024-01-01", "basis is required"),
        ("{deposit},BTC,1,1,", "acquired_at is required"),
        ("{deposit},BTC,1,-1,2024-01-01", "basis must be at least 0"),
        ("{deposit},BTC,0,1,2024-01-01", "quantity must be above 0"),
        ("{deposit},BTC,1,1,2999-01-01", "must not be after the booking"),
        ("{deposit},BTC,1,1,1969-01-01", "must be after 1970"),
        ("zero,BTC,1,1,2024-01-01", "transaction must be a whole number"),
    ],
)
def test_costs_that_cannot_be_are_refused_by_line(row: str, words: str) -> None:
    wallet, other = real(), dollars()
    deposit, theirs = move(wallet, "3", "BTC"), move(other, "3", "BTC")
    with pytest.raises(Invalid) as refused:
        services.told_costs_import(wallet=wallet, text=f"{HEAD}\n{row.format(deposit=deposit.pk, other=theirs.pk)}")
    assert words in " ".join(refused.value.fields["rows"])
    assert not ToldCost.objects.exists()


@pytest.mark.parametrize("text", ["", "a,b\n1,2", HEAD, f"{HEAD}\n" + "x\n" * 5_001])
def test_what_is_no_table_of_costs_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        services.told_costs_import(wallet=real(), text=text)


def test_only_who_may_sets_rules_and_tells_costs() -> None:
    trader = make_person("tom", "trader")
    with pytest.raises(Forbidden):
        services.cost_rule_add(since="2020-01-01", method="fifo", scope="wallet", user=trader)
    with pytest.raises(Forbidden):
        services.told_costs_import(wallet=real(), text=HEAD, user=trader)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("wallets/nothing/lots", 404),
        ("wallets/{id}/lots?cursor=x", 400),
        ("wallets/{id}/lots?as_of=soon", 400),
        ("portfolio/disposals?year=x", 400),
        ("portfolio/disposals?year=99999", 400),
        ("portfolio/disposals.csv?mode=replay", 400),
    ],
)
def test_what_cannot_be_asked_for_is_told(api: APIClient, path: str, status: int) -> None:
    assert api.get(f"/api/v1/{path.format(id=dollars().wallet_id)}").status_code == status
