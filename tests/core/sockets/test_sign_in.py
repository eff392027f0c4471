"""Sockets check the same sign-in as the pages and the API, when they open and later on."""

from __future__ import annotations

from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client as Browser

from access.models import ApiToken
from access.services import token_revoke
from core.sockets import CROWDED, REFUSED, UNKNOWN, Socket
from tests.core.sockets.clients import Client, token_headers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
PATHS = ["/ws/live/", "/ws/market/"]
ORIGIN = (b"origin", b"http://127.0.0.1:8000")


@database_sync_to_async  # type: ignore[untyped-decorator]
def session_headers() -> list[tuple[bytes, bytes]]:
    browser = Browser()
    browser.force_login(User.objects.create_user("vic"))
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME].value
    return [(b"host", b"127.0.0.1:8000"), ORIGIN, (b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]


async def do(work: Any, *arguments: Any) -> Any:
    return await database_sync_to_async(work)(*arguments)


async def answers(client: Client) -> None:
    """It listens: the live socket says hello by itself, the market's is asked."""
    await client.ask(action="subscribe", symbols=["BTC-USDT"])
    await client.until_heard()


@pytest.mark.parametrize("path", PATHS)
async def test_a_viewers_session_or_token_may_listen(path: str) -> None:
    session, token = await session_headers(), await token_headers()
    for headers in (session, [header for header in session if header != ORIGIN], token):
        async with Client(path, headers) as client:
            await answers(client)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"authorization", b"Bearer qd_nonsense")],
        [(b"authorization", b"Basic dmljOng=")],
        [(b"cookie", b"sessionid=nonsense")],
    ],
)
async def test_nobody_else_may(path: str, headers: list[tuple[bytes, bytes]]) -> None:
    async with Client(path, headers) as client:
        assert await client.until_closed() == REFUSED
        assert not client.got


async def test_a_token_in_the_address_counts_for_nothing() -> None:
    secret = (await token_headers())[0][1].decode().split()[1]
    async with Client(f"/ws/live/?token={secret}", []) as client:
        assert await client.until_closed() == REFUSED


@pytest.mark.parametrize(
    "origin", [b"https://other.example", b"http://127.0.0.1:8001", b"http://127.0.0.1", b"https://127.0.0.1", b"null"]
)
async def test_a_page_of_another_site_or_port_is_refused(origin: bytes) -> None:
    headers = [header for header in await session_headers() if header != ORIGIN] + [(b"origin", origin)]
    async with Client("/ws/live/", headers) as client:
        await client.until_closed()
        assert not client.got


async def test_an_origin_that_is_trusted_with_forms_is_trusted_here(settings: Any) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://*.example.org"]
    headers = [header for header in await session_headers() if header != ORIGIN] + [(b"origin", b"https://desk.example.org")]
    async with Client("/ws/live/", headers) as client:
        await client.until_heard()


async def test_a_token_has_so_many_sockets_and_no_more(settings: Any) -> None:
    settings.SOCKETS_PER_TOKEN = 2
    headers = await token_headers()
    async with Client("/ws/live/", headers) as one, Client("/ws/live/", headers) as two:
        await one.until_heard()
        await two.until_heard()
        async with Client("/ws/live/", headers) as three:
            assert await three.until_closed() == CROWDED
    async with Client("/ws/live/", headers) as again:
        await again.until_heard()


async def test_a_text_that_is_not_json_ends_no_socket() -> None:
    for path in ("/ws/backtests/", "/ws/live/", "/ws/market/"):
        async with Client(path, await token_headers()) as client:
            await client.asked.put({"type": "websocket.receive", "text": "not JSON"})
            await client.asked.put({"type": "websocket.receive", "bytes": b"\x00"})
            await client.ask(action="subscribe", symbols=["BTC-USDT"])
            if path != "/ws/backtests/":
                await client.until_heard()
            assert client.code is None
            assert not client.task.done()


@pytest.mark.parametrize("end", ["revoked", "inactive", "another password", "signed out"])
async def test_a_socket_ends_with_what_it_was_opened_with(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Socket, "asked_again", 0.1)
    headers = await session_headers() if end == "signed out" else await token_headers()
    async with Client("/ws/live/", headers) as client:
        await client.until_heard()
        if end == "revoked":
            await do(lambda: token_revoke(token=ApiToken.objects.get()))
        elif end == "inactive":
            await do(lambda: User.objects.update(is_active=False))
        elif end == "another password":
            await do(lambda: User.objects.update(password="another"))
        else:
            await do(lambda: Session.objects.all().delete())
        assert await client.until_closed() == REFUSED


@pytest.mark.parametrize("path", ["/ws/x", "/ws/live", "/ws/", "/"])
async def test_an_address_without_a_socket_is_refused_in_so_many_words(path: str) -> None:
    nobody: list[tuple[bytes, bytes]] = []
    for headers in (nobody, await token_headers()):
        async with Client(path, headers) as client:
            assert await client.until_closed() == UNKNOWN
