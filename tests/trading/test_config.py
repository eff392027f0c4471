"""The configuration of a run: one parser for every interface, a canonical form, shorthands, and errors at their fields."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from engine.types import Protections
from tests.backtests.fixtures import CONFIG
from trading.setup.config import parse_config

finite = st.floats(1e-9, 1)


@given(
    cash=st.decimals(min_value="0.00000001", max_value="1000000000", places=8),
    taker=st.integers(0, 10_000) | st.decimals(0, 100, places=3).map(str),
    stop=st.floats(0, 0.99),
    sizing=st.sampled_from(["all_in", "fraction", "volatility", "kelly", "fixed"]),
    value=finite,
    slippage=st.sampled_from(["bps", "half_spread", "volume_share"]),
    rules=st.none() | st.fixed_dictionaries({"tick": st.just("0.01"), "lot": finite.map(str)}),
)
def test_canonical_form_reads_back_to_itself(
    cash: Any, taker: Any, stop: float, sizing: str, value: float, slippage: str, rules: Any
) -> None:
    raw = {
        **{key: item for key, item in CONFIG.items() if key != "fee_bps"},
        "cash": str(cash),
        "fees": {"taker_bps": taker},
        "exits": {"stop_loss": stop},
        "sizing": {"kind": sizing, "value": value},
        "slippage": {"kind": slippage, "value": value},
        "rules": {"ETH-BTC": rules} if rules else None,
        "start": "2022-01-01",
    }
    once = parse_config(raw).to_json()
    assert parse_config(once).to_json() == once


def test_shorthands_mean_the_long_form() -> None:
    short = parse_config({**CONFIG, "symbols": None, "symbol": "eth/btc", "slippage_bps": "2.5"})
    long = parse_config(
        {
            **{key: item for key, item in CONFIG.items() if key != "fee_bps"},
            "symbols": ["ETH-BTC"],
            "fees": {"maker_bps": 10, "taker_bps": 10},
            "slippage": {"kind": "bps", "value": 2.5},
        }
    )
    assert short.to_json() == long.to_json()


def test_a_name_is_no_part_of_the_canonical_form() -> None:
    assert parse_config({**CONFIG, "name": "one"}).to_json() == parse_config({**CONFIG, "name": "two"}).to_json()


PROTECTIONS = {
    "cooldown": 3,
    "stop_count": "2",
    "stop_window": 10,
    "stop_pause": 5,
    "stop_scope": "all",
    "drawdown": "0.1",
    "drawdown_window": 50,
    "drawdown_pause": 20,
    "profit_least": -0.02,
    "profit_window": 30,
    "profit_trades": 2,
    "profit_pause": 8,
}


def test_protections_are_in_the_canonical_form_where_one_is_on() -> None:
    config = parse_config({**CONFIG, "protections": PROTECTIONS})
    stored = config.to_json()
    expected = {**PROTECTIONS, "stop_count": 2, "drawdown": 0.1, "drawdown_trades": 1}
    assert stored["protections"] == expected
    assert parse_config(stored) == config
    assert config.account().protections == Protections(**expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("off", [None, {}, {"cooldown": 0, "stop_count": "0", "stop_scope": "symbol", "drawdown_trades": 1}])
def test_a_config_without_protections_is_stored_as_before_there_were_any(off: Any) -> None:
    stored = parse_config({**CONFIG, "protections": off}).to_json()
    assert stored == parse_config(CONFIG).to_json()
    assert "protections" not in stored


@pytest.mark.parametrize(
    ("half", "missing"),
    [
        ({"stop_count": 2}, {"stop_window", "stop_pause"}),
        ({"stop_scope": "all"}, {"stop_count", "stop_window", "stop_pause"}),
        ({"drawdown_window": 9, "drawdown_pause": 9}, {"drawdown"}),
        ({"drawdown_trades": 2}, {"drawdown", "drawdown_window", "drawdown_pause"}),
        ({"profit_least": 0.1, "profit_pause": 4}, {"profit_window"}),
        ({"profit_window": 5}, {"profit_pause"}),
    ],
)
def test_half_a_protection_is_refused(half: dict[str, Any], missing: set[str]) -> None:
    with pytest.raises(Invalid) as refused:
        parse_config({**CONFIG, "protections": half})
    assert set(refused.value.fields) == {f"protections.{name}" for name in missing}
    assert all("go together" in messages[0] for messages in refused.value.fields.values())


def test_maker_fee_follows_the_taker_fee_unless_given() -> None:
    raw = {key: item for key, item in CONFIG.items() if key != "fee_bps"}
    fees = parse_config({**raw, "fees": {"taker_bps": 7}}).to_json()["fees"]
    assert fees == {"maker_bps": 7, "taker_bps": 7}


def test_double_costs_are_double() -> None:
    config = parse_config({**CONFIG, "slippage_bps": 3})
    account = config.account(costs=2)
    assert (account.fees.taker, account.slippage.value) == (0.002, 6.0)


def test_all_faults_are_told_at_once() -> None:
    raw = {**CONFIG, "cash": "0", "interval": "7m", "params": {"fst": 5}, "start": "then", "seeed": 1}
    with pytest.raises(Invalid) as refused:
        parse_config(raw)
    assert set(refused.value.fields) == {"cash", "interval", "params.fst", "start", "seeed"}
    assert "Did you mean 'seed'" in refused.value.fields["seeed"][0]
    assert "Did you mean 'fast'" in refused.value.fields["params.fst"][0]
