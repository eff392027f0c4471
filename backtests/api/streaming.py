"""Long answers a piece at a time, whichever server asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from rest_framework.request import Request


def stream_pieces(request: Request, pieces: Iterator[str]) -> Iterator[str] | AsyncIterator[str]:
    """Django collects a plain iterator whole before it serves it over ASGI; an asynchronous one it passes on."""
    first = next(pieces, "")  # before the headers go out, so that a refusal still has its status
    return pull_pieces(first, pieces) if isinstance(request._request, ASGIRequest) else chain_pieces(first, pieces)


def chain_pieces(first: str, pieces: Iterator[str]) -> Iterator[str]:
    yield first
    yield from pieces


async def pull_pieces(first: str, pieces: Iterator[str]) -> AsyncIterator[str]:
    yield first
    while piece := await sync_to_async(lambda: next(pieces, ""))():
        yield piece
