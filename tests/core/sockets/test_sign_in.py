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
from core.sockets import REFUSED, UNKNOWN, Socket
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


async def test_a_page_of_another_site_is_refused() -> None:
    headers = [header for header in await session_headers() if header != ORIGIN] + [(b"origin", b"https://evil.example")]
    async with Client("/ws/live/", headers) as client:
        await client.until_closed()
        assert not client.got


@pytest.mark.parametrize("end", ["revoked", "inactive", "signed out"])
async def test_a_socket_ends_with_what_it_was_opened_with(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Socket, "asked_again", 0.1)
    headers = await session_headers() if end == "signed out" else await token_headers()
    async with Client("/ws/live/", headers) as client:
        await client.until_heard()
        if end == "revoked":
            await do(lambda: token_revoke(token=ApiToken.objects.get()))
        elif end == "inactive":
            await do(lambda: User.objects.update(is_active=False))
        else:
            await do(lambda: Session.objects.all().delete())
        assert await client.until_closed() == REFUSED


@pytest.mark.parametrize("path", ["/ws/x", "/ws/live", "/ws/", "/"])
async def test_an_address_without_a_socket_is_refused_in_so_many_words(path: str) -> None:
    nobody: list[tuple[bytes, bytes]] = []
    for headers in (nobody, await token_headers()):
        async with Client(path, headers) as client:
            assert await client.until_closed() == UNKNOWN
