"""Money at a venue that no order can use is no balance, and is told by itself."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from market.exchanges.base import Balance, HeldElsewhere
from tests.market.exchanges.canned import Answer
from tests.market.exchanges.test_rows import Venues, pair, venues

__all__ = ["venues"]
D = Decimal
NOT_ALLOWED = Answer({"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, 401)


numbers = count(1)


def account(asset: str, free: str, *, held: str = "0", **more: Any) -> dict[str, Any]:
    amounts = {"available_balance": {"value": free, "currency": asset}, "hold": {"value": held, "currency": asset}}
    return {"uuid": f"account-{next(numbers)}", "currency": asset, "name": f"{asset} Wallet", **amounts, **more}


async def test_a_vault_of_coinbase_is_no_balance(venues: Venues) -> None:
    """Which of two accounts of an asset came last decided what bots could sell."""
    exchange = await venues.connect("coinbase")
    rows = [
        account("BTC", "2", held="0.5", type="ACCOUNT_TYPE_CRYPTO", platform="ACCOUNT_PLATFORM_CONSUMER"),
        account("SOL", "3", type="CRYPTO"),
        account("BTC", "845.9", type="ACCOUNT_TYPE_VAULT"),
        account("USDC", "70", type="ACCOUNT_TYPE_CRYPTO", platform="ACCOUNT_PLATFORM_INTX"),
        account("EUR", "9", type="ACCOUNT_TYPE_OF_TOMORROW"),
        account("ETH", "0", type="ACCOUNT_TYPE_VAULT"),
        account("USD", "100"),
    ]
    venues.canned.answers["GET accounts"] = {"accounts": rows, "has_next": False}
    assert await exchange.balances() == [Balance("BTC", D(2), D("0.5")), Balance("SOL", D(3), D(0)), Balance("USD", D(100), D(0))]
    assert await exchange.elsewhere() == [
        HeldElsewhere("vault", "Vault", "BTC", D("845.9")),
        HeldElsewhere("futures", "Futures account", "USDC", D(70)),
        HeldElsewhere("other", "Account of an unknown kind", "EUR", D(9)),
    ]


async def test_two_accounts_of_one_asset_are_added_up(venues: Venues) -> None:
    exchange = await venues.connect("coinbase")
    venues.canned.answers["GET accounts"] = {"accounts": [account("BTC", "2", held="1"), account("BTC", "3")], "has_next": False}
    assert await exchange.balances() == [Balance("BTC", D(5), D(1))]


async def test_one_account_that_comes_twice_counts_once(venues: Venues) -> None:
    """As at the border of two pages."""
    exchange = await venues.connect("coinbase")
    row = account("BTC", "2", held="1")
    venues.canned.answers["GET accounts"] = {"accounts": [row, account("USD", "5"), row], "has_next": False}
    assert await exchange.balances() == [Balance("BTC", D(2), D(1)), Balance("USD", D(5), D(0))]


@pytest.fixture
def pairs(venues: Venues) -> None:
    venues.canned.answers["GET exchangeInfo"] = {"symbols": [pair("BTC"), pair("LDO")]}


@pytest.mark.usefixtures("pairs")
async def test_what_is_lent_out_in_simple_earn_is_no_balance(venues: Venues) -> None:
    """It grows from minute to minute, without any movement. LDO is a coin, and LDXYZ something that nobody here has heard of."""
    exchange = await venues.connect("binance")
    free = {"BTC": "2", "LDBTC": "7", "LDUSDT": "900", "LDO": "3", "LDXYZ": "1"}
    venues.canned.answers["GET api/v3/account"] = {
        "balances": [{"asset": asset, "free": amount, "locked": "0"} for asset, amount in free.items()]
    }
    assert [one.asset for one in await exchange.balances()] == ["BTC", "LDO", "LDXYZ"]


@pytest.mark.usefixtures("pairs")
async def test_funding_earn_and_sub_accounts_of_binance_are_told(venues: Venues) -> None:
    exchange = await venues.connect("binance")
    flexible = [{"asset": "USDT", "totalAmount": "75.46"} for _ in range(100)], [{"asset": "BTC", "totalAmount": "0.25"}]
    venues.canned.answers |= {
        "POST get-funding-asset": Answer(
            [
                {"asset": "USDT", "free": "1", "locked": "0", "freeze": "2", "withdrawing": "4"},
                {"asset": "ODD", "free": "x"},
                {"asset": "BTC", "free": "0", "locked": "0", "freeze": "0", "withdrawing": "0"},
            ]
        ),
        "GET flexible/position": [{"rows": rows, "total": 101} for rows in flexible],
        "GET locked/position": {"rows": [{"positionId": 123123, "asset": "AXS", "amount": "122.09202928"}], "total": 1},
        "GET spotSummary": {
            "totalCount": 1,
            "masterAccountTotalAsset": "0.2",
            "spotSubUserAssetBtcVoList": [{"email": "sub123@test.com", "totalAsset": "9.5"}],
        },
    }
    found = await exchange.elsewhere()
    assert found[0] == HeldElsewhere("funding", "Funding wallet", "USDT", D(7))
    assert found[1:101] == [HeldElsewhere("earn", "Simple Earn, flexible", "USDT", D("75.46"))] * 100
    assert found[101:] == [
        HeldElsewhere("earn", "Simple Earn, flexible", "BTC", D("0.25")),
        HeldElsewhere("earn", "Simple Earn, locked", "AXS", D("122.09202928")),
        HeldElsewhere("sub_account", "Sub-account sub123@test.com", "BTC", D("9.5")),
    ]


@pytest.mark.usefixtures("pairs")
async def test_what_a_key_may_not_look_at_is_left_out(venues: Venues) -> None:
    exchange = await venues.connect("binance")
    venues.canned.answers |= {
        **dict.fromkeys(("POST get-funding-asset", "GET locked/position", "GET spotSummary"), NOT_ALLOWED),
        "GET flexible/position": {"rows": [{"asset": "BTC", "totalAmount": "0.25"}], "total": 1},
    }
    assert [one.asset for one in await exchange.elsewhere()] == ["BTC"]
