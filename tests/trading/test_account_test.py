"""An account's connection, tested against a sandbox: in the admin, on the wallet's page, and every hour."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from core.models import Event
from core.text import decimal_text
from market.sandbox.server import RunningSandbox, running_sandbox
from tests.chaos.desk import account
from tests.market.exchanges.venues import SCENARIO
from tests.trading.live.fixtures import clear_prices
from tests.wallets.making import paper
from trading.services.accounts import accounts_check
from wallets.connection import account_test
from wallets.models import ExchangeAccount, Wallet
from wallets.services import account_secret_set, account_update, wallet_create

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    clear_prices()
    with running_sandbox(SCENARIO) as running:
        yield running


@pytest.fixture
def trader() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("trader"))
    return client


def taken_for_real(row: ExchangeAccount) -> ExchangeAccount:
    """The sandbox, as if real money lay there."""
    ExchangeAccount.objects.filter(pk=row.pk).update(environment="live")
    row.refresh_from_db()
    return row


def used(row: ExchangeAccount) -> Wallet:
    return wallet_create(name=f"of {row.name}", kind="exchange", quote="USDT", account=row)


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
def test_a_key_that_works_says_what_the_venue_says(sandbox: RunningSandbox, venue: str) -> None:
    row = account(sandbox, venue)
    outcome = account_test(account=row)
    assert outcome.works
    for words in ("takes the key", "read, trade", "clock agrees", "It holds", "BTC"):
        assert words in str(outcome)
    row.refresh_from_db()
    assert row.checked_at is not None
    assert not row.refused_reason


def test_a_key_that_can_withdraw_is_refused_from_then_on(sandbox: RunningSandbox) -> None:
    row = taken_for_real(account(sandbox, "coinbase"))
    assert account_test(account=row).works
    sandbox.permit(can_withdraw=True)
    outcome = account_test(account=row)
    assert not outcome.works
    assert "It is not used. The key can withdraw." in str(outcome)
    row.refresh_from_db()
    assert "can withdraw" in row.refused_reason


def test_where_a_key_may_be_used_from_is_told(sandbox: RunningSandbox) -> None:
    row = taken_for_real(account(sandbox, "binance"))
    assert "from any address. Better restrict it" in str(account_test(account=row))
    sandbox.permit(ip_restricted=True)
    assert "from some addresses only. Its clock" in str(account_test(account=row))


def test_a_key_that_may_only_look_does_not_work(sandbox: RunningSandbox) -> None:
    row = account(sandbox, "coinbase")
    sandbox.permit(can_trade=False)
    outcome = account_test(account=row)
    assert not outcome.works
    assert "cannot trade" in str(outcome)


def test_a_clock_that_is_off_is_told(sandbox: RunningSandbox) -> None:
    row = account(sandbox, "binance")
    sandbox.fault({"fault": "clock_skew", "venue": "binance", "skew": 5_000})
    assert "5.0 s ahead of ours" in str(account_test(account=row))


def test_a_wrong_key_says_what_to_look_at_and_no_secret(sandbox: RunningSandbox) -> None:
    row = account(sandbox, "binance")
    account_secret_set(account=row, api_key="wrong-key-0123456789", secret="NotToBeSeen")
    outcome = account_test(account=row)
    assert not outcome.works
    assert "key and secret are whole" in str(outcome)
    assert "NotToBeSeen" not in str(outcome)


def test_a_venue_that_is_not_there_is_told(sandbox: RunningSandbox) -> None:
    row = account(sandbox, "binance")
    account_update(account=row, name=row.name, rest="http://127.0.0.1:9", ws=row.ws, ws_api=row.ws_api)
    outcome = account_test(account=row)
    assert not outcome.works
    assert "could not be reached" in str(outcome)


def test_the_admin_and_the_wallets_page_test_it(sandbox: RunningSandbox, trader: Client) -> None:
    row = account(sandbox, "binance")
    change = f"/admin/wallets/exchangeaccount/{row.pk}/change/"
    assert "Test the connection" in trader.get(change).content.decode()
    told = trader.post(f"/admin/wallets/exchangeaccount/{row.pk}/test/", follow=True)
    assert "takes the key" in told.content.decode()
    wallet = used(row)
    page = f"/wallets/{wallet.wallet_id}/"
    assert "Test the connection" in trader.get(page).content.decode()
    assert "takes the key" in trader.post(f"{page}test/", follow=True).content.decode()


def test_who_may_only_look_tests_nothing(sandbox: RunningSandbox) -> None:
    row = account(sandbox, "binance")
    wallet = used(row)
    viewer = Client()
    viewer.force_login(User.objects.create_user("viewer"))
    assert "Test the connection" not in viewer.get(f"/wallets/{wallet.wallet_id}/").content.decode()
    assert viewer.post(f"/wallets/{wallet.wallet_id}/test/").status_code == 403
    row.refresh_from_db()
    assert row.checked_at is None


def test_a_paper_wallet_has_nothing_to_test(trader: Client) -> None:
    answer = trader.post(f"/wallets/{paper().wallet_id}/test/")
    assert answer.status_code == 409
    assert "is no exchange wallet" in answer.content.decode()


def test_every_hour_a_key_that_was_given_too_much_is_an_alert_once(sandbox: RunningSandbox) -> None:
    row = taken_for_real(account(sandbox, "coinbase"))
    used(row)
    accounts_check()
    assert not Event.objects.filter(type="alert").exists()
    sandbox.permit(can_withdraw=True)
    accounts_check()
    accounts_check()
    alert = Event.objects.get(type="alert")
    assert "can withdraw" in alert.payload["message"]


PLACES = [("binance", "flexible", "Simple Earn, flexible"), ("coinbase", "vault", "Vault")]


@pytest.mark.parametrize(("venue", "place", "name"), PLACES)
def test_what_no_order_can_use_is_told_and_kept_beside_the_balances(
    sandbox: RunningSandbox, trader: Client, venue: str, place: str, name: str
) -> None:
    row = account(sandbox, venue)
    wallet = used(row)
    (holder,) = sandbox.exchange(venue).accounts.values()
    spot = holder.balance("BTC").total
    holder.elsewhere[place, "BTC"] = Decimal("0.25")
    outcome = account_test(account=row)
    assert f"{decimal_text(spot)} BTC" in str(outcome)
    assert f"Beside that, where no order can use it: 0.25 BTC ({name})." in str(outcome)
    page = trader.get(f"/wallets/{wallet.wallet_id}/").content.decode()
    assert "Elsewhere at the venue" in page
    assert trader.get(f"/api/v1/wallets/{wallet.wallet_id}").json()["elsewhere"][0]["amount"] == "0.25"
    holder.elsewhere.clear()
    account_test(account=row)
    assert not row.elsewhere.exists()
    assert "Elsewhere at the venue" not in trader.get(f"/wallets/{wallet.wallet_id}/").content.decode()


def test_what_was_known_stays_where_the_venue_does_not_tell(sandbox: RunningSandbox) -> None:
    row = account(sandbox, "binance")
    (holder,) = sandbox.exchange("binance").accounts.values()
    holder.elsewhere["funding", "USDT"] = Decimal(70)
    account_test(account=row)
    sandbox.fault({"fault": "outage", "path": "*/simple-earn/*"})
    assert account_test(account=row).works
    assert [str(one) for one in row.elsewhere.all()] == ["70 USDT in Funding wallet"]
