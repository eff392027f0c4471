"""Binance's REST: turns requests into calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from market.sandbox.binance.calls import BinanceCall, CallRunner
from market.sandbox.binance.notation import BinanceError


def add_routes(app: web.Application, runner: CallRunner) -> None:
    for call in runner.all:
        app.router.add_route(call.method, call.path, _make_handler(runner, call))
    app.router.add_route("*", "/api/v3/userDataStream", _refuse_listen_key)
    app.router.add_route("*", "/api/v3/{rest:(?!brokerage).*}", _refuse_unknown_path)
    app.router.add_route("*", "/{product:sapi|fapi|dapi|eapi|papi}/{rest:.*}", _refuse_product)


def json_answer(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(body), status=status, headers=headers, content_type="application/json")


def error_answer(problem: BinanceError, headers: dict[str, str] | None = None) -> web.Response:
    more = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    return json_answer(problem.body, status=problem.status, headers={**(headers or {}), **more})


def _make_handler(runner: CallRunner, call: BinanceCall) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        payload, fields = _split_signed(request.rel_url.raw_query_string, await request.text() if request.can_read_body else "")
        signature = fields.pop("signature", "")
        key = request.headers.get("X-MBX-APIKEY", "")
        limits = runner.limits
        try:
            body = runner.run(call, fields, lambda: runner.signing.authenticate(key, payload, signature, fields))
        except BinanceError as problem:
            return error_answer(problem, limits.headers(order=call.places, limit=call.limit))
        return json_answer(body, headers=limits.headers(order=call.places, limit=call.limit))

    return handle


def _split_signed(query: str, body: str) -> tuple[str, dict[str, str]]:
    """(the signed text, all parameters). The text is the query and then the body, byte for byte, without the signature."""
    fields = dict(parse_qsl(query, keep_blank_values=True)) | dict(parse_qsl(body, keep_blank_values=True))
    parts = [[field for field in text.split("&") if not field.startswith("signature=")] for text in (query, body)]
    return "".join("&".join(part) for part in parts), fields


async def _refuse_listen_key(request: web.Request) -> web.Response:
    return error_answer(BinanceError(-1000, "Listen keys were removed. Subscribe with the WebSocket API.", status=410))


async def _refuse_unknown_path(request: web.Request) -> web.Response:
    return json_answer({"code": -1101, "msg": f"Unknown path {request.path}."}, status=404)


async def _refuse_product(request: web.Request) -> web.Response:
    """What is not played here is refused as to a key that has no right to it."""
    return error_answer(BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", status=401))
