"""The faults of requests, for both venues: they strike between a client and the face that would answer it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import orjson
from aiohttp import web

from market.sandbox.faults import FaultRule, FaultScript
from market.sandbox.strange import spoil_text
from market.sandbox.wording import reword_text

FAULTS: web.AppKey[FaultScript] = web.AppKey("faults", FaultScript)
STOPPING: web.AppKey[asyncio.Event] = web.AppKey("stopping", asyncio.Event)
NEVER = 120.0
"""Seconds after which a connection that gets no answer is cut."""
SOCKET_PATHS = ("/ws", "/stream", "/coinbase/ws")
REST_PATHS = {"/api/v3/brokerage": "coinbase", "/v2": "coinbase", "/api": "binance", "/sapi": "binance"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def apply_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets the request through to its handler, unless a rule says otherwise."""
    faults = request.app[FAULTS]
    if request.path.startswith(SOCKET_PATHS):
        venue = "coinbase" if request.path.startswith("/coinbase") else "binance"
        return cut_connection(request) if faults.refuses_socket(venue, request.path.lstrip("/")) else await handler(request)
    venue = next((name for prefix, name in REST_PATHS.items() if request.path.startswith(prefix)), "")
    rules = {rule.fault: rule for rule in faults.match_request(venue, request.path)} if venue else {}
    if not rules:
        return await handler(request)
    if "outage" in rules:
        return cut_connection(request)
    if "slow" in rules:
        await asyncio.sleep(rules["slow"].options.get("delay", 1000) / 1000)
    for name in ("ban", "rate_limit", "error"):
        if name in rules:
            return refuse_request(venue, rules[name])
    if "answer" in rules:
        return give_answer(rules["answer"])
    return await _spoil_answer(request, handler, rules)


async def _spoil_answer(request: web.Request, handler: Handler, rules: dict[str, FaultRule]) -> web.StreamResponse:
    """The faults that let a request through and then lose or damage its answer."""
    answer = None if "timeout_before" in rules else await handler(request)
    if answer is None or "timeout_after" in rules:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(request.app[STOPPING].wait(), NEVER)
        return cut_connection(request)
    if not isinstance(answer, web.Response) or not isinstance(answer.body, bytes):
        return answer
    if "say" in rules:
        answer.body = reword_text(answer.body, rules["say"].options["set"])
    if "malformed" in rules:
        answer.body = answer.body[: len(answer.body) // 2]
    if "strange" in rules:
        answer.body = spoil_text(answer.body.decode()).encode()
    return answer


def give_answer(rule: FaultRule) -> web.Response:
    """An answer in the words of the script."""
    status, body = rule.options.get("status", 200), rule.options["body"]
    if isinstance(body, str):
        return web.Response(text=body, status=status, content_type="text/html")
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def cut_connection(request: web.Request) -> web.Response:
    """Ends the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)


def refuse_request(venue: str, rule: FaultRule) -> web.Response:
    """An answer of status 429 or 418, or an error of the server, in the venue's own words."""
    status = {"rate_limit": 429, "ban": 418}.get(rule.fault) or rule.options.get("status", 503)
    headers = {"Retry-After": str(rule.options.get("retry_after", 1))} if rule.fault != "error" else {}
    if venue == "coinbase":
        message = "too many requests" if headers else "internal server error"
        return web.json_response(
            {"error": "RATE_LIMIT_EXCEEDED" if headers else "INTERNAL", "message": message}, status=status, headers=headers
        )
    if not headers:
        return web.Response(text="<html><body>Service unavailable</body></html>", status=status, content_type="text/html")
    message = "Way too much request weight used; IP banned." if rule.fault == "ban" else "Too much request weight used."
    return web.json_response({"code": -1003, "msg": message}, status=status, headers=headers)
