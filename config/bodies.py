"""How much of a request's body is taken in before anybody has looked at it.

Daphne reads a body whole before it calls the application, and Twisted takes forms apart on the way: in memory, while everybody
else waits. Here each address has a limit. What is longer is answered with 413 and not kept. Candle files may be longer, for
somebody who may import them; that is asked at the headers, before the file is read. Such a file goes to disk as it comes, and is
handed on in pieces.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import IO, Any

from channels.db import database_sync_to_async
from daphne import http_protocol
from django.conf import settings
from django.db import DatabaseError
from twisted.internet.defer import Deferred

from access.callers import caller_of
from access.permissions import has_scope
from access.rights import has_right

logger = logging.getLogger(__name__)
Receive = Callable[[], Awaitable[dict[str, Any]]]
Application = Callable[[dict[str, Any], Receive, Any], Awaitable[Any]]

USUAL, SIGN_IN = 1 << 20, 1 << 16
SIGN_IN_PATHS = (b"/sign-in/", b"/api/v1/auth/tokens")
IMPORT_PATHS = (b"/market/import/", b"/api/v1/market/imports")
AROUND_FILE = 1 << 16
"""What a form has beside its file."""
PIECE = 1 << 20
LINGER = 5.0
"""Seconds in which the rest of a refused body is still taken and dropped: a client that is cut off at once never reads why."""
REFUSALS = {
    401: ("not_authenticated", "Sign in first: a file of this size is read only for somebody who may import candles."),
    403: ("permission_denied", "You may not import candles."),
    413: ("too_large", "The body is larger than {limit:,} bytes, which is the most that this address takes."),
    503: ("unavailable", "The database does not answer. Try again in a moment."),
}
REASONS = {401: "Unauthorized", 403: "Forbidden", 413: "Content Too Large", 503: "Service Unavailable"}


def limit_of(path: bytes) -> int:
    return SIGN_IN if path.startswith(SIGN_IN_PATHS) else USUAL


def import_answer(headers: list[tuple[bytes, bytes]]) -> int:
    """0 if whoever sends these headers may import candles, or else the status to refuse with."""
    try:
        user, token = caller_of(headers)
        if not user.is_authenticated:
            return 401
        return 0 if has_scope(user, token, "trade") and has_right(user, "market.add_candleimport") else 403
    except DatabaseError:
        logger.warning("nobody can be let in: the database does not answer", exc_info=True)
        return 503


class DeskRequest(http_protocol.WebRequest):
    """A request whose body is counted as it comes."""

    limit = USUAL
    taken = 0
    refused = asking = complete = False
    asked = False
    content: IO[bytes]
    upload: IO[bytes] | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # Django takes forms apart, in a thread and within its own limits.
        self._parsePOSTFormSubmission = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 (Twisted names these)
        super().gotLength(length)
        self.path_asked: bytes = self.channel._path.partition(b"?")[0]
        self.limit = limit_of(self.path_asked)
        self.check_size(length or 0)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802
        self.taken += len(data)
        self.check_size(self.taken)
        if not self.refused:
            super().handleContentChunk(data)

    def check_size(self, size: int) -> None:
        if self.refused or size <= self.limit:
            return
        may_be_longer = self.path_asked in IMPORT_PATHS and not self.asked
        if may_be_longer:
            self.limit = settings.IMPORT_MAX_BYTES + AROUND_FILE
        if may_be_longer and size <= self.limit:
            self.ask_right()
        else:
            self.refuse(413)

    def ask_right(self) -> None:
        """Reads no further until it is known whether this person may import."""
        self.asked = self.asking = True
        self.channel._networkProducer.pauseProducing()
        headers = [(name, value) for name, values in self.requestHeaders.getAllRawHeaders() for value in values]
        answer = asyncio.ensure_future(database_sync_to_async(import_answer)(headers))
        Deferred.fromFuture(answer).addCallbacks(self.take_answer, lambda _: self.take_answer(503))

    def take_answer(self, status: int) -> None:
        self.asking = False
        if self.channel is None:
            return
        self.channel._networkProducer.resumeProducing()
        if status:
            self.refuse(status)
        if self.complete:
            self.process()

    def refuse(self, status: int) -> None:
        """Answers past Twisted's own way, which cannot answer before it has the whole body."""
        self.refused = True
        self.requestHeaders.removeHeader(b"Expect")  # or Twisted would ask for the body
        self.content.close()
        self.content = BytesIO()
        logger.info("a body is refused with %s at %r", status, self.path_asked[:80])
        transport = self.channel.transport
        transport.write(refusal(status, self.limit, as_json=self.path_asked.startswith(b"/api/")))
        asyncio.get_running_loop().call_later(LINGER, transport.abortConnection)

    def process(self) -> Any:
        self.complete = True
        if self.refused:
            self.channel.loseConnection()
        elif not self.asking:
            if self.taken > USUAL:
                self.upload, self.content = self.content, BytesIO()
            return super().process()
        return None


def refusal(status: int, limit: int, *, as_json: bool) -> bytes:
    """A whole answer of HTTP/1.1 that ends the connection."""
    code, words = REFUSALS[status]
    message = words.format(limit=limit)
    body = (json.dumps({"error": {"code": code, "message": message, "fields": {}}}) if as_json else message).encode()
    lines = [
        f"HTTP/1.1 {status} {REASONS[status]}",
        f"Content-Type: {'application/json' if as_json else 'text/plain; charset=utf-8'}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def limit_bodies() -> None:
    """Makes daphne take in its requests so."""
    http_protocol.WebRequest = DeskRequest


def with_uploads(application: Application) -> Application:
    """The application for HTTP, directly under daphne, which hands a long body on as one queue in memory."""

    async def served(scope: dict[str, Any], receive: Receive, send: Any) -> Any:
        # Daphne's `send` is a partial over the request.
        request = next(iter(getattr(send, "args", ())), None)
        upload: IO[bytes] | None = getattr(request, "upload", None)
        if upload is None:
            return await application(scope, receive, send)
        with upload:
            return await application(scope, read_pieces(upload, receive), send)

    return served


def read_pieces(upload: IO[bytes], receive: Receive) -> Receive:
    """An ASGI `receive` that gives the file piece by piece, and then what the server says further."""
    ended = False

    async def read_piece() -> dict[str, Any]:
        nonlocal ended
        if ended:
            return await receive()
        piece = await asyncio.to_thread(upload.read, PIECE)
        ended = len(piece) < PIECE
        if ended:
            await receive()  # the empty body that the server has put in its queue
        return {"type": "http.request", "body": piece, "more_body": not ended}

    return read_piece
