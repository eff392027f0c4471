"""What the import form reads from the name of a file."""

from __future__ import annotations

import pytest

from market.forms import guess_series


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BTC-USD-1m-2022-01.csv.gz", ("", "BTC-USD", "1m")),
        ("ETH_BTC-5m.feather", ("", "ETH-BTC", "5m")),
        ("ADABTC-1m-2021-11-27.csv", ("binance", "ADA-BTC", "1m")),
        ("BTCUSDT-1h-2025-03.csv", ("binance", "BTC-USDT", "1h")),
        ("coinbase_SOL-USD_15m.parquet", ("coinbase", "SOL-USD", "15m")),
        ("kraken-XRP-EUR-1d.csv", ("kraken", "XRP-EUR", "1d")),
        ("C:\\data\\Binance_LTC-BTC-4h.csv", ("binance", "LTC-BTC", "4h")),
        ("dogeusdt-30m.csv", ("", "DOGE-USDT", "30m")),
    ],
)
def test_a_files_name_tells_what_it_holds(name: str, expected: tuple[str, str, str]) -> None:
    found = guess_series(name)
    assert (found.get("venue", ""), found["symbol"], found["interval"]) == expected


@pytest.mark.parametrize("name", ["candles.csv", "", "BTC-USD.csv", "report-2024.csv", "BTC-USD-7m.csv"])
def test_a_name_that_tells_nothing_is_not_guessed_at(name: str) -> None:
    assert guess_series(name) == {}
