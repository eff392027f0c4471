"""Orders and fills as Coinbase shows them over REST and in its user channel."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from market.sandbox.accounts import SandboxAccount
from market.sandbox.coinbase.configurations import order_configuration
from market.sandbox.coinbase.notation import decimal_text, named_uuid, order_uuid, time_text
from market.sandbox.elsewhere import COINBASE_PLACES, list_assets
from market.sandbox.orders import ZERO, SandboxFill, SandboxOrder

TIME_IN_FORCE = {
    "gtc": "GOOD_UNTIL_CANCELLED",
    "gtd": "GOOD_UNTIL_DATE_TIME",
    "ioc": "IMMEDIATE_OR_CANCEL",
    "fok": "FILL_OR_KILL",
}
TYPES = {"market": "MARKET", "limit": "LIMIT", "stop": "STOP", "stop_limit": "STOP_LIMIT"}
OTHER_KINDS = {"vault": {"type": "ACCOUNT_TYPE_VAULT"}, "futures": {"platform": "ACCOUNT_PLATFORM_INTX"}}
CANCEL_MESSAGES = {
    "user": "User requested cancel",
    "immediate": "No liquidity at the price",
    "self_trade": "Self trade prevented",
    "delisted": "Product delisted",
    "no_funds": "Insufficient funds when triggered",
}


def status_name(order: SandboxOrder) -> str:
    """The status of an order. One that expired without a deadline is cancelled here; Binance calls it expired."""
    if order.status == "expired":
        return "EXPIRED" if order.reason == "deadline" else "CANCELLED"
    return order.status.upper()


def rest_order(order: SandboxOrder) -> dict[str, Any]:
    """An order as REST shows it."""
    over = order.status != "open"
    return {
        "order_id": order_uuid(order.id),
        "product_id": order.symbol,
        "user_id": user_id(order.account),
        "order_configuration": order_configuration(order.request),
        "side": order.side.upper(),
        "client_order_id": order.client_id,
        "status": status_name(order),
        "time_in_force": TIME_IN_FORCE[order.request.tif],
        "created_time": time_text(order.created),
        "completion_percentage": _completion_percentage(order),
        "filled_size": decimal_text(order.filled),
        "average_filled_price": decimal_text(order.average),
        "fee": decimal_text(order.fees),
        "number_of_fills": str(len(order.fills)),
        "filled_value": decimal_text(order.value),
        "pending_cancel": False,
        "size_in_quote": bool(order.request.quote_qty),
        "total_fees": decimal_text(order.fees),
        "size_inclusive_of_fees": False,
        "total_value_after_fees": decimal_text(_after_fees(order)),
        "trigger_status": _trigger_status(order),
        "order_type": TYPES[order.request.type],
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": over,
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": CANCEL_MESSAGES.get(order.reason, "") if over else "",
        "order_placement_source": "RETAIL_ADVANCED",
        "outstanding_hold_amount": decimal_text(order.held),
        "is_liquidation": False,
        "last_fill_time": time_text(order.fills[-1].time) if order.fills else None,
        "leverage": "",
        "margin_type": "",
        "retail_portfolio_id": portfolio_id(order.account),
        "originating_order_id": "",
        "attached_order_id": "",
    }


def user_order(order: SandboxOrder) -> dict[str, Any]:
    """An order as the user channel shows it."""
    request = order.request
    return {
        "avg_price": decimal_text(order.average),
        "cancel_reason": CANCEL_MESSAGES.get(order.reason, ""),
        "client_order_id": order.client_id,
        "completion_percentage": _completion_percentage(order),
        "contract_expiry_type": "UNKNOWN_CONTRACT_EXPIRY_TYPE",
        "creation_time": time_text(order.created),
        "cumulative_quantity": decimal_text(order.filled),
        "end_time": time_text(request.expires) if request.expires else "0001-01-01T00:00:00Z",
        "filled_value": decimal_text(order.value),
        "leaves_quantity": decimal_text(order.remaining) if order.status == "open" else "0",
        "limit_price": decimal_text(request.limit),
        "number_of_fills": str(len(order.fills)),
        "order_id": order_uuid(order.id),
        "order_side": order.side.upper(),
        "order_type": TYPES[request.type].replace("_", " ").title(),
        "outstanding_hold_amount": decimal_text(order.held),
        "post_only": "true" if request.post_only else "false",
        "product_id": order.symbol,
        "product_type": "SPOT",
        "reject_reason": "",
        "retail_portfolio_id": portfolio_id(order.account),
        "risk_managed_by": "UNKNOWN_RISK_MANAGEMENT_TYPE",
        "start_time": "0001-01-01T00:00:00Z",
        "status": status_name(order),
        "stop_price": decimal_text(request.stop) if request.stop else "",
        "time_in_force": TIME_IN_FORCE[request.tif],
        "total_fees": decimal_text(order.fees),
        "total_value_after_fees": decimal_text(_after_fees(order)),
        "trigger_status": _trigger_status(order),
    }


def rest_fill(fill: SandboxFill, account: str) -> dict[str, Any]:
    """A fill of an account as REST shows it."""
    return {
        "entry_id": named_uuid("entry", str(fill.id), str(fill.order_id)),
        "trade_id": str(fill.id),
        "order_id": order_uuid(fill.order_id),
        "trade_time": time_text(fill.time),
        "trade_type": "FILL",
        "price": decimal_text(fill.price),
        "size": decimal_text(fill.qty),
        "commission": decimal_text(fill.fee),
        "product_id": fill.symbol,
        "sequence_timestamp": time_text(fill.time),
        "liquidity_indicator": "MAKER" if fill.maker else "TAKER",
        "size_in_quote": False,
        "user_id": user_id(account),
        "side": fill.side.upper(),
        "retail_portfolio_id": portfolio_id(account),
    }


def rest_account(account: SandboxAccount, asset: str, opened: int) -> dict[str, Any]:
    """One asset, which is an account at Coinbase. `opened` is when the sandbox began, ms."""
    balance = account.balance(asset)
    return {
        "uuid": named_uuid("account", account.name, asset),
        "name": f"{asset} Wallet",
        "currency": asset,
        "available_balance": {"value": decimal_text(balance.free), "currency": asset},
        "default": asset == "BTC",
        "active": True,
        "created_at": time_text(opened),
        "updated_at": time_text(max(opened, account.updated)),
        "deleted_at": None,
        "type": "ACCOUNT_TYPE_FIAT" if asset in ("USD", "EUR", "GBP") else "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
        "hold": {"value": decimal_text(balance.held), "currency": asset},
        "retail_portfolio_id": portfolio_id(account.name),
    }


def list_other_accounts(account: SandboxAccount, opened: int) -> list[dict[str, Any]]:
    """Vaults, and what is set aside for futures, beside the wallets of the same assets."""
    return [
        rest_account(account, asset, opened)
        | {
            "uuid": named_uuid("account", account.name, f"{place} {asset}"),
            "name": f"{asset} {place.title()}",
            "available_balance": {"value": decimal_text(amount), "currency": asset},
            "hold": {"value": "0", "currency": asset},
            "default": False,
            **OTHER_KINDS[place],
        }
        for place in COINBASE_PLACES
        for asset, amount in list_assets(account.elsewhere, place)
    ]


def user_id(account: str) -> str:
    return named_uuid("user", account)


def portfolio_id(account: str) -> str:
    return named_uuid("portfolio", account)


def _completion_percentage(order: SandboxOrder) -> str:
    return decimal_text((100 * order.filled / order.qty).quantize(Decimal("0.01"))) if order.qty else "0"


def _after_fees(order: SandboxOrder) -> Decimal:
    """What the fills cost, or brought in, with their fees."""
    return order.value + (order.fees if order.side == "buy" else -order.fees) if order.filled else ZERO


def _trigger_status(order: SandboxOrder) -> str:
    if not order.request.stop:
        return "INVALID_ORDER_TYPE"
    return "STOP_TRIGGERED" if order.triggered else "STOP_PENDING"
