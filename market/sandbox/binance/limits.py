"""Binance's rate limits: request weight a minute, orders in ten seconds and a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from market.sandbox.binance.notation import BinanceError

LimitName = Literal["weight", "wallet", "wallet_key"]
MINUTE, TEN_SECONDS, DAY = 60_000, 10_000, 86_400_000


@dataclass(slots=True)
class CountingWindow:
    """Counts up to `limit` within each window of `length` ms, which begins at a whole multiple of it."""

    length: int
    limit: int
    began: int = 0
    count: int = 0

    def count_at(self, now: int) -> int:
        """What is counted in the window that `now` (ms) lies in."""
        if (began := now - now % self.length) != self.began:
            self.began, self.count = began, 0
        return self.count


@dataclass(slots=True)
class BinanceRateLimits:
    """Counts requests and orders. Past a limit `BinanceError` 429, with the seconds until the window ends. `wall` in ms."""

    wall: Callable[[], int]
    weight: CountingWindow = field(default_factory=lambda: CountingWindow(MINUTE, 6000))
    wallet: CountingWindow = field(default_factory=lambda: CountingWindow(MINUTE, 12_000))
    """Of an address, for calls about money."""
    wallet_key: CountingWindow = field(default_factory=lambda: CountingWindow(MINUTE, 180_000))
    """Of a key, for those of them that weigh most."""
    orders: CountingWindow = field(default_factory=lambda: CountingWindow(TEN_SECONDS, 100))
    orders_a_day: CountingWindow = field(default_factory=lambda: CountingWindow(DAY, 200_000))

    def use_weight(self, weight: int, limit: LimitName = "weight") -> None:
        window = {"weight": self.weight, "wallet": self.wallet, "wallet_key": self.wallet_key}[limit]
        self._count(window, weight, "Too much request weight used; current limit is {} request weight per 1 MINUTE.")

    def use_order(self) -> None:
        message = "Too many new orders; current limit is {} orders per " + "{}."
        self._count(self.orders, 1, message.format("{}", "10 SECOND"), code=-1015)
        self._count(self.orders_a_day, 1, message.format("{}", "1 DAY"), code=-1015)

    def _count(self, window: CountingWindow, cost: int, message: str, code: int = -1003) -> None:
        now = self.wall()
        if window.count_at(now) + cost > window.limit:
            wait = (window.began + window.length - now + 999) // 1000
            raise BinanceError(code, message.format(window.limit), status=429, retry_after=wait)
        window.count += cost

    def headers(self, *, order: bool, limit: LimitName = "weight") -> dict[str, str]:
        now = self.wall()
        if limit != "weight":
            window, who = (self.wallet, "IP") if limit == "wallet" else (self.wallet_key, "UID")
            return {f"X-SAPI-USED-{who}-WEIGHT-1M": str(window.count_at(now))}
        weight = str(self.weight.count_at(now))
        headers = {"X-MBX-USED-WEIGHT": weight, "X-MBX-USED-WEIGHT-1M": weight}
        if order:
            headers["X-MBX-ORDER-COUNT-10S"] = str(self.orders.count_at(now))
            headers["X-MBX-ORDER-COUNT-1D"] = str(self.orders_a_day.count_at(now))
        return headers

    def list_limits(self) -> list[dict[str, Any]]:
        """The limits as `exchangeInfo` lists them."""
        return [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": self.weight.limit},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": self.orders.limit},
            {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": self.orders_a_day.limit},
        ]

    def order_counts(self) -> list[dict[str, Any]]:
        """The order limits and their counts, as `rateLimit/order` and the WebSocket API show them."""
        now = self.wall()
        counts = (self.orders.count_at(now), self.orders_a_day.count_at(now))
        return [{**row, "count": count} for row, count in zip(self.list_limits()[1:], counts, strict=True)]

    def weight_count(self) -> list[dict[str, Any]]:
        return [{**self.list_limits()[0], "count": self.weight.count_at(self.wall())}]
