"""What Coinbase's refusals mean: who or what can change the answer. From its API reference and from lists of its codes that others
have published in 2026; those that only others name are not verified.

Most reasons have a twin with PREVIEW_ before it, which means the same."""

from __future__ import annotations

from market.exchanges.base import RefusalKind

DUPLICATE = "DUPLICATE_CLIENT_ORDER_ID"
UNTOLD = ("", "UNKNOWN_FAILURE_REASON", "UNKNOWN_PREVIEW_FAILURE_REASON")
"""The venue says no, and not why: nothing is concluded from it."""
CANCEL_UNTOLD = ("", "UNKNOWN_CANCEL_FAILURE_REASON")
ORDER_OVER = (
    "UNKNOWN_CANCEL_ORDER",
    "ORDER_IS_FULLY_FILLED",
    "INVALID_CANCEL_REQUEST",
    "COMMANDER_REJECTED_CANCEL_ORDER",
    "DUPLICATE_CANCEL_REQUEST",
)
"""The order is over, or a cancellation is under way: in each case the order itself says more."""

REASONS: dict[RefusalKind, tuple[str, ...]] = {
    "passing": (
        "ORDER_ENTRY_DISABLED",
        "PRODUCT_TRADING_HALTED",
        "TRADING_DISABLED",
        "NOT_ALLOWED_BY_MARKET_STATE",
        "MISSING_MARKET_TRADE_DATA",
        "MISSING_PRODUCT_PRICE_BOOK",
        "INVALID_NO_LIQUIDITY",
        "RFQ_RATE_LIMITED",
        "RISK_PROXY_FAILURE",
        "INVALID_LIMIT_PRICE_POST_ONLY",
        "STOP_ALREADY_TRIGGERED",
        "LIMIT_PRICE_TOO_FAR_FROM_MARKET",
        "LIMIT_ORDER_PRICE_EXCEEDS_PRICE_BAND_ON_BUY",
        "LIMIT_ORDER_PRICE_EXCEEDS_PRICE_BAND_ON_SELL",
        "STOP_PRICE_ABOVE_LAST_TRADE_PRICE",
        "STOP_PRICE_BELOW_LAST_TRADE_PRICE",
        "BREACHED_PRICE_LIMIT",
        "ORDER_IS_BEING_REPLACED",
    ),
    "person": (
        "INSUFFICIENT_FUND",
        "INSUFFICIENT_FUNDS",
        "INVALID_LEDGER_BALANCE",
        "COMPLIANCE_PURCHASE_LIMIT_EXCEEDED",
        "GEOFENCING_RESTRICTION",
        "NOT_ALLOWED_TO_CANCEL",
    ),
    "ours": (
        "UNSUPPORTED_ORDER_CONFIGURATION",
        "INVALID_SIDE",
        "INVALID_PRODUCT_ID",
        "INVALID_SIZE_PRECISION",
        "INVALID_PRICE_PRECISION",
        "INVALID_LIMIT_PRICE",
        "INVALID_STOP_PRICE",
        "INVALID_REQUEST",
        "INVALID_BASE_SIZE_TOO_SMALL",
        "INVALID_BASE_SIZE_TOO_LARGE",
        "INVALID_QUOTE_SIZE_TOO_SMALL",
        "INVALID_QUOTE_SIZE_TOO_LARGE",
        "FOK_DISABLED",
        "POST_ONLY_NOT_ALLOWED_WITH_FOK",
        "INVALID_CANCEL_PRODUCT_ID",
        "INVALID_CANCEL_FCM_TRADING_SESSION",
    ),
}
KINDS: dict[str, RefusalKind] = {reason: kind for kind, reasons in REASONS.items() for reason in reasons}


def classify_refusal(reason: str) -> RefusalKind:
    """`lasting` where nothing is known of it: then the same order is not sent over and over."""
    return KINDS.get(reason) or KINDS.get(reason.removeprefix("PREVIEW_"), "lasting")
