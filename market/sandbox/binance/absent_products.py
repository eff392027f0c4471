"""Products of the venue that are not played here: what anybody is told of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from market.sandbox.binance.params import Params


class AbsentProducts:
    """`wall` is the server's clock (ms)."""

    def __init__(self, wall: Callable[[], int]) -> None:
        self.wall = wall

    def system_status(self, given: Params) -> Any:
        return {"status": 0, "msg": "normal"}

    def execution_rules(self, given: Params) -> Any:
        return {"symbolRules": []}

    def no_rows(self, given: Params) -> Any:
        return []

    def no_contracts(self, given: Params) -> Any:
        """A market for derivatives that lists none."""
        lists = ("rateLimits", "exchangeFilters", "assets", "symbols", "optionContracts", "optionAssets", "optionSymbols")
        return {"timezone": "UTC", "serverTime": self.wall(), **{name: [] for name in lists}}
