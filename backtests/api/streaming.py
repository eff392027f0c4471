"""Long answers a piece at a time, whichever server asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from rest_framework.request import Request


def streamed(request: Request, pieces: Iterator[str]) -> Iterator[str] | AsyncIterator[str]:
    """Django collects a plain iterator whole before it serves it over ASGI; an asynchronous one it passes on."""
    first = next(pieces, "")  # before the headers go out, so that a refusal still has its status
    return pulled(first, pieces) if isinstance(request._request, ASGIRequest) else chained(first, pieces)


def chained(first: str, pieces: Iterator[str]) -> Iterator[str]:
    yield first
    yield from pieces


async def pulled(first: str, pieces: Iterator[str]) -> AsyncIterator[str]:
    yield first
    while piece := await sync_to_async(lambda: next(pieces, ""))():
        yield piece
