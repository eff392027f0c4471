"""Exchange accounts: what may be entered, which keys are used, and that a secret stays where it was put."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
from django.core import serializers
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection

from config.settings import encryption_keys
from core.errors import Conflict, Invalid
from operations.diagnosis import check_books, check_secrets
from tests.wallets.making import API_KEY, SECRET, account, allowed, fill, rich
from wallets import selectors, services
from wallets.models import ExchangeAccount, WalletBalance
from wallets.secrets import SecretBox, SecretUnreadable

pytestmark = pytest.mark.django_db
ONE, TWO = b"1" * 32, b"2" * 32


@pytest.fixture(autouse=True)
def keys(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = {"one": ONE}


def stored(row: ExchangeAccount) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM wallets_exchangeaccount WHERE id = %s", [row.pk])
        return bytes(cursor.fetchone()[0])


def fresh(row: ExchangeAccount) -> ExchangeAccount:
    return ExchangeAccount.objects.get(pk=row.pk)


# ---------------------------------------------------------------- secrets


def test_a_secret_is_sealed_and_opens_for_the_venue_only() -> None:
    row = account(rest="http://127.0.0.1:9000", ws="ws://127.0.0.1:9000/ws")
    assert SECRET.encode() not in stored(row)
    reached = services.account_endpoint(fresh(row))
    assert (reached.api_key, reached.api_secret, reached.environment, reached.account) == (API_KEY, SECRET, "sandbox", str(row.pk))
    assert (reached.rest, reached.ws, reached.ws_user) == ("http://127.0.0.1:9000", "ws://127.0.0.1:9000/ws", "")


def test_the_same_secret_is_never_sealed_twice_alike() -> None:
    assert stored(account()) != stored(account())


def test_the_line_ends_of_a_downloaded_key_are_made_rich() -> None:
    row = account(venue="coinbase", secret="-----BEGIN EC PRIVATE KEY-----\\nabc\\n-----END EC PRIVATE KEY-----\\n")
    assert services.account_endpoint(row).api_secret.splitlines()[1] == "abc"


def test_a_secret_shows_in_no_text_about_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        row = account()
        reached = services.account_endpoint(row)
        services.account_check(account=row, permissions=allowed())
    shown = [repr(row), str(row), repr(reached), str(vars(row)), serializers.serialize("json", [row]), caplog.text]
    assert not [text for text in shown if SECRET in text]
    assert API_KEY not in repr(reached) + repr(row)
    assert row.masked_key == f"vmPU…{API_KEY[-4:]}"


def test_a_secret_moved_to_another_row_does_not_open() -> None:
    mine, theirs = account(), account(secret="another")
    ExchangeAccount.objects.filter(pk=theirs.pk).update(secret=stored(mine))
    with pytest.raises(SecretUnreadable) as refused:
        services.account_endpoint(fresh(theirs))
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("keys_now", "words"),
    [({"one": TWO}, "is another one"), ({"two": ONE}, "'one', not in ENCRYPTION_KEYS"), ({"two": TWO}, "'one'")],
)
def test_with_the_wrong_keys_nothing_opens_and_the_doctor_says_so(settings: Any, keys_now: dict[str, bytes], words: str) -> None:
    row = account()
    settings.ENCRYPTION_KEYS = keys_now
    with pytest.raises(SecretUnreadable, match=words):
        services.account_endpoint(fresh(row))
    told = check_secrets()
    assert (told.state, row.name in told.detail) == ("down", True)
    assert words in told.remedy


@pytest.mark.parametrize(
    "harm", [b"", b"v1", b"v1:one:", b"v1:one:short", b"v2:one:" + b"x" * 40, SECRET.encode(), b"\xff:\xff:\xff"]
)
def test_what_is_no_sealed_secret_does_not_open(harm: bytes) -> None:
    with pytest.raises(SecretUnreadable):
        SecretBox({"one": ONE}).open(harm, "t:1:secret")


def test_one_changed_byte_is_found() -> None:
    box = SecretBox({"one": ONE})
    sealed = bytearray(box.seal(SECRET, "t:1:secret"))
    sealed[-3] ^= 1
    with pytest.raises(SecretUnreadable):
        box.open(bytes(sealed), "t:1:secret")


def test_keys_are_rotated_by_the_command_and_the_old_one_may_go(settings: Any) -> None:
    rows = [account(), account()]
    services.account_create(name="without", venue="binance", environment="sandbox")
    settings.ENCRYPTION_KEYS = {"two": TWO, "one": ONE}
    out = io.StringIO()
    call_command("rotate_keys", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"sealed_anew": 2}
    settings.ENCRYPTION_KEYS = {"two": TWO}
    assert [services.account_endpoint(fresh(row)).api_secret for row in rows] == [SECRET, SECRET]
    assert check_secrets().state == "up"
    assert services.secrets_rotate() == 0


def test_a_rotation_that_meets_an_unreadable_secret_changes_none(settings: Any) -> None:
    good = account()
    settings.ENCRYPTION_KEYS = {"lost": TWO}
    account()
    settings.ENCRYPTION_KEYS = {"new": b"3" * 32, "one": ONE}
    before = stored(good)
    with pytest.raises(SecretUnreadable):
        services.secrets_rotate()
    assert stored(good) == before


GOOD = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


@pytest.mark.parametrize(
    "value", ["nonsense", "k1:", "k1:c2hvcnQ=", f"k 1:{GOOD}", f":{GOOD}", f"k1:{GOOD},k1:{GOOD}", f"k1:{GOOD},", f"k1:{GOOD[:-1]}"]
)
def test_wrong_keys_stop_the_start_by_name_and_are_not_repeated(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", value)
    with pytest.raises(ImproperlyConfigured, match="ENCRYPTION_KEYS") as refused:
        encryption_keys()
    assert not [part for part in (GOOD[:8], "c2hv", "nonsense") if part in str(refused.value)]


def test_keys_are_read_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEYS", f"new:{GOOD}, old:{GOOD.replace('A', '_', 2)}")
    assert list(encryption_keys()) == ["new", "old"]


def test_without_keys_one_is_made_and_kept_for_the_owner_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.delenv("ENCRYPTION_KEYS", raising=False)
    monkeypatch.setattr("config.settings.VAR", tmp_path / "var")
    made = encryption_keys()
    assert [len(key) for key in made.values()] == [32]
    assert encryption_keys() == made
    assert (tmp_path / "var" / "encryption_keys").stat().st_mode & 0o777 == 0o600


# ---------------------------------------------------------------- which keys are used


@pytest.mark.parametrize("environment", ["testnet", "live"])
def test_a_key_that_can_withdraw_is_refused_beyond_the_sandbox(environment: str) -> None:
    row = services.account_check(account=account(environment=environment), permissions=allowed(can_withdraw=True))
    assert "can withdraw" in fresh(row).refused_reason
    with pytest.raises(Conflict, match="can withdraw"):
        services.account_endpoint(fresh(row))
    assert services.account_endpoint(fresh(row), for_check=True).api_secret == SECRET
    services.account_check(account=row, permissions=allowed(ip_restricted=True))
    assert services.account_endpoint(fresh(row)).api_secret == SECRET
    assert selectors.permission_words(fresh(row)) == "read, trade; from some addresses only"


def test_in_the_sandbox_it_is_not() -> None:
    row = services.account_check(account=account(), permissions=allowed(can_withdraw=True))
    assert fresh(row).refused_reason == ""


def test_a_live_key_that_was_never_checked_is_not_used() -> None:
    with pytest.raises(Conflict, match="never checked"):
        services.account_endpoint(account(environment="live"))


def test_an_account_without_a_key_is_not_used() -> None:
    row = services.account_create(name="empty", venue="binance", environment="sandbox")
    with pytest.raises(Conflict, match="no key yet"):
        services.account_endpoint(row, for_check=True)


def test_another_key_and_another_address_have_to_be_checked_anew() -> None:
    row = services.account_check(account=account(environment="live"), permissions=allowed())
    services.account_update(account=row, name="renamed")
    assert services.account_endpoint(fresh(row)).api_key == API_KEY
    services.account_update(account=row, name="renamed", rest="https://api.example.org", secret="again")
    with pytest.raises(Conflict, match="never checked"):
        services.account_endpoint(fresh(row))
    services.account_check(account=row, permissions=allowed())
    services.account_secret_set(account=row, api_key="another", secret="another")
    with pytest.raises(Conflict, match="never checked"):
        services.account_endpoint(fresh(row))


@pytest.mark.parametrize("environment", ["live", "testnet"])
@pytest.mark.parametrize("field", services.ADDRESSES)
def test_no_other_address_gets_what_a_key_signs_without_its_secret(environment: str, field: str) -> None:
    row = account(environment=environment)
    elsewhere: dict[str, Any] = {field: f"{services.ADDRESSES[field][0]}://api.example.org"}
    with pytest.raises(Invalid) as refused:
        services.account_update(account=row, name=row.name, **elsewhere)
    assert list(refused.value.fields) == ["secret"]
    assert getattr(fresh(row), field) == ""
    services.account_update(account=row, name="renamed")  # a name is no address
    assert fresh(row).name == "renamed"


def test_what_the_venue_said_of_a_key_does_not_count_for_the_one_put_in_its_place_meanwhile() -> None:
    asked = account(environment="live")
    services.account_secret_set(account=fresh(asked), api_key="withdraws", secret="another")
    with pytest.raises(Conflict, match="changed while"):
        services.account_check(account=asked, permissions=allowed())
    assert fresh(asked).checked_at is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "taken"}, "name"),
        ({"venue": "binanse"}, "venue"),
        ({"environment": "prod"}, "environment"),
        ({"rest": "ftp://127.0.0.1"}, "rest"),
        ({"rest": "http://[::1"}, "rest"),
        ({"rest": "http://user:pass@host"}, "rest"),
        ({"ws": "https://host"}, "ws"),
        ({"ws_api": "wss://"}, "ws_api"),
        ({"environment": "live", "rest": "http://host"}, "rest"),
        ({"environment": "live", "ws_user": "ws://host"}, "ws_user"),
        ({"shoe": "http://host"}, "shoe"),
        ({"secret": ""}, "secret"),
        ({"secret": "x" * 4_001}, "secret"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": "x" * 201}, "api_key"),
    ],
)
def test_a_bad_account_is_refused_by_name_and_leaves_nothing(change: dict[str, str], field: str) -> None:
    services.account_create(name="taken", venue="binance", environment="sandbox")
    with pytest.raises(Invalid) as refused:
        account(**change)
    assert field in refused.value.fields
    assert SECRET not in str(refused.value.fields)
    assert ExchangeAccount.objects.count() == 1


# ---------------------------------------------------------------- wallets


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "taken"}, "name"),
        ({"kind": "real"}, "kind"),
        ({"quote": "US DT"}, "quote"),
        ({"quote": ""}, "quote"),
        ({"venue": "no venue!"}, "venue"),
        ({"opening": {"USDT": "0"}}, "opening.USDT"),
        ({"opening": {"USDT": "nan"}}, "opening.USDT"),
        ({"opening": {"USDT": "1e18"}}, "opening.USDT"),
        ({"opening": {"$": "1"}}, "opening.$"),
        ({"opening": [1]}, "opening"),
        ({"maker": "0.5"}, "maker"),
        ({"taker": "free"}, "taker"),
        ({"account": "theirs"}, "account"),
        ({"kind": "exchange"}, "account"),
        ({"kind": "exchange", "account": "used"}, "account"),
        ({"kind": "exchange", "account": "theirs", "opening": {"USDT": "5"}}, "opening"),
        ({"kind": "exchange", "account": "theirs", "taker": "0.001"}, "taker"),
    ],
)
def test_a_bad_wallet_is_refused_by_name(change: dict[str, Any], field: str) -> None:
    accounts = {"theirs": account(), "used": account()}
    services.wallet_create(name="taken", kind="exchange", quote="USDT", account=accounts["used"])
    given: dict[str, Any] = {"name": "new", "kind": "paper", "quote": "USDT", "venue": "binance", **change}
    given["account"] = accounts.get(given.get("account", ""))
    with pytest.raises(Invalid) as refused:
        services.wallet_create(**given)
    assert field in refused.value.fields


def test_a_wallet_that_is_archived_makes_room_for_another_on_its_account() -> None:
    row = account()
    old = services.wallet_create(name="old", kind="exchange", quote="USDT", account=row)
    services.wallet_archive(wallet=old)
    services.wallet_create(name="new", kind="exchange", quote="USDT", account=row)
    with pytest.raises(Conflict, match="another wallet"):
        services.wallet_archive(wallet=old, archived=False)
    assert [wallet.name for wallet in selectors.wallets_list()] == ["new"]


def test_the_doctor_finds_a_balance_that_is_not_its_sum() -> None:
    wallet = rich()
    fill(wallet, 1)
    assert check_books().state == "up"
    WalletBalance.objects.filter(wallet=wallet, asset="BTC").update(amount=9)
    told = check_books()
    assert (told.state, f"BTC of {wallet.name}" in told.detail) == ("down", True)
