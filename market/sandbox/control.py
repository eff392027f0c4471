"""The control endpoint, for tests and for the curious: it shows what the sandbox holds and changes what it plays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from aiohttp import web

from market.sandbox.elsewhere import PLACES
from market.sandbox.exchange import SandboxExchange
from market.sandbox.faults import BadFault
from market.sandbox.movements import KINDS, STAGES, MovementKind, MovementLeg, MovementTicket, SandboxMovement, Stage
from market.sandbox.orders import ZERO, RequestRefused, SandboxFill, SandboxOrder
from market.sandbox.venues import SandboxVenues


def describe_exchange(exchange: SandboxExchange) -> dict[str, Any]:
    """What the accounts own and did, and the last prices. Money is decimal text."""
    return {
        "time": exchange.clock(),
        "prices": {symbol: str(market.book.last) for symbol, market in exchange.markets.items()},
        "accounts": {
            name: {
                "balances": {
                    asset: {"free": format(balance.free, "f"), "held": format(balance.held, "f")}
                    for asset, balance in account.balances.items()
                },
                "orders": [describe_order(order) for order in account.orders.values()],
                "fills": [describe_fill(fill) for fill in account.fills],
                "movements": [describe_movement(made) for made in account.movements.values()],
            }
            for name, account in exchange.accounts.items()
        },
    }


def describe_order(order: SandboxOrder) -> dict[str, Any]:
    """An order as the control endpoint shows it. Money is decimal text, times are ms."""
    request = order.request
    return {
        "id": order.id,
        "client_id": order.client_id,
        "symbol": order.symbol,
        "side": order.side,
        "type": request.type,
        "tif": request.tif,
        "status": order.status,
        "reason": order.reason,
        "qty": format(order.qty, "f"),
        "limit": format(request.limit, "f"),
        "stop": format(request.stop, "f"),
        "filled": format(order.filled, "f"),
        "value": format(order.value, "f"),
        "fees": format(order.fees, "f"),
        "created": order.created,
        "updated": order.updated,
    }


def describe_fill(fill: SandboxFill) -> dict[str, Any]:
    return {
        "id": fill.id,
        "order_id": fill.order_id,
        "client_id": fill.client_id,
        "symbol": fill.symbol,
        "side": fill.side,
        "price": format(fill.price, "f"),
        "qty": format(fill.qty, "f"),
        "fee": format(fill.fee, "f"),
        "fee_asset": fill.fee_asset,
        "maker": fill.maker,
        "time": fill.time,
    }


def describe_movement(made: SandboxMovement) -> dict[str, Any]:
    ticket = made.request
    return {
        "id": made.id,
        "kind": ticket.kind,
        "stage": made.stage,
        "legs": {leg.asset: format(leg.amount, "f") for leg in ticket.legs},
        "fee": format(ticket.fee, "f"),
        "fee_asset": ticket.fee_asset,
        "network": ticket.network,
        "address": ticket.address,
        "txid": ticket.txid,
        "other": ticket.other,
        "wallet": ticket.wallet,
        "created": made.created,
        "ended": made.ended,
    }


class ControlEndpoints:
    """`/sandbox/state`, `/sandbox/faults`, `/sandbox/step`, `/sandbox/trade`, `/sandbox/deposit`, `/sandbox/movement` and
    `/sandbox/permissions`. All take and give JSON."""

    def __init__(self, sandbox: SandboxVenues) -> None:
        self.sandbox = sandbox

    async def state(self, request: web.Request) -> web.Response:
        return web.json_response({venue: describe_exchange(exchange) for venue, exchange in self.sandbox.exchanges.items()})

    async def faults(self, request: web.Request) -> web.Response:
        """Adds a rule or a list of rules."""
        body = await _read_json(request)
        rules = body if isinstance(body, list) else [body]
        try:
            self.sandbox.faults.add(rules)
        except (BadFault, AttributeError) as error:
            raise _bad_request(str(error)) from None
        self.sandbox.strike()
        return web.json_response({"rules": len(self.sandbox.faults.rules)})

    async def mend(self, request: web.Request) -> web.Response:
        self.sandbox.faults.clear()
        return web.json_response({"rules": 0})

    async def step(self, request: web.Request) -> web.Response:
        """Moves the market on. Body: `{"ms": 1000}`."""
        milliseconds = (await _read_object(request)).get("ms")
        if type(milliseconds) is not int or not 0 <= milliseconds <= 10**9:
            raise _bad_request("ms: give whole milliseconds, 0 to 1000000000.")
        self.sandbox.step(milliseconds)
        return web.json_response({"time": self.sandbox.tape.now})

    async def trade(self, request: web.Request) -> web.Response:
        """Makes a trade of others, now. Body: `{"venue", "symbol", "price", "qty", "buyer_is_maker"}`."""
        body = await _read_object(request)
        exchange, maker = self._exchange(body), bool(body.get("buyer_is_maker", True))
        price, qty = _read_positive(body, "price"), _read_positive(body, "qty")
        try:
            exchange.trade(str(body.get("symbol")), price, qty, buyer_is_maker=maker)
        except RequestRefused as error:
            raise _bad_request(f"symbol: {error}") from None
        return web.json_response({"time": self.sandbox.tape.now})

    async def permissions(self, request: web.Request) -> web.Response:
        """Sets what the keys may do. Body: `{"can_trade", "can_withdraw", "ip_restricted"}`, each true or false."""
        body = await _read_object(request)
        for name, value in body.items():
            if name not in ("can_trade", "can_withdraw", "ip_restricted") or not isinstance(value, bool):
                raise _bad_request(f"{name}: give can_trade, can_withdraw or ip_restricted as true or false.")
        self.sandbox.permit(**body)
        return web.json_response(body)

    async def deposit(self, request: web.Request) -> web.Response:
        """Brings money into the key's account, or takes it out (below zero). Body: `{"venue", "asset", "amount"}`."""
        body = await _read_object(request)
        exchange = self._exchange(body)
        try:
            exchange.deposit(self.sandbox.keys[exchange.venue].name, str(body.get("asset")), _read_number(body, "amount"))
        except RequestRefused as error:
            raise _bad_request(f"amount: {error}") from None
        return web.json_response({"time": self.sandbox.tape.now})

    async def elsewhere(self, request: web.Request) -> web.Response:
        """Sets what the key's account has outside of spot trading. Body: `{"venue", "place", "asset", "amount"}`."""
        body = await _read_object(request)
        exchange = self._exchange(body)
        if (place := str(body.get("place"))) not in PLACES[exchange.venue]:
            raise _bad_request(f"place: use one of {', '.join(PLACES[exchange.venue])}.")
        holder = exchange.accounts[self.sandbox.keys[exchange.venue].name]
        holder.elsewhere[place, str(body.get("asset"))] = _read_number(body, "amount")
        return web.json_response({"time": self.sandbox.tape.now})

    async def movement(self, request: web.Request) -> web.Response:
        """Begins a movement, or with an `id` brings one to another stage. Body: `{"venue", "kind", "legs": {asset: amount},
        "stage", "fee", "fee_asset", "network", "address", "txid", "other", "wallet", "created"}`, or `{"venue", "id", "stage"}`."""
        body = await _read_object(request)
        exchange = self._exchange(body)
        account, stage = self.sandbox.keys[exchange.venue].name, _read_word(body, "stage", STAGES, "done")
        try:
            if "id" in body:
                made = exchange.settle(account, _read_whole(body, "id"), cast(Stage, stage))
            else:
                created = _read_whole(body, "created") if "created" in body else None
                made = exchange.move(account, read_movement(body), cast(Stage, stage), created)
        except RequestRefused as error:
            raise _bad_request(str(error)) from None
        return web.json_response(describe_movement(made))

    def _exchange(self, body: Mapping[str, Any]) -> SandboxExchange:
        try:
            return self.sandbox.exchanges[str(body.get("venue"))]
        except KeyError:
            raise _bad_request(f"venue: use one of {', '.join(self.sandbox.exchanges)}.") from None


def add_routes(app: web.Application, sandbox: SandboxVenues) -> None:
    control = ControlEndpoints(sandbox)
    app.router.add_get("/sandbox/state", control.state)
    app.router.add_post("/sandbox/faults", control.faults)
    app.router.add_delete("/sandbox/faults", control.mend)
    app.router.add_post("/sandbox/step", control.step)
    app.router.add_post("/sandbox/trade", control.trade)
    app.router.add_post("/sandbox/permissions", control.permissions)
    app.router.add_post("/sandbox/deposit", control.deposit)
    app.router.add_post("/sandbox/elsewhere", control.elsewhere)
    app.router.add_post("/sandbox/movement", control.movement)


def read_movement(body: Mapping[str, Any]) -> MovementTicket:
    """The movement that a body asks for."""
    legs = body.get("legs")
    if not isinstance(legs, dict) or not legs:
        raise _bad_request('legs: give an object of amounts by asset, such as {"BTC": "0.5"}; below zero they leave.')
    texts = {name: body.get(name, "") for name in ("fee_asset", "network", "address", "txid", "other")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise _bad_request(f"{name}: give a text.")
    return MovementTicket(
        cast(MovementKind, _read_word(body, "kind", KINDS)),
        tuple(MovementLeg(asset, _read_number(legs, asset)) for asset in legs),
        _read_number(body, "fee") if "fee" in body else ZERO,
        **texts,
        wallet=_read_word(body, "wallet", ("spot", "funding"), "spot"),
    )


async def _read_json(request: web.Request) -> Any:
    try:
        return await request.json()
    except ValueError:
        raise _bad_request("The body must be JSON.") from None


async def _read_object(request: web.Request) -> Mapping[str, Any]:
    body = await _read_json(request)
    if not isinstance(body, dict):
        raise _bad_request("The body must be a JSON object.")
    return body


def _read_word(body: Mapping[str, Any], name: str, words: Sequence[str], default: str = "") -> str:
    if (word := body.get(name, default)) not in words:
        raise _bad_request(f"{name}: use one of {', '.join(words)}.")
    return str(word)


def _read_whole(body: Mapping[str, Any], name: str) -> int:
    value = body[name]
    if type(value) is not int or value < 0:
        raise _bad_request(f"{name}: give a whole number.")
    return value


def _read_number(body: Mapping[str, Any], name: str) -> Decimal:
    try:
        number = Decimal(str(body.get(name)))
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite():
        raise _bad_request(f"{name}: give a decimal number.")
    return number


def _read_positive(body: Mapping[str, Any], name: str) -> Decimal:
    if (number := _read_number(body, name)) <= 0:
        raise _bad_request(f"{name}: give a number above zero.")
    return number


def _bad_request(message: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"error": message}), content_type="application/json")
