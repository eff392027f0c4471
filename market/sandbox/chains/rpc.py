"""JSON-RPC 2.0 over HTTP, single and in batches, and what can be made to go wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

PARSE_ERROR, INVALID, NO_METHOD, BAD_PARAMS = -32700, -32600, -32601, -32602
Method = Callable[..., Any]
Spoil = Callable[[Any], Any]


class RpcFault(Exception):
    """An error of JSON-RPC, as the answer has it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class ChainNode:
    """What all nodes share. `spoil`: by method or path, what makes another answer of the right one, or raises `RpcFault`; `status`:
    an HTTP status in place of any answer."""

    path = ""

    def __init__(self) -> None:
        self.spoil: dict[str, Spoil] = {}
        self.status = 0
        self.asked = 0

    def add_routes(self, app: web.Application) -> None:
        raise NotImplementedError

    def spoilt(self, name: str, result: Any) -> Any:
        return self.spoil[name](result) if name in self.spoil else result


class RpcNode(ChainNode):
    def methods(self) -> Mapping[str, Method]:
        raise NotImplementedError

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post(self.path, self.serve)

    async def serve(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.status:
            return web.Response(status=self.status, text="no")
        try:
            asked = json.loads(await request.text())
        except ValueError:
            return web.json_response(error_body(None, PARSE_ERROR, "Parse error"))
        answers = [self.answer(one) for one in asked] if isinstance(asked, list) else self.answer(asked)
        return web.json_response(self.spoilt("*", answers))

    def answer(self, asked: Any) -> dict[str, Any]:
        if not isinstance(asked, dict) or asked.get("jsonrpc") != "2.0" or not isinstance(asked.get("method"), str):
            return error_body(None, INVALID, "Invalid request")
        id, name, params = asked.get("id"), asked["method"], asked.get("params", [])
        try:
            method = self.methods().get(name)
            if method is None:
                raise RpcFault(NO_METHOD, f"the method {name} does not exist/is not available")
            return {"jsonrpc": "2.0", "id": id, "result": self.spoilt(name, method(*params))}
        except RpcFault as fault:
            return error_body(id, fault.code, fault.message)
        except (TypeError, ValueError, KeyError, IndexError):
            return error_body(id, BAD_PARAMS, "Invalid params")


def error_body(id: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}


def hash_of(*parts: object) -> str:
    """64 digits that look like the hash of something."""
    return hashlib.sha256(":".join(map(str, parts)).encode()).hexdigest()
