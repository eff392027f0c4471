"""Wallets in the admin, in the API and on their pages: few queries, no secrets, and clear messages for bad input."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.core.cache import cache
from django.test import Client
from rest_framework.test import APIClient

from tests.wallets.making import API_KEY, HTMX, SECRET, account, allowed, fill, paper, queries
from wallets import services
from wallets.models import ExchangeAccount, Wallet, WalletBalance

pytestmark = pytest.mark.django_db
ACCOUNTS, WALLETS = "/admin/wallets/exchangeaccount/", "/admin/wallets/wallet/"
ADDRESSES = {"rest": "", "ws": "", "ws_api": "", "ws_user": ""}


def busy(name: str, fills: int, *, held: bool = True) -> Wallet:
    """An exchange wallet with some fills in several assets. `held`: there was money before, so that nothing has to have come in
    without being booked."""
    row = services.account_check(account=account(name=name, environment="live"), permissions=allowed())
    wallet = services.wallet_create(name=name, kind="exchange", quote="USDT", account=row)
    for asset in ("USDT", "BNB") if held else ():
        WalletBalance.objects.create(wallet=wallet, asset=asset, amount=Decimal(10) ** 9)
    for number in range(fills):
        fill(wallet, number, base=f"A{number % 5}", fee_asset="BNB", fee=Decimal("0.001"))
    return wallet


# ---------------------------------------------------------------- admin


def test_an_account_is_made_in_the_admin_and_its_secret_never_comes_back(root: Client) -> None:
    given = {"name": "main", "venue": "binance", "environment": "live", "new_api_key": API_KEY, "new_secret": SECRET, **ADDRESSES}
    answer = root.post(f"{ACCOUNTS}add/", given, follow=True)
    row = ExchangeAccount.objects.get()
    assert (row.name, row.api_key, str(row.created_by)) == ("main", API_KEY, "root")
    assert services.account_endpoint(row, for_check=True).api_secret == SECRET
    pages = [answer, root.get(ACCOUNTS), root.get(f"{ACCOUNTS}{row.pk}/change/"), root.get(f"{ACCOUNTS}{row.pk}/history/")]
    for page in pages:
        assert page.status_code == 200
        assert SECRET not in page.content.decode()
        assert API_KEY not in page.content.decode()
    assert row.masked_key in pages[2].content.decode()
    assert not [entry for entry in LogEntry.objects.all() if SECRET in entry.change_message or API_KEY in entry.change_message]


def test_a_refused_form_does_not_show_what_was_typed_as_secret(root: Client) -> None:
    given = {"name": "main", "venue": "binance", "environment": "live", "new_api_key": "", "new_secret": SECRET, **ADDRESSES}
    page = root.post(f"{ACCOUNTS}add/", given | {"rest": "http://plain.example.org"}).content.decode()
    assert SECRET not in page
    assert "is required with a secret" in page
    assert "https://" in page
    assert not ExchangeAccount.objects.exists()


def test_an_account_is_renamed_without_a_word_on_its_key_which_stays(root: Client) -> None:
    row = services.account_check(account=account(environment="live"), permissions=allowed())
    given = {"name": "other", "new_api_key": "", "new_secret": "", **ADDRESSES}
    assert root.post(f"{ACCOUNTS}{row.pk}/change/", given).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.environment) == ("other", "live")
    assert services.account_endpoint(row).api_secret == SECRET
    assert root.post(f"{ACCOUNTS}{row.pk}/change/", given | {"new_api_key": "k2", "new_secret": "s2"}).status_code == 302
    row.refresh_from_db()
    assert (row.api_key, row.checked_at) == ("k2", None)
    assert services.account_endpoint(row, for_check=True).api_secret == "s2"


def test_a_wallet_is_made_and_renamed_in_the_admin(root: Client) -> None:
    new = {"name": "play", "kind": "paper", "venue": "Binance", "account": "", "quote": "usdt", "maker": "", "taker": "0.0005"}
    assert root.post(f"{WALLETS}add/", new | {"opening": "USDT 10000\n\nBTC 0.5"}).status_code == 302
    wallet = Wallet.objects.get()
    assert (wallet.venue, wallet.quote, wallet.maker, wallet.taker) == ("binance", "USDT", Decimal("0.001"), Decimal("0.0005"))
    assert [str(balance) for balance in wallet.balances.all()] == ["0.5 BTC", "10000 USDT"]
    inline = {"balances-TOTAL_FORMS": "2", "balances-INITIAL_FORMS": "2"}
    change = {"name": "toy", "kind": "exchange", "quote": "EUR", "balances-0-amount": "5", **inline}
    assert root.post(f"{WALLETS}{wallet.pk}/change/", change).status_code == 302
    wallet.refresh_from_db()
    assert (wallet.name, wallet.kind, wallet.quote) == ("toy", "paper", "USDT")
    assert [str(balance) for balance in wallet.balances.all()] == ["0.5 BTC", "10000 USDT"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"opening": "USDT"}, "must be a number"),
        ({"opening": "USDT 5\nUSDT 6"}, "twice"),
        ({"kind": "exchange"}, "is required for an exchange wallet"),
        ({"venue": "?"}, "not a venue"),
        ({"taker": "0.9"}, "must be at most 0.1"),
    ],
)
def test_a_bad_wallet_is_told_on_the_form(root: Client, change: dict[str, str], words: str) -> None:
    new = {
        "name": "play",
        "kind": "paper",
        "venue": "binance",
        "account": "",
        "quote": "USDT",
        "maker": "",
        "taker": "",
        "opening": "",
    }
    page = root.post(f"{WALLETS}add/", new | change)
    assert page.status_code == 200
    assert words in page.content.decode()
    assert not Wallet.objects.exists()


def test_wallets_are_archived_and_brought_back_by_actions(root: Client) -> None:
    wallet = busy("old", 1)
    for action, archived in (("archive", True), ("bring_back", False), ("archive", True)):
        root.post(WALLETS, {"action": action, "_selected_action": [wallet.pk]})
        wallet.refresh_from_db()
        assert wallet.archived is archived
    services.wallet_create(name="new", kind="exchange", quote="USDT", account=wallet.account)
    page = root.post(WALLETS, {"action": "bring_back", "_selected_action": [wallet.pk]}, follow=True).content.decode()
    assert "has another wallet by now" in page


@pytest.mark.parametrize("name", ["ledgertransaction", "ledgerentry"])
def test_the_ledger_is_for_reading(root: Client, name: str) -> None:
    wallet = busy("main", 1)
    row = wallet.transactions.get() if name == "ledgertransaction" else wallet.transactions.get().entries.all()[0]
    page = root.get(f"/admin/wallets/{name}/{row.pk}/change/").content.decode()
    assert "+0.5" in page
    assert 'name="_save"' not in page
    assert root.get(f"/admin/wallets/{name}/add/").status_code == 403
    assert root.post(f"/admin/wallets/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_admin_lists_and_the_wallets_panel_take_a_fixed_number_of_queries(root: Client) -> None:
    first = busy("first", 2, held=False)
    pages = [f"/admin/wallets/{name}/" for name in ("exchangeaccount", "wallet", "ledgertransaction", "ledgerentry")]
    pages.append(f"{WALLETS}{first.pk}/change/")
    few = {page: queries(lambda page=page: root.get(page)) for page in pages}  # type: ignore[misc]
    for number in range(4):
        busy(f"more {number}", 6)
    for number in range(2, 9):
        fill(first, number, base=f"B{number}")
    assert {page: queries(lambda page=page: root.get(page)) for page in pages} == few  # type: ignore[misc]
    assert "Balances are the sums of their entries" in root.get(pages[-1]).content.decode()


# ---------------------------------------------------------------- API


def test_a_wallet_and_its_ledger_are_answered_in_their_shapes(api: APIClient) -> None:
    wallet = busy("main", 1)
    fill(wallet, "fee in base", base="A0", fee_asset="A0", fee=Decimal("0.0005"))
    listed = api.get("/api/v1/wallets").json()
    assert api.get(f"/api/v1/wallets/{wallet.wallet_id}").json() == listed["results"][0]
    ledger = api.get(f"/api/v1/wallets/{wallet.wallet_id}/transactions").json()
    assert [entry["amount"] for entry in ledger["results"][0]["entries"]] == ["0.5", "-0.5", "-15000", "15000", "-0.0005", "0.0005"]


def test_the_api_tells_nothing_of_a_key(api: APIClient) -> None:
    wallet = busy("main", 3)
    for path in ("", f"/{wallet.wallet_id}", f"/{wallet.wallet_id}/transactions"):
        told = api.get(f"/api/v1/wallets{path}").content.decode()
        assert SECRET not in told
        assert API_KEY not in told


def test_the_api_takes_a_fixed_number_of_queries(api: APIClient) -> None:
    first = busy("first", 1)
    paths = ["/api/v1/wallets", f"/api/v1/wallets/{first.wallet_id}/transactions"]
    assert [queries(lambda path=path: api.get(path)) for path in paths] == [8, 5]  # type: ignore[misc]
    for number in range(5):
        busy(f"more {number}", 3)
    for number in range(1, 30):
        fill(first, number)
    assert [queries(lambda path=path: api.get(path)) for path in paths] == [8, 5]  # type: ignore[misc]


def test_wallets_and_ledgers_page_by_key(api: APIClient) -> None:
    wallets = [paper(opening={"USDT": "200000"}) for _ in range(5)]
    for number in range(7):
        fill(wallets[0], number)
    services.wallet_archive(wallet=wallets[1])
    assert walk(api, "/api/v1/wallets?limit=2", "name") == sorted(wallet.name for wallet in wallets if wallet != wallets[1])
    assert walk(api, "/api/v1/wallets?archived=1", "name") == [wallets[1].name]
    ledger = f"/api/v1/wallets/{wallets[0].wallet_id}/transactions"
    assert walk(api, f"{ledger}?limit=3&kind=fill", "reference") == [f"fill:binance:BTC-USDT:{n}" for n in range(6, -1, -1)]
    assert walk(api, f"{ledger}?kind=opening", "reference") == ["opening"]


def walk(api: APIClient, url: str | None, name: str) -> list[str]:
    found = []
    while url:
        answer = api.get(url).json()
        found += [row[name] for row in answer["results"]]
        url = answer["next"]
    return found


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nothing", 404),
        ("nothing/transactions", 404),
        ("{id}/transactions?kind=theft", 400),
        ("{id}/transactions?cursor=x", 400),
        ("{id}/transactions?limit=0", 400),
    ],
)
def test_what_cannot_be_asked_for_is_told(api: APIClient, path: str, status: int) -> None:
    answer = api.get(f"/api/v1/wallets/{path.format(id=paper().wallet_id)}")
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message", "fields"}


def test_strangers_are_turned_away() -> None:
    cache.clear()
    assert APIClient().get("/api/v1/wallets").status_code == 401
    assert Client().get("/wallets/").status_code == 302


# ---------------------------------------------------------------- pages


def test_an_empty_desk_names_the_next_step(root: Client, viewer: Client) -> None:
    assert f'href="{WALLETS}add/"' in root.get("/wallets/").content.decode()
    shown = viewer.get("/wallets/").content.decode()
    assert "No wallets yet" in shown
    assert f'href="{WALLETS}add/"' not in shown
    assert "Nothing is archived" in root.get("/wallets/?archived=1").content.decode()


def test_the_list_shows_balances_to_the_last_digit_in_a_fixed_number_of_queries(viewer: Client) -> None:
    busy("main", 2)
    few = queries(lambda: viewer.get("/wallets/"))
    paper(opening={"BTC": "12345.000000000000000001"})
    for number in range(6):
        busy(f"more {number}", 6)
    assert queries(lambda: viewer.get("/wallets/")) == few
    assert "12,345.000000000000000001" in viewer.get("/wallets/").content.decode()


def test_the_detail_shows_ledger_and_key_and_nothing_secret(viewer: Client) -> None:
    wallet = busy("main", 3)
    page = viewer.get(f"/wallets/{wallet.wallet_id}/").content.decode()
    assert "−15,000" in page
    assert "+0.5" in page
    assert "read, trade" in page
    assert wallet.account is not None
    assert wallet.account.masked_key in page
    assert SECRET not in page
    assert API_KEY not in page
    assert "/admin/" not in page
    services.account_check(account=ExchangeAccount.objects.get(), permissions=allowed(can_withdraw=True))
    assert "The key is refused" in viewer.get(f"/wallets/{wallet.wallet_id}/").content.decode()
    assert viewer.get("/wallets/nothing/").status_code == 404


def test_a_long_ledger_pages_by_key_with_the_same_few_queries(viewer: Client) -> None:
    wallet = busy("main", 3)
    few = queries(lambda: viewer.get(f"/wallets/{wallet.wallet_id}/"))
    for number in range(3, 120):
        fill(wallet, number)
    assert queries(lambda: viewer.get(f"/wallets/{wallet.wallet_id}/")) == few
    seen: list[int] = []
    cursor = ""
    while cursor is not None:
        page = viewer.get(f"/wallets/{wallet.wallet_id}/?cursor={cursor}", headers=HTMX)
        assert b"<html" not in page.content
        seen += [booked.pk for booked in page.context["transactions"]]
        cursor = page.context["cursor"]
    assert len(seen) == len(set(seen)) == 120
