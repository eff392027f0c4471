"""Binance's WebSocket API: the calls of REST over a socket, and the user stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from aiohttp import web

from market.sandbox import sockets
from market.sandbox.binance.calls import CallRunner
from market.sandbox.binance.notation import BinanceError
from market.sandbox.binance.reports import account_position, balance_update, execution_report
from market.sandbox.events import BalanceUpdate, Event, OrderUpdate
from market.sandbox.sockets import ClientSocket

PATH = "ws-api/v3"


class ApiSession:
    """A connection: who logged on to it, and its subscriptions, each with the account it follows."""

    def __init__(self, socket: ClientSocket) -> None:
        self.socket = socket
        self.account = ""
        self.subscriptions: dict[int, str] = {}


class WebSocketApi:
    """`hear` turns the exchange's events into those of the user streams."""

    def __init__(self, runner: CallRunner) -> None:
        self.desk = runner
        self.sessions: set[ApiSession] = set()
        self._calls = {call.name: call for call in runner.all if call.name}
        self._subscribed = 0

    def on_event(self, event: Event) -> None:
        if not isinstance(event, OrderUpdate | BalanceUpdate):
            return
        frame = ""
        for session in tuple(self.sessions):
            for id_, account in session.subscriptions.items():
                if account == event.account:
                    frame = frame or orjson.dumps(self._describe_event(event)).decode()
                    session.socket.send(f'{{"subscriptionId":{id_},"event":{frame}}}', "user")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        session = ApiSession(await sockets.accept_socket(request, PATH))
        self.sessions.add(session)
        try:
            async for text in session.socket:
                session.socket.send(orjson.dumps(self._answer(session, text)).decode(), "answer")
        finally:
            self.sessions.discard(session)
        return session.socket.response

    def _describe_event(self, event: OrderUpdate | BalanceUpdate) -> Mapping[str, Any]:
        if isinstance(event, OrderUpdate):
            return execution_report(event, self.desk.trading.cancelling)
        if event.deposit is not None:
            return balance_update(event)
        return account_position(event, self.desk.exchange.accounts[event.account])

    def _answer(self, session: ApiSession, text: str) -> Mapping[str, Any]:
        limits = self.desk.quotes.limits
        id_ = None
        try:
            try:
                request = orjson.loads(text)
                id_, method, given = request.get("id"), request["method"], dict(request.get("params") or {})
            except (orjson.JSONDecodeError, TypeError, ValueError, KeyError, AttributeError):
                raise BinanceError(-1135, "Invalid JSON Request") from None
            result = self._run_method(session, str(method), given)
        except BinanceError as problem:
            error: dict[str, Any] = {"code": problem.code, "msg": problem.message}
            if problem.retry_after is not None:
                error["data"] = {"retryAfter": self.desk.quotes.wall() + problem.retry_after * 1000}
            return {"id": id_, "status": problem.status, "error": error, "rateLimits": limits.weight_count()}
        counts = limits.order_counts() if method == "order.place" else []
        return {"id": id_, "status": 200, "result": result, "rateLimits": [*counts, *limits.weight_count()]}

    def _run_method(self, session: ApiSession, method: str, given: dict[str, Any]) -> Any:
        if call := self._calls.get(method):
            return self.desk.run(call, given, lambda: session.account or self._authenticate(given))
        own: dict[str, Callable[[ApiSession, dict[str, Any]], Any]] = {
            "session.logon": self._log_on,
            "session.status": lambda session, given: self._status(session),
            "session.logout": self._log_out,
            "session.subscriptions": lambda session, given: [{"subscriptionId": id_} for id_ in session.subscriptions],
            "userDataStream.subscribe": self._subscribe,
            "userDataStream.subscribe.signature": self._subscribe_signed,
            "userDataStream.unsubscribe": self._unsubscribe,
        }
        if method not in own:
            raise BinanceError(-1020, f"This operation is not supported: {method}.")
        self.desk.quotes.limits.use_weight(2)
        return own[method](session, given)

    def _authenticate(self, given: dict[str, Any]) -> str:
        """The account of signed parameters: the signature is over all others, by name."""
        fields = {name: value for name, value in given.items() if name != "signature"}
        payload = urlencode(sorted(fields.items()))
        signature = str(given.get("signature", ""))
        return self.desk.signing.authenticate(str(given.get("apiKey", "")), payload, signature, given)

    def _log_on(self, session: ApiSession, given: dict[str, Any]) -> Any:
        session.account = self._authenticate(given)
        return self._status(session)

    def _log_out(self, session: ApiSession, given: dict[str, Any]) -> Any:
        session.account = ""
        return self._status(session)

    def _status(self, session: ApiSession) -> Any:
        now = self.desk.quotes.wall()
        since = now if session.account else None
        return {"apiKey": session.account or None, "authorizedSince": since, "connectedSince": now, "serverTime": now}

    def _subscribe(self, session: ApiSession, given: dict[str, Any]) -> Any:
        if not session.account:
            raise BinanceError(-2014, "Log on first, or subscribe with a signature.", status=401)
        return self._follow(session, session.account)

    def _subscribe_signed(self, session: ApiSession, given: dict[str, Any]) -> Any:
        return self._follow(session, self._authenticate(given))

    def _follow(self, session: ApiSession, account: str) -> Any:
        self._subscribed += 1
        session.subscriptions[self._subscribed] = account
        return {"subscriptionId": self._subscribed}

    def _unsubscribe(self, session: ApiSession, given: dict[str, Any]) -> Any:
        """One subscription, or all of the connection."""
        if "subscriptionId" not in given:
            session.subscriptions.clear()
        elif session.subscriptions.pop(given["subscriptionId"], None) is None:
            raise BinanceError(-1102, "Mandatory parameter 'subscriptionId' was not sent, was empty/null, or malformed.")
        return {}
