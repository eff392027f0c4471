"""Events of the user stream."""

from __future__ import annotations

from market.sandbox.accounts import SandboxAccount
from market.sandbox.binance.forms import NOT_A_LIST, Json
from market.sandbox.binance.notation import amount_text, status_name, type_name, venue_symbol
from market.sandbox.events import BalanceUpdate, OrderUpdate
from market.sandbox.orders import ZERO

EXECUTIONS = {"new": "NEW", "trade": "TRADE", "cancelled": "CANCELED", "expired": "EXPIRED", "triggered": "NEW"}


def execution_report(update: OrderUpdate, cancel_id: str = "") -> Json:
    """`cancel_id` names the cancellation, where there was one: then it is `c`, and the order's own id is `C`."""
    order, fill, request, cancelled = update.order, update.fill, update.order.request, update.execution == "cancelled"
    last = (fill.price, fill.qty, fill.value) if fill else (ZERO, ZERO, ZERO)
    return {
        "e": "executionReport",
        "E": update.time,
        "s": venue_symbol(order.symbol),
        "c": cancel_id if cancelled and cancel_id else order.client_id,
        "S": order.side.upper(),
        "o": type_name(request),
        "f": request.tif.upper(),
        "q": amount_text(order.qty),
        "p": amount_text(request.limit),
        "P": amount_text(request.stop),
        "F": amount_text(ZERO),
        "g": NOT_A_LIST,
        "C": order.client_id if cancelled else "",
        "x": "TRADE_PREVENTION" if order.reason == "self_trade" else EXECUTIONS[update.execution],
        "X": status_name(order),
        "r": "NONE",
        "i": order.id,
        "l": amount_text(last[1]),
        "z": amount_text(order.filled),
        "L": amount_text(last[0]),
        "n": amount_text(fill.fee) if fill else "0",
        "N": fill.fee_asset if fill else None,
        "T": update.time,
        "t": fill.id if fill else NOT_A_LIST,
        "I": update.sequence,
        "w": order.status == "open" and not order.waiting and bool(request.limit),
        "m": fill.maker if fill else False,
        "M": False,
        "O": order.created,
        "Z": amount_text(order.value),
        "Y": amount_text(last[2]),
        "Q": amount_text(request.quote_qty),
        "V": "EXPIRE_MAKER",
        **({} if order.waiting else {"W": order.working_time}),
    }


def account_position(update: BalanceUpdate, account: SandboxAccount) -> Json:
    rows = [(asset, account.balance(asset)) for asset in update.assets]
    return {
        "e": "outboundAccountPosition",
        "E": update.time,
        "u": account.updated or update.time,
        "B": [{"a": asset, "f": amount_text(balance.free), "l": amount_text(balance.held)} for asset, balance in rows],
    }


def balance_update(update: BalanceUpdate) -> Json:
    """A deposit, or money that left."""
    return {
        "e": "balanceUpdate",
        "E": update.time,
        "a": update.assets[0],
        "d": amount_text(update.deposit or ZERO),
        "T": update.time,
    }
