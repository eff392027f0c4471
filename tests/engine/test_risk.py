"""Risk checks: each rule denies what it is meant for, with its reason, and lets a sound order through."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.risk import REASONS, Moment, Proposal, RiskLimits, check_proposal
from engine.transitions import LEGAL, OVER, advance_status, may_advance
from engine.types import Rules

BUY = Proposal("BTC-USDT", "buy", Decimal("0.5"), None)
SELL = replace(BUY, side="sell")
NOW = Moment(last_price=Decimal(100), price_age=1.0, rules=Rules(min_notional=10.0))


NO_LIMITS = RiskLimits()


def reason(proposal: Proposal = BUY, moment: Moment = NOW, limits: RiskLimits = NO_LIMITS) -> str:
    denial = check_proposal(proposal, moment, limits)
    if denial:
        assert denial.reason in REASONS
        assert denial.detail
    return denial.reason if denial else ""


def test_a_sound_order_passes() -> None:
    assert reason() == reason(SELL) == ""


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        ({"killed": True}, "kill_switch"),
        ({"tradable": False}, "not_tradable"),
        ({"drift": "5 BTC at the venue are not in the books."}, "drift"),
        ({"last_price": None}, "stale_price"),
        ({"price_age": None}, "stale_price"),
        ({"price_age": 31.0}, "stale_price"),
        ({"rules": Rules(min_notional=51.0)}, "below_min_notional"),
        ({"rules": Rules(min_quantity=0.6)}, "below_lot_size"),
        ({"rules": Rules(max_quantity=0.4)}, "above_maximum"),
        ({"rules": Rules(takes_market=False)}, "no_market_orders"),
        ({"rules": Rules(max_position=1.0), "base_owned": Decimal("0.6")}, "max_position"),
        ({"entries_allowed": False}, "bot_not_running"),
        ({"open_orders": 100}, "open_orders"),
        ({"orders_last_minute": 60}, "order_rate"),
    ],
)
def test_what_is_known_of_the_moment_denies(moment: dict[str, object], wanted: str) -> None:
    assert reason(moment=replace(NOW, **moment)) == wanted  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("limits", "moment", "wanted"),
    [
        ({"daily_loss": Decimal(5)}, {"loss_today": Decimal(5)}, "daily_loss"),
        ({"daily_loss": Decimal(5)}, {"loss_today": Decimal("4.99")}, ""),
        ({"symbol_exposure": Decimal(60)}, {"exposure": Decimal(11)}, "symbol_exposure"),
        ({"symbol_exposure": Decimal(60)}, {"exposure": Decimal(10)}, ""),
    ],
)
def test_the_bots_own_limits_deny(limits: dict[str, object], moment: dict[str, object], wanted: str) -> None:
    assert reason(moment=replace(NOW, **moment), limits=RiskLimits(**limits)) == wanted  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("side", "price", "denied"), [("buy", 111, True), ("buy", 50, False), ("sell", 89, True), ("sell", 200, False)]
)
def test_a_price_that_would_trade_far_through_the_market_is_denied(side: str, price: int, denied: bool) -> None:
    proposal = replace(BUY, side=side, price=Decimal(price))
    assert reason(proposal) == ("price_band" if denied else "")


def test_a_protective_exit_may_be_anywhere() -> None:
    assert reason(replace(SELL, price=Decimal(10), protective=True, quantity=Decimal(5))) == ""


def test_limits_on_buying_never_keep_a_bot_from_selling() -> None:
    moment = replace(NOW, entries_allowed=False, open_orders=500, orders_last_minute=500, loss_today=Decimal(10**9))
    limits = RiskLimits(daily_loss=Decimal(1), symbol_exposure=Decimal(1))
    assert reason(SELL, moment, limits) == ""


TOLD = ("accepted", "partially_filled", "filled", "cancelled", "expired", "rejected")


@given(st.lists(st.tuples(st.sampled_from(TOLD), st.booleans()), max_size=12))
def test_whatever_the_venue_says_in_whatever_order_a_filled_order_stays_filled(told: list[tuple[str, bool]]) -> None:
    status = "submitted"
    for word, complete in told:
        after = advance_status(status, word, complete=complete)
        assert after == status or may_advance(status, after)
        if status == "filled":
            assert after == "filled"
        if complete:
            assert after == "filled"
        elif after == "filled":
            assert status == "filled"
        status = after


def test_final_words_are_final_but_for_a_fill() -> None:
    for status in OVER - {"rejected"}:
        assert LEGAL[status] <= {"filled"}
