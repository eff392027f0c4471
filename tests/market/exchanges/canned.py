"""Both adapters over their real client libraries, whose transport answers what a test gives it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import requests
from aiohttp.client_reqrep import RequestInfo
from multidict import CIMultiDict, CIMultiDictProxy
from redis.asyncio import Redis
from requests.adapters import HTTPAdapter
from yarl import URL

from market.exchanges import connect
from market.exchanges.base import Endpoint, Exchange
from market.exchanges.binance.client import BinanceClient
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget
from market.exchanges.coinbase.client import CoinbaseSession
from market.exchanges.registry import RequestLimit
from market.sandbox.keys import binance_key, coinbase_key

KEYS = {"binance": binance_key(1), "coinbase": coinbase_key(1)}
ENDLESS = tuple(RequestLimit(name, 60, 10**9, "venue") for name in ("weight", "orders", "wallet", "wallet_key", "requests"))


class EndlessBudget(Budget):
    """Not used up by thousands of questions in a minute, whatever the venue says of its limits."""

    async def observe(self, *_: Any, **__: Any) -> None:
        pass


@dataclass(frozen=True)
class Answer:
    """`body` is sent as it is if it is text, in JSON otherwise."""

    body: object
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.body if isinstance(self.body, str) else json.dumps(self.body)


@dataclass
class CannedVenue:
    """`answers` by method and the end of the path; one that is a list is used up from its front, down to the last. A callable is
    given the parameters."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def find(self, method: str, url: str, parameters: object = None) -> Answer:
        asked = f"{method} {urlsplit(url).path}"
        self.asked.append(asked)
        found = next((self.answers[end] for end in sorted(self.answers, key=len, reverse=True) if self._fits(end, asked)), None)
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if callable(found):
            found = found(parameters)
        assert found is not None, f"nothing is laid out for {asked}"
        return found if isinstance(found, Answer) else Answer(found)

    @staticmethod
    def _fits(end: str, asked: str) -> bool:
        method, _, path = end.partition(" ")
        return asked.startswith(f"{method} ") and asked.endswith(path)


class CannedResponse:
    """As much of aiohttp's as the library uses."""

    def __init__(self, answer: Answer, url: str) -> None:
        self._answer, self._url = answer, url
        self.status = answer.status
        self.headers = CIMultiDictProxy(CIMultiDict({"Content-Type": answer.content_type, **answer.headers}))

    async def __aenter__(self) -> CannedResponse:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def text(self) -> str:
        return self._answer.text

    async def json(self) -> Any:
        if "json" not in self._answer.content_type:
            info = RequestInfo(URL(self._url), "GET", self.headers, URL(self._url))
            raise aiohttp.ContentTypeError(info, (), status=self.status, message="unexpected mimetype")
        return json.loads(self._answer.text)


class CannedSession:
    """In the place of aiohttp's."""

    def __init__(self, venue: CannedVenue) -> None:
        self._venue = venue

    def __getattr__(self, method: str) -> Callable[..., CannedResponse]:
        return lambda url, **given: CannedResponse(self._venue.find(method.upper(), str(url), URL(url).query), str(url))

    async def close(self) -> None:
        pass


class CannedAdapter(HTTPAdapter):
    """In the place of what requests sends with."""

    def __init__(self, venue: CannedVenue) -> None:
        super().__init__()
        self._venue = venue

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        answer = self._venue.find(str(request.method), str(request.url), URL(str(request.url)).query)
        response = requests.Response()
        response.status_code, response.reason, response.url = answer.status, "told", str(request.url)
        response.headers.update({"Content-Type": answer.content_type, **answer.headers})
        response._content, response.encoding, response.request = answer.text.encode(), "utf-8", request
        return response


@contextmanager
def canned_transport(venue: CannedVenue) -> Iterator[None]:
    """Both libraries send nothing and get the answers of `venue`."""
    begin = CoinbaseSession.__init__

    def mount(session: CoinbaseSession, *given: Any) -> None:
        begin(session, *given)
        session.session.mount("https://", CannedAdapter(venue))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BinanceClient, "_init_session", lambda _: CannedSession(venue))
        patch.setattr(CoinbaseSession, "__init__", mount)
        yield


def make_exchange(name: str, redis: Redis, count: Callable[[str], None] | None = None) -> Exchange:
    key = KEYS[name]
    endpoint = Endpoint(name, "live", api_key=key.name, api_secret=key.secret, account="1")
    return connect(endpoint, budget=EndlessBudget(redis, endpoint, limits=ENDLESS), breaker=Breaker(redis, endpoint), count=count)
