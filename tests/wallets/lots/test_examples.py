"""Worked examples: published ones, each with its source, and others that were computed by hand and say so."""

from __future__ import annotations

import pytest

from tests.wallets.lots.making import DAY, figures, keep, moment, move, open_figures, rule, told, trade

# ---------------------------------------------------------------- published


def test_a_pool_of_the_tax_authority_of_the_united_kingdom() -> None:
    """HM Revenue & Customs, Cryptoassets Manual, CRYPTO22251: "example 1 - basic section 104 pool disposal" (Victoria)."""
    bought = [trade(moment("2020-01-01"), "+100 A", "-1000 GBP"), trade(moment("2020-09-18"), "+50 A", "-125000 GBP")]
    sold = trade(moment("2020-12-01"), "-50 A", "+300000 GBP")
    inventory, disposals = keep([*bought, sold], rule("average"), currency="GBP")
    assert [figures(one) for one in disposals] == [("50", "300000", "42000", "258000")]
    assert sum(lot.basis or 0 for *_, lot in inventory.store.list_lots()) == 84_000 * 10**18
    (last,) = inventory.apply(trade(moment("2021-01-01"), "-50 A", "+1 GBP"))[:1]
    assert last.basis == 42_000 * 10**18


@pytest.mark.parametrize(
    ("method", "basis", "gain"), [("lifo", "8000", "-4000"), ("fifo", "2000", "2000"), ("hifo", "8000", "-4000")]
)
def test_three_methods_by_recap(method: str, basis: str, gain: str) -> None:
    """Recap, US tax guide for individuals, "Cost Basis Methods" (Dave)."""
    bought = [
        trade(moment("2017-09-22"), "+1 BTC", "-2000 USD"),
        trade(moment("2018-01-06"), "+2 BTC", "-5000 USD"),
        trade(moment("2018-04-19"), "+1 BTC", "-8000 USD"),
    ]
    _, disposals = keep([*bought, trade(moment("2018-05-03"), "-1 BTC", "+4000 USD")], rule(method))
    assert [figures(one) for one in disposals] == [("1", "4000", basis, gain)]


@pytest.mark.parametrize(("method", "basis"), [("fifo", 31_000), ("lifo", 42_000), ("hifo", 45_000)])
def test_three_methods_by_accointing(method: str, basis: int) -> None:
    """Accointing, "Crypto cost basis": five coins bought in five months of 2021, three sold for 20,000 each."""
    months = [(1, 10_000), (2, 12_000), (3, 9_000), (4, 15_000), (5, 18_000)]
    bought = [trade(moment(f"2021-0{month}-01"), "+1 BTC", f"-{price} USD") for month, price in months]
    _, disposals = keep([*bought, trade(moment("2021-09-01"), "-3 BTC", "+60000 USD")], rule(method))
    assert sum(one.basis or 0 for one in disposals) == basis * 10**18
    assert sum(one.gain or 0 for one in disposals) == (60_000 - basis) * 10**18


# ---------------------------------------------------------------- computed by hand


def test_a_fee_adds_to_what_was_bought_and_lessens_what_it_was_sold_for() -> None:
    bought, sold = trade(DAY, "+2 BTC", "-2000 USD", fee="10 USD"), trade(2 * DAY, "-1 BTC", "+1500 USD", fee="5 USD")
    inventory, disposals = keep([bought, sold])
    assert [figures(one) for one in disposals] == [("1", "1495", "1005", "490")]
    assert open_figures(inventory) == [("1", "1 BTC", "1005")]


def test_a_fee_in_the_coin_itself_makes_the_lot_smaller_and_the_sale_larger() -> None:
    bought, sold = trade(DAY, "+2 BTC", "-2000 USD", fee="0.4 BTC"), trade(2 * DAY, "-1 BTC", "+1500 USD", fee="0.2 BTC")
    inventory, disposals = keep([bought, sold])
    assert [figures(one) for one in disposals] == [("1.2", "1500", "1500", "0")]
    assert open_figures(inventory) == [("1", "0.4 BTC", "500")]


def test_a_fee_in_a_third_asset_is_a_disposal_of_that_one() -> None:
    changes = [trade(DAY, "+10 BNB", "-1000 USD"), trade(2 * DAY, "+1 BTC", "-5000 USD", fee="0.5 BNB")]
    inventory, disposals = keep(changes, prices={"BNB": "300"})
    assert [(one.kind, *figures(one)) for one in disposals] == [("fee", "0.5", "150", "50", "100")]
    assert open_figures(inventory) == [("1", "1 BTC", "5150"), ("1", "9.5 BNB", "950")]


def test_a_rebate_in_a_third_asset_is_a_lot_that_makes_the_trade_cheaper() -> None:
    inventory, disposals = keep([trade(DAY, "+1 BTC", "-5000 USD", fee="-0.01 BNB")], prices={"BNB": "300"})
    assert disposals == []
    assert open_figures(inventory) == [("1", "0.01 BNB", "3"), ("1", "1 BTC", "4997")]


def test_a_rebate_of_as_much_as_was_sold_leaves_a_sale_and_a_lot() -> None:
    changes = [trade(DAY, "+2 ETH", "-4000 USD"), trade(2 * DAY, "-1 ETH", "+0.1 BTC", fee="-1 ETH")]
    inventory, disposals = keep(changes, prices={"BTC": "20000", "ETH": "2000"})
    assert [figures(one) for one in disposals] == [("1", "4000", "2000", "2000")]
    assert sorted(open_figures(inventory)) == [("1", "0.1 BTC", "2000"), ("1", "1 ETH", "2000"), ("1", "1 ETH", "2000")]


def test_one_coin_for_another_is_a_sale_and_a_purchase_at_the_same_value() -> None:
    changes = [trade(DAY, "+1 BTC", "-20000 USD"), trade(2 * DAY, "+10 ETH", "-0.6 BTC")]
    inventory, disposals = keep(changes, prices={"BTC": "40000", "ETH": "2390"})
    assert [figures(one) for one in disposals] == [("0.6", "24000", "12000", "12000")]
    assert open_figures(inventory) == [("1", "0.4 BTC", "8000"), ("1", "10 ETH", "24000")]


def test_tether_is_no_dollar() -> None:
    changes = [trade(DAY, "+1000 USDT", "-1000 USD"), trade(2 * DAY, "+0.01 BTC", "-500 USDT")]
    inventory, disposals = keep(changes, prices={"USDT": "1.02"})
    assert [figures(one) for one in disposals] == [("500", "510", "500", "10")]
    assert open_figures(inventory) == [("1", "0.01 BTC", "510"), ("1", "500 USDT", "500")]


def test_a_transfer_between_own_wallets_keeps_cost_and_date_and_its_fee_is_a_disposal() -> None:
    bought = trade(DAY, "+1 BTC", "-20000 USD")
    sent = move(2 * DAY, "-0.9 BTC", kind="withdrawal", fee="0.1 BTC", link="tx")
    came = move(3 * DAY, "+0.9 BTC", wallet=2, link="tx")
    inventory, disposals = keep([bought, sent], prices={"BTC": "30000"})
    assert open_figures(inventory) == [("tx", "0.9 BTC", "18000")]
    assert [(one.kind, *figures(one)) for one in disposals] == [("fee", "0.1", "3000", "2000", "1000")]
    assert inventory.apply(came) == []
    assert open_figures(inventory) == [("2", "0.9 BTC", "18000")]
    assert [lot.acquired for *_, lot in inventory.store.list_lots()] == [DAY]
    assert (inventory.totals.put_in, inventory.totals.costs) == (0, 3000 * 10**18)


def test_the_cost_of_a_deposit_is_unknown_until_a_person_tells_it() -> None:
    deposit, sale = move(DAY, "+2 BTC"), trade(2 * DAY, "-1 BTC", "+30000 USD")
    _, disposals = keep([deposit, sale])
    assert [figures(one) for one in disposals] == [("1", "30000", "?", "?")]
    _, disposals = keep([deposit, sale], costs=[told(deposit, 5000, -DAY)])
    assert [(figures(one), one.acquired) for one in disposals] == [(("1", "30000", "2500", "27500"), -DAY)]


@pytest.mark.parametrize("method", ["hifo", "average"])
def test_lots_of_unknown_cost_come_last_where_the_order_is_by_cost(method: str) -> None:
    changes = [move(DAY, "+1 BTC"), trade(2 * DAY, "+1 BTC", "-100 USD"), trade(3 * DAY, "-1.5 BTC", "+300 USD")]
    _, disposals = keep(changes, rule(method))
    assert [figures(one) for one in disposals] == [("1", "200", "100", "100"), ("0.5", "100", "?", "?")]


def test_without_a_price_nothing_is_taken_for_free() -> None:
    changes = [trade(DAY, "+1 BTC", "-10000 USD", fee="1 BNB"), trade(2 * DAY, "+5 ETH", "-0.5 BTC")]
    inventory, disposals = keep(changes)
    assert open_figures(inventory) == [("1", "0.5 BTC", "?"), ("1", "5 ETH", "?")]
    assert [figures(one) for one in disposals] == [("0.5", "?", "?", "?")]
    assert [(place, one.quantity) for place, one in inventory.store.list_shortages()] == [((1, "BNB"), 10**18)]


def test_a_sale_of_more_than_there_is_is_short_and_the_next_purchase_covers_it() -> None:
    inventory, disposals = keep([trade(DAY, "+1 BTC", "-10 USD"), trade(2 * DAY, "-3 BTC", "+60 USD")])
    assert [figures(one) for one in disposals] == [("1", "20", "10", "10")]
    ((place, shortage),) = inventory.store.list_shortages()
    assert (place, shortage.quantity) == ((1, "BTC"), 2 * 10**18)
    (covered,) = inventory.apply(trade(3 * DAY, "+5 BTC", "-75 USD"))
    assert (figures(covered), covered.covered, covered.disposed) == (("2", "40", "30", "10"), True, 2 * DAY)
    assert open_figures(inventory) == [("1", "3 BTC", "45")]
    assert not list(inventory.store.list_shortages())


def test_rewards_are_income_at_their_value() -> None:
    inventory, _ = keep([move(DAY, fee="-0.1 ETH", kind="reward")], prices={"ETH": "2000"})
    assert open_figures(inventory) == [("1", "0.1 ETH", "200")]
    assert inventory.totals.income == 200 * 10**18


def test_a_sweep_of_dust_is_a_sale_of_each_asset_at_its_share() -> None:
    changes = [
        trade(DAY, "+1 A", "-1 USD"),
        trade(DAY, "+2 B", "-1 USD"),
        trade(2 * DAY, "-1 A", "-2 B", "+0.04 BNB", fee="0.01 BNB"),
    ]
    inventory, disposals = keep(changes, prices={"A": "3", "B": "3", "BNB": "300"})
    assert [(one.asset, one.kind, *figures(one)) for one in disposals] == [
        ("A", "sale", "1", "3", "1", "2"),
        ("B", "sale", "2", "6", "1", "5"),
        ("BNB", "fee", "0.01", "3", "3", "0"),
    ]
    assert open_figures(inventory) == [("1", "0.03 BNB", "9")]


def test_a_scope_of_all_wallets_sells_what_another_one_bought() -> None:
    bought, dearer = trade(DAY, "+1 BTC", "-10 USD", wallet=2), trade(2 * DAY, "+1 BTC", "-20 USD")
    sold = trade(3 * DAY, "-1 BTC", "+50 USD")
    assert [figures(one)[2] for one in keep([bought, dearer, sold], rule("fifo", "all"))[1]] == ["10"]
    assert [figures(one)[2] for one in keep([bought, dearer, sold], rule("fifo", "wallet"))[1]] == ["20"]


def test_from_one_pool_to_one_a_wallet_the_oldest_lots_go_to_the_first_wallet() -> None:
    changes = [
        trade(DAY, "+1 BTC", "-10 USD", wallet=2),
        trade(2 * DAY, "+1 BTC", "-20 USD", wallet=1),
        trade(9 * DAY, "+1 ETH", "-5 USD", wallet=1),
    ]
    inventory, _ = keep(changes, rule("fifo", "all"), rule("fifo", "wallet", since=5 * DAY))
    assert open_figures(inventory) == [("1", "1 BTC", "10"), ("1", "1 ETH", "5"), ("2", "1 BTC", "20")]


def test_into_one_pool_the_lots_of_one_wallet_cover_what_another_is_short_of() -> None:
    changes = [
        trade(DAY, "-1 BTC", "+50 USD", wallet=1),
        trade(2 * DAY, "+2 BTC", "-20 USD", wallet=1),
        trade(3 * DAY, "-1 BTC", "+60 USD", wallet=2),
        trade(9 * DAY, "+1 ETH", "-5 USD", wallet=1),
    ]
    inventory, disposals = keep(changes, rule("fifo", "all", since=5 * DAY))
    assert [(figures(one), one.wallet, one.covered) for one in disposals] == [
        (("1", "50", "10", "40"), 1, True),
        (("1", "60", "10", "50"), 2, True),
    ]
    assert open_figures(inventory) == [("0", "1 ETH", "5")]
