"""Rows of movements as the venues document them and others have met them: old fields, two forms of time, fees in and on top."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from market.exchanges.binance.movements import (
    parse_deposit,
    parse_dividend,
    parse_dust,
    parse_rebate,
    parse_transfer,
    parse_withdrawal,
)
from market.exchanges.coinbase.movements import join_legs, parse_transaction
from market.exchanges.movements import MovementLeg
from market.exchanges.parsing import Malformed

D = Decimal
DEPOSIT: dict[str, Any] = {
    "id": "769800519366885376",
    "amount": "0.001",
    "coin": "BNB",
    "network": "BNB",
    "status": 1,
    "address": "bnb136ns6lfw4zs5hg4n85vdthaad7hq5m4gtkgf23",
    "addressTag": "101764890",
    "txId": "98A3EA560C6B3336D348B6C83F0F95ECE4F1F5919E94BD006E5BF3BF264FACFC",
    "insertTime": 1661493146000,
    "completeTime": 1661493206000,
    "transferType": 0,
    "walletType": 0,
}
WITHDRAWAL: dict[str, Any] = {
    "id": "b6ae22b3aa844210a7041aee7589627c",
    "amount": "8.91000000",
    "transactionFee": "0.004",
    "coin": "USDT",
    "status": 6,
    "address": "0x94df8b352de7f46f64b01d3666bf6e936e44ce60",
    "txId": "0xb5ef8c13b968a406cc62a93a8bd80f9e9a906ef1b3fcf20a2e48573c17659268",
    "applyTime": "2019-10-12 11:12:02",
    "network": "ETH",
}
SEND: dict[str, Any] = {
    "id": "57ffb4ae-0c59-5430-bcd3-3f98f797a66c",
    "type": "send",
    "status": "completed",
    "amount": {"amount": "-0.00105000", "currency": "BTC"},
    "created_at": "2015-03-11T13:13:35-07:00",
    "network": {"status": "confirmed", "hash": "463397c8", "transaction_fee": {"amount": "0.00005", "currency": "BTC"}},
    "to": {"resource": "bitcoin_address", "address": "1AUJ8z5RuHRTqD1eikyfUUetzGmdWLGkpT"},
}


def test_a_deposit_has_its_tag_in_its_address_and_counts_from_when_it_was_credited() -> None:
    one = parse_deposit(DEPOSIT)
    assert one.address == "bnb136ns6lfw4zs5hg4n85vdthaad7hq5m4gtkgf23:101764890"
    assert (one.time, one.moved_at) == (datetime(2022, 8, 26, 5, 52, 26, tzinfo=UTC), datetime(2022, 8, 26, 5, 53, 26, tzinfo=UTC))
    old = {name: value for name, value in DEPOSIT.items() if name not in ("completeTime", "walletType", "addressTag")}
    assert (parse_deposit(old).moved_at, parse_deposit(old).elsewhere) == (None, "")
    assert parse_deposit({**DEPOSIT, "status": 0}).moved_at is None


def test_a_withdrawals_time_without_a_zone_is_utc_and_its_fee_is_on_top() -> None:
    one = parse_withdrawal(WITHDRAWAL)
    assert one.time == one.moved_at == datetime(2019, 10, 12, 11, 12, 2, tzinfo=UTC)
    assert (one.legs, one.fee, one.fee_asset) == ((MovementLeg("USDT", D("-8.91")),), D("0.004"), "USDT")
    bare = {name: WITHDRAWAL[name] for name in ("id", "amount", "coin", "status", "applyTime")}
    assert (parse_withdrawal(bare).network, parse_withdrawal(bare).fee, parse_withdrawal(bare).txid) == ("", D(0), "")


def test_a_transfer_between_users_has_a_sentence_in_place_of_a_transaction() -> None:
    assert parse_withdrawal({**WITHDRAWAL, "txId": "Off-chain transfer 94214571921"}).txid == "Off-chain transfer 94214571921"


@pytest.mark.parametrize("when", [1615985535000, "2018-05-03 17:07:04"])
def test_dust_has_its_time_in_its_parts_where_it_has_none_of_its_own(when: object) -> None:
    part = {"amount": "0.0009", "fromAsset": "USDT", "operateTime": when}
    row = {"transId": 45178372831, "totalTransferedAmount": "0.00132256", "totalServiceChargeAmount": "0.00002699"}
    one = parse_dust({**row, "userAssetDribbletDetails": [part, {**part, "fromAsset": "ETH"}]})
    assert one.time.year in (2018, 2021)
    assert one.legs[-1] == MovementLeg("BNB", D("0.00134955"))
    assert (one.reference, one.fee, len(one.legs)) == ("dust:45178372831", D("0.00002699"), 3)


def test_a_transfer_goes_by_its_type_and_a_dividend_by_its_direction() -> None:
    transfer = {"asset": "USDT", "amount": "1", "type": "MAIN_UMFUTURE", "status": "CONFIRMED", "tranId": 11415955596}
    assert parse_transfer({**transfer, "timestamp": 1544433328000}).legs[0].amount == -1
    assert parse_transfer({**transfer, "timestamp": 1544433328000, "type": "UMFUTURE_MAIN"}).legs[0].amount == 1
    paid = {"id": 1637366104, "amount": "10", "asset": "BHFT", "divTime": 1563189166000, "enInfo": "BHFT distribution"}
    assert (parse_dividend(paid).kind, parse_dividend(paid).words) == ("reward", "BHFT distribution")
    assert parse_dividend({**paid, "direction": -1}).kind == "other"


def test_a_rebate_is_known_by_what_it_says() -> None:
    row = {"asset": "USDT", "type": 1, "amount": "0.0001126", "updateTime": 1637651320000}
    assert parse_rebate(row).reference == "rebate:1637651320000:USDT:1:0.0001126"


def test_coinbase_has_the_networks_fee_in_its_amount() -> None:
    one = parse_transaction(SEND)
    assert (one.kind, one.legs[0].amount, one.fee, one.fee_asset) == ("withdrawal", D("-0.001"), D("0.00005"), "BTC")
    assert one.time == datetime(2015, 3, 11, 20, 13, 35, tzinfo=UTC)
    assert (one.txid, one.address) == ("463397c8", "1AUJ8z5RuHRTqD1eikyfUUetzGmdWLGkpT")
    other = parse_transaction({**SEND, "network": {"transaction_fee": {"amount": "1", "currency": "ETH"}}})
    assert (other.legs[0].amount, other.fee) == (D("-0.00105"), D(0))


def test_coinbase_sends_to_people_and_without_a_chain() -> None:
    one = parse_transaction({**SEND, "network": None, "to": {"resource": "email", "email": "ada@example.org"}})
    assert (one.address, one.network, one.txid, one.fee) == ("ada@example.org", "", "", D(0))
    back = parse_transaction({**SEND, "amount": {"amount": "0.5", "currency": "BTC"}, "from": {"resource": "bitcoin_network"}})
    assert (back.kind, back.moved_at) == ("deposit", None)


def test_only_legs_of_one_trade_are_joined_and_each_once() -> None:
    def leg(number: int, asset: str, amount: str, trade: str = "t1") -> Any:
        money = {"amount": amount, "currency": asset}
        return parse_transaction({**SEND, "id": f"row {number}", "type": "trade", "amount": money, "trade": {"id": trade}})

    rows = [leg(1, "BTC", "-1"), leg(2, "ETH", "20"), leg(1, "BTC", "-1"), leg(3, "BTC", "-2", "t2"), leg(4, "SOL", "7", "t2")]
    joined = {one.reference: [(part.asset, part.amount) for part in one.legs] for one in join_legs(rows)}  # type: ignore[union-attr]
    assert joined == {"trade:t1": [("BTC", D(-1)), ("ETH", D(20))], "trade:t2": [("BTC", D(-2)), ("SOL", D(7))]}


@pytest.mark.parametrize(
    "change", [{"amount": "0"}, {"amount": "-1"}, {"amount": 0.12345678901234567}, {"insertTime": "soon"}, {"id": None}]
)
def test_a_deposit_that_cannot_be_is_not_read(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        parse_deposit({**DEPOSIT, **change})
