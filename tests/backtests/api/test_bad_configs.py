"""Every bad request to POST backtests gets status 400 with the error at its field, and leaves nothing behind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from backtests.models import BacktestRun
from engine.types import Candles
from tests.backtests.fixtures import CONFIG

BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"strategy": "sma_cros"}, "strategy", "Did you mean 'sma_cross'"),
    ({"strategy": None}, "strategy", "is required"),
    ({"strategy": 7}, "strategy", "must be text"),
    ({"params": {"fast": "many"}}, "params.fast", "whole number"),
    ({"params": {"fast": 1.5}}, "params.fast", "whole number"),
    ({"params": {"fast": True}}, "params.fast", "whole number"),
    ({"params": {"fast": 0}}, "params.fast", "must be from"),
    ({"params": {"fast": 50, "slow": 20}}, "params.fast", ""),
    ({"params": {"slwo": 20}}, "params.slwo", "Did you mean 'slow'"),
    ({"params": [5, 20]}, "params", "must be an object"),
    ({"symbols": ["ETH-BTX"]}, "symbols", "Did you mean 'ETH-BTC'"),
    ({"symbols": ["ETHBTC"]}, "symbols", "ETH-BTC"),
    ({"symbols": []}, "symbols", "at least one symbol"),
    ({"symbols": None}, "symbols", "at least one symbol"),
    ({"symbols": [None]}, "symbols", "at least one symbol"),
    ({"symbols": ["ETH-BTC", "eth_btc"]}, "symbols", "more than once"),
    ({"symbol": "ETH-BTC"}, "symbol", "not both"),
    ({"venue": "binanse"}, "venue", "Did you mean 'binance'"),
    ({"venue": "b/n"}, "venue", "not a venue's name"),
    ({"interval": "7m"}, "interval", "must be one of"),
    ({"interval": None}, "interval", "is required"),
    ({"interval": "1m"}, "interval", "cannot be made"),
    ({"start": "2022-13-01"}, "start", "must be a date"),
    ({"start": 1641000000}, "start", "must be a date"),
    ({"start": "2022-01-02", "end": "2022-01-01"}, "end", "after start"),
    ({"start": "2022-01-02", "end": "2022-01-02"}, "end", "after start"),
    ({"start": "2030-01-01"}, "start", "no candles"),
    ({"end": "2020-01-01"}, "end", "no candles"),
    ({"start": "2022-01-01", "end": "2022-01-01T00:30:00Z"}, "start", "too few candles"),
    ({"params": {"fast": 5, "slow": 500}, "interval": "1h"}, "start", "too few candles"),
    ({"cash": 0}, "cash", "above 0"),
    ({"cash": "-5"}, "cash", "above 0"),
    ({"cash": "1e999"}, "cash", "must be a number"),
    ({"cash": "NaN"}, "cash", "must be a number"),
    ({"cash": "Infinity"}, "cash", "must be a number"),
    ({"cash": "1e20"}, "cash", "at most"),
    ({"cash": {"amount": 5}}, "cash", "must be a number"),
    ({"fee_bps": 10_001}, "fee_bps", "at most 10000"),
    ({"fee_bps": -1}, "fee_bps", "at least 0"),
    ({"fee_bps": None, "fees": {"taker_bps": 20_000}}, "fees.taker_bps", "at most 10000"),
    ({"fee_bps": None, "fees": {"taker": 20}}, "fees.taker", "Did you mean 'taker_bps'"),
    ({"fee_bps": None, "fees": 10}, "fees", "must be an object"),
    ({"fees": {"taker_bps": 1}}, "fee_bps", "not both"),
    ({"slippage": {"kind": "bsp"}}, "slippage.kind", "Did you mean 'bps'"),
    ({"slippage": {"value": 9_999}}, "slippage.value", "at most"),
    ({"slippage": {"kind": "volume_share", "max_share": 0}}, "slippage.max_share", "above 0"),
    ({"sizing": {"kind": "half"}}, "sizing.kind", "must be one of"),
    ({"sizing": {"kind": "fixed"}}, "sizing.value", "is required"),
    ({"sizing": {"kind": "fraction", "value": 1.5}}, "sizing.value", "at most 1"),
    ({"sizing": {"kind": "fraction", "value": 0}}, "sizing.value", "above 0"),
    ({"exits": {"stop_loss": 1}}, "exits.stop_loss", "below 1"),
    ({"exits": {"trailing_stop": -0.1}}, "exits.trailing_stop", "at least 0"),
    ({"exits": {"max_candles": 1.5}}, "exits.max_candles", "whole number"),
    ({"limits": {"max_open_positions": -1}}, "limits.max_open_positions", "from 0"),
    ({"limits": {"symbol_cap": 2}}, "limits.symbol_cap", "at most 1"),
    ({"protections": {"cooldown": -1}}, "protections.cooldown", "from 0"),
    ({"protections": {"stop_count": 21, "stop_window": 5, "stop_pause": 5}}, "protections.stop_count", "from 0 to 20"),
    ({"protections": {"stop_scope": "each"}}, "protections.stop_scope", "must be one of symbol, all"),
    ({"protections": {"drawdown": 1}}, "protections.drawdown", "below 1"),
    ({"protections": {"drawdown": 0.1}}, "protections.drawdown_window", "go together"),
    ({"protections": {"cool_down": 3}}, "protections.cool_down", "Did you mean 'cooldown'"),
    ({"order_ttl": "soon"}, "order_ttl", "whole number"),
    ({"seed": 2**70}, "seed", "from 0"),
    ({"rules": {"ETH-BTC": {"tik": 1}}}, "rules.ETH-BTC.tik", "Did you mean 'tick'"),
    ({"rules": {"ETH-USD": {"tick": 1}}}, "rules.ETH-USD", "ETH-BTC"),
    ({"name": "x" * 201}, "name", "at most 200"),
    ({"name": "a\x00b"}, "name", "null character"),
    ({"cahs": 5}, "cahs", "Did you mean 'cash'"),
]


@pytest.mark.parametrize(("change", "field", "words"), BAD, ids=[f"{field}-{n}" for n, (_, field, _) in enumerate(BAD)])
def test_a_fault_is_named_at_its_field(api: APIClient, candles: Candles, change: dict[str, Any], field: str, words: str) -> None:
    answer = api.post("/api/v1/backtests", {**CONFIG, **change}, format="json")
    assert answer.status_code == 400, answer.json()
    error = answer.json()["error"]
    assert error["code"] == "invalid"
    assert field in error["fields"], error
    assert words in " ".join(error["fields"][field])
    assert not BacktestRun.objects.exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"text"', b"null", b'{"cash": NaN}', b"\xff\xfe", b"[" * 100_000, b'{"strategy": {"a": {"b": []}}}'],
    ids=["empty", "cut short", "list", "text", "null", "NaN", "binary", "deep", "nested"],
)
def test_a_body_that_is_no_config_is_refused(api: APIClient, candles: Candles, body: bytes) -> None:
    answer = api.post("/api/v1/backtests", body, content_type="application/json")
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "message", "fields"}


def test_symbols_are_checked_even_when_something_else_is_wrong(api: APIClient, candles: Candles) -> None:
    answer = api.post("/api/v1/backtests", {**CONFIG, "symbols": ["ETH-BTX"], "cash": 0}, format="json")
    assert set(answer.json()["error"]["fields"]) == {"symbols", "cash"}


def test_a_huge_config_is_refused(api: APIClient, candles: Candles) -> None:
    answer = api.post("/api/v1/backtests", {**CONFIG, "params": {"fast": "9" * 200_000}}, format="json")
    assert answer.status_code == 400
    assert len(json.dumps(answer.json())) < 2_000


def test_no_candles_at_all_says_what_to_do(api: APIClient, db: None) -> None:
    answer = api.post("/api/v1/backtests", CONFIG, format="json")
    assert "Import some first" in answer.json()["error"]["fields"]["symbols"][0]


def test_two_venues_ask_which(api: APIClient, hold: Any) -> None:
    hold(venue="binance")
    hold(venue="coinbase")
    refused = api.post("/api/v1/backtests", CONFIG, format="json")
    assert "binance, coinbase" in refused.json()["error"]["fields"]["venue"][0]
    assert api.post("/api/v1/backtests", {**CONFIG, "venue": "coinbase"}, format="json").status_code == 202
