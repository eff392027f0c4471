"""What Binance's answers without JSON are called: never by the library's objects, which have the signed address in them."""

from __future__ import annotations

from typing import Any

import pytest
from binance.exceptions import BinanceAPIException

from market.exchanges.base import ExchangeError, RateLimited, Retryable, Unauthorised
from market.exchanges.binance.errors import translate_error


class Response:
    """As aiohttp's: `text` is a method."""

    headers: dict[str, Any] = {"Retry-After": "130"}

    def __repr__(self) -> str:
        return "<ClientResponse(https://venue/api/v3/openOrders?signature=abc)>"

    async def text(self) -> str:
        return "<html>"


@pytest.mark.parametrize(
    ("status", "kind"), [(418, RateLimited), (429, RateLimited), (401, Unauthorised), (404, ExchangeError), (502, Retryable)]
)
def test_an_answer_without_json_is_told_by_its_status(status: int, kind: type[ExchangeError]) -> None:
    error = translate_error(BinanceAPIException(Response(), status, "<html>"), False)
    assert type(error) is kind or kind is ExchangeError
    assert str(error) == f"Binance answered {status}."


def test_a_ban_is_told_with_its_wait() -> None:
    text = '{"code": -1003, "msg": "Way too much request weight used; IP banned."}'
    error = translate_error(BinanceAPIException(Response(), 418, text), False)
    assert isinstance(error, RateLimited)
    assert (error.after, str(error)) == (130.0, "Binance: Way too much request weight used; IP banned.")
