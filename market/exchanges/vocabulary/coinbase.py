"""Coinbase Advanced Trade's words for orders, products, streams and money."""

from __future__ import annotations

from typing import Any, Literal

from market.exchanges.base import OrderType, Place, Side, VenueStatus
from market.exchanges.movements import MovementKind, MovementState
from market.exchanges.vocabulary.words import (
    Contents,
    Enumeration,
    Market,
    Source,
    Told,
    Unused,
    ask_nothing,
    leave_out,
    pass_over,
    split_words,
    spread_words,
)

REFERENCE = Source("docs.cdp.coinbase.com, API reference and WebSocket channels of Advanced Trade", "copies to 2026-07")
APP = Source("docs.cdp.coinbase.com, Coinbase App: transactions", "copies to 2026")

ORDER_STATUS = Enumeration[VenueStatus](
    name="order status",
    where="orders and channel `user`: `status`",
    does="The status of the report; an accepted order that has fills is partially filled. Of one that is `other` nothing is"
    " concluded, and the order is asked for again.",
    source=REFERENCE,
    words=spread_words(
        {
            "accepted": "PENDING OPEN QUEUED EDIT_QUEUED CANCEL_QUEUED",
            "filled": "FILLED",
            "cancelled": "CANCELLED",
            "expired": "EXPIRED",
            "rejected": "FAILED",
            "other": "UNKNOWN_ORDER_STATUS",
        }
    ),
    otherwise="other",
)
ORDER_TYPE = Enumeration[OrderType](
    name="order type",
    where="orders and channel `user`: `order_type`, there as `Stop Limit`",
    does="The type of the report. One that is `other` can be cancelled, and is never sent.",
    source=REFERENCE,
    words=spread_words(
        {
            "market": "MARKET",
            "limit": "LIMIT",
            "stop": "STOP",
            "stop_limit": "STOP_LIMIT",
            "other": "BRACKET TAKE_PROFIT_STOP_LOSS TWAP SCALED ROLL_OPEN ROLL_CLOSE LIQUIDATION UNKNOWN_ORDER_TYPE",
        }
    ),
    otherwise="other",
)
ACCOUNT_TYPE = Enumeration[Place](
    name="account type",
    where="accounts: `type`",
    does="Where its money is. What is not `spot` is no balance: no order can use it, and it is shown by itself.",
    source=REFERENCE,
    words=spread_words(
        {
            "spot": "ACCOUNT_TYPE_CRYPTO ACCOUNT_TYPE_FIAT",
            "vault": "ACCOUNT_TYPE_VAULT",
            "futures": "ACCOUNT_TYPE_PERP_FUTURES",
            "other": "ACCOUNT_TYPE_UNSPECIFIED",
        }
    ),
    otherwise="other",
    unverified=split_words("ACCOUNT_TYPE_UNSPECIFIED ACCOUNT_TYPE_PERP_FUTURES"),
)
ACCOUNT_PLATFORM = Enumeration[Place](
    name="account platform",
    where="accounts: `platform`",
    does="Where its money is, unless its type says so already.",
    source=REFERENCE,
    words=spread_words(
        {
            "spot": "ACCOUNT_PLATFORM_CONSUMER ACCOUNT_PLATFORM_UNSPECIFIED",
            "futures": "ACCOUNT_PLATFORM_CFM_CONSUMER ACCOUNT_PLATFORM_INTX",
        }
    ),
    otherwise="other",
    unverified=split_words("ACCOUNT_PLATFORM_UNSPECIFIED ACCOUNT_PLATFORM_CFM_CONSUMER ACCOUNT_PLATFORM_INTX"),
)
SIDE = Enumeration[Side](
    name="side",
    where="orders: `side`; channel `user`: `order_side`",
    does="The side of the report.",
    source=REFERENCE,
    words={"BUY": "buy", "SELL": "sell"},
)
CONFIGURATION = Enumeration[Literal["sent", "read"]](
    name="order configuration",
    where="orders: the name inside `order_configuration`",
    does="`base_size`, `limit_price` and `stop_price` are read of each. Without a `base_size` the quantity is what was filled.",
    source=REFERENCE,
    words=spread_words(
        {
            "sent": "market_market_ioc sor_limit_ioc limit_limit_gtc limit_limit_fok stop_limit_stop_limit_gtc",
            "read": """
                market_market_fok limit_limit_gtd stop_limit_stop_limit_gtd trigger_bracket_gtc trigger_bracket_gtd twap_limit_gtd
                scaled_limit_gtc
                """,
        }
    ),
    otherwise="read",
)
STOP_DIRECTION = Enumeration[Literal["sent"]](
    name="stop direction",
    where="orders: `stop_direction`",
    does="Sent with stop limits: up for a purchase, down for a sale.",
    source=REFERENCE,
    words=spread_words({"sent": "STOP_DIRECTION_STOP_UP STOP_DIRECTION_STOP_DOWN"}),
)
REJECT_REASON = Enumeration[Told](
    name="reject reason",
    where="orders and channel `user`: `reject_reason`",
    does="The reason of the report.",
    source=REFERENCE,
    words=spread_words(
        {
            "nothing": "REJECT_REASON_UNSPECIFIED",
            "told": "HOLD_FAILURE TOO_MANY_OPEN_ORDERS REJECT_REASON_INSUFFICIENT_FUNDS RATE_LIMIT_EXCEEDED",
        }
    ),
    otherwise="told",
    unverified=split_words("HOLD_FAILURE TOO_MANY_OPEN_ORDERS REJECT_REASON_INSUFFICIENT_FUNDS RATE_LIMIT_EXCEEDED"),
)
TRADE_TYPE = Enumeration[Literal["execution"]](
    name="trade type",
    where="fills: `trade_type`",
    does="An execution is booked. A row with any other type is kept as it came, told and not booked.",
    source=REFERENCE,
    words={"FILL": "execution"},
    notes={"FILL": "others have met REVERSAL, CORRECTION and SYNTHETIC, which take a trade back or put one in its place"},
)
LIQUIDITY = Enumeration[Literal["maker", "taker"]](
    name="liquidity indicator",
    where="fills: `liquidity_indicator`",
    does="Whether the execution made or took liquidity. The fee is the venue's own in both cases.",
    source=REFERENCE,
    words={"MAKER": "maker", "TAKER": "taker", "UNKNOWN_LIQUIDITY_INDICATOR": "taker"},
    otherwise="taker",
)
PRODUCT_STATUS = Enumeration[Market](
    name="product status",
    where="products: `status`",
    does="Whether orders are sent for it.",
    source=REFERENCE,
    words=spread_words({"trades": "online", "halted": "offline delisted"}),
    otherwise="halted",
    unverified=split_words("offline delisted"),
)
PRODUCT_FLAG = Enumeration[Market | Literal["limits only", "resting only"]](
    name="product flag",
    where="products: true or false",
    does="Whether orders are sent for it, and of which types.",
    source=REFERENCE,
    words=spread_words(
        {
            "halted": "is_disabled trading_disabled cancel_only view_only auction_mode",
            "limits only": "limit_only",
            "resting only": "post_only",
        }
    ),
    notes={"view_only": "told only where it is asked for"},
)
GRANULARITY = Enumeration[Literal["candle"] | Unused](
    name="granularity",
    where="`GET candles`: `granularity`",
    does="Candles of it are asked for. 3m, 4h, 8h, 12h, 3d, 1w and 1M are made of shorter ones.",
    source=REFERENCE,
    words=spread_words(
        {
            "candle": "ONE_MINUTE FIVE_MINUTE FIFTEEN_MINUTE THIRTY_MINUTE ONE_HOUR TWO_HOUR SIX_HOUR ONE_DAY",
            "unsent": "UNKNOWN_GRANULARITY",
        }
    ),
)
CHANNEL = Enumeration[Contents | Unused](
    name="channel",
    where="streams: `channel`",
    does="What a message brings. Of a channel that was not asked for it is skipped and counted.",
    source=REFERENCE,
    words=spread_words(
        {
            "alive": "heartbeats",
            "confirmation": "subscriptions",
            "tick": "market_trades",
            "depth": "l2_data",
            "report": "user",
            "unread": "level2 ticker ticker_batch candles status futures_balance_summary",
        }
    ),
    otherwise="unread",
    notes={
        "market_trades": "candles are made of it",
        "level2": "asked for by this name, and answered as `l2_data`",
    },
)
EVENT_TYPE = Enumeration[Literal["snapshot", "update"]](
    name="event type",
    where="streams: `events[].type`",
    does="Of a snapshot of trades only the last one is news. A snapshot of the book replaces it.",
    source=REFERENCE,
    words={"snapshot": "snapshot", "update": "update"},
    otherwise="update",
)
BOOK_SIDE = Enumeration[Side](
    name="side of the book",
    where="channel `l2_data`: `side`",
    does="The side of the depth.",
    source=REFERENCE,
    words={"bid": "buy", "offer": "sell", "ask": "sell"},
    unverified=frozenset({"ask"}),
)
FUTURES = "derivatives_settlement fcm_futures_usdc_sell fcm_futures_usdc_sell_additional_encumberment_rollup"
OLD_TRANSFERS = "exchange_deposit exchange_withdrawal pro_deposit pro_withdrawal"
TRANSACTION = Enumeration[MovementKind | Literal["sent", "fill"]](
    name="transaction",
    where="`GET /v2/accounts/:id/transactions`: `type`",
    does="The kind of the movement. `sent`: a deposit or a withdrawal, by the sign of its amount. `fill`: it is told among the"
    " fills, and left out here. What is `other` is shown and not counted.",
    source=APP,
    words=spread_words(
        {
            "fill": "advanced_trade_fill",
            "sent": "send receive request tx unsupported_asset_recovery",
            "deposit": "fiat_deposit",
            "withdrawal": "fiat_withdrawal subscription",
            "conversion": "buy sell trade wrap_asset unwrap_asset",
            "dust": "retail_simple_dust",
            "transfer": f"""
                transfer vault_withdrawal staking_transfer unstaking_transfer intx_deposit intx_withdrawal {FUTURES} {OLD_TRANSFERS}
                """,
            "reward": """
                earn_payout incentives_rewards_payout incentives_shared_clawback clawback staking_reward interest inflation_reward
                """,
            "rebate": "subscription_rebate",
        }
    ),
    otherwise="other",
    unverified=split_words(f"staking_reward interest inflation_reward {OLD_TRANSFERS}"),
    notes={
        "trade": "a conversion: one row for each leg",
        "request": "of money; once it is paid, it is one that was sent",
        "tx": "of no kind that the venue tells",
        "clawback": "of a reward: its amount is below zero",
    },
)
TRANSACTION_STATUS = Enumeration[MovementState](
    name="transaction status",
    where="`GET /v2/accounts/:id/transactions`: `status`",
    does="The state of the movement. Of one that is `other` nothing is concluded.",
    source=APP,
    words=spread_words(
        {
            "pending": "pending waiting_for_clearing waiting_for_signature created",
            "done": "completed",
            "failed": "failed expired canceled",
        }
    ),
    otherwise="other",
    unverified=frozenset({"created"}),
)
UNUSED = (
    pass_over(
        "time in force",
        "orders: `time_in_force`",
        "UNKNOWN_TIME_IN_FORCE GOOD_UNTIL_DATE_TIME GOOD_UNTIL_CANCELLED IMMEDIATE_OR_CANCEL FILL_OR_KILL",
        REFERENCE,
    ),
    pass_over(
        "trigger status",
        "orders: `trigger_status`",
        "UNKNOWN_TRIGGER_STATUS INVALID_ORDER_TYPE STOP_PENDING STOP_TRIGGERED",
        REFERENCE,
    ),
    pass_over("product type", "orders and products: `product_type`", "UNKNOWN_PRODUCT_TYPE SPOT FUTURE", REFERENCE),
    pass_over("contract expiry", "orders: `contract_expiry_type`", "UNKNOWN_CONTRACT_EXPIRY_TYPE EXPIRING PERPETUAL", REFERENCE),
    pass_over("product venue", "products: `product_venue`", "UNKNOWN_VENUE_TYPE CBE FCM INTX", REFERENCE),
    pass_over(
        "risk manager",
        "orders: `risk_managed_by`",
        "UNKNOWN_RISK_MANAGEMENT_TYPE MANAGED_BY_FCM MANAGED_BY_VENUE",
        REFERENCE,
    ),
    pass_over(
        "session state",
        "products: `fcm_trading_session_details.session_state`",
        """
            FCM_TRADING_SESSION_STATE_UNDEFINED FCM_TRADING_SESSION_STATE_PRE_OPEN FCM_TRADING_SESSION_STATE_PRE_OPEN_NO_CANCEL
            FCM_TRADING_SESSION_STATE_OPEN FCM_TRADING_SESSION_STATE_CLOSE
            """,
        REFERENCE,
    ),
    pass_over(
        "session closed for",
        "products: `fcm_trading_session_details.closed_reason`",
        """
            FCM_TRADING_SESSION_CLOSED_REASON_UNDEFINED FCM_TRADING_SESSION_CLOSED_REASON_REGULAR_MARKET_CLOSE
            FCM_TRADING_SESSION_CLOSED_REASON_EXCHANGE_MAINTENANCE FCM_TRADING_SESSION_CLOSED_REASON_VENDOR_MAINTENANCE
            """,
        REFERENCE,
    ),
    pass_over(
        "placement source", "orders: `order_placement_source`", "UNKNOWN_PLACEMENT_SOURCE RETAIL_SIMPLE RETAIL_ADVANCED", REFERENCE
    ),
    pass_over("margin", "orders: `margin_type`", "CROSS ISOLATED UNKNOWN_MARGIN_TYPE", REFERENCE, "UNKNOWN_MARGIN_TYPE"),
    pass_over(
        "cost basis",
        "orders: `cost_basis_method`",
        "COST_BASIS_METHOD_UNSPECIFIED COST_BASIS_METHOD_HIFO COST_BASIS_METHOD_LIFO COST_BASIS_METHOD_FIFO",
        REFERENCE,
    ),
    pass_over(
        "equity session",
        "orders: `equity_trading_session`",
        """
            UNKNOWN_EQUITY_TRADING_SESSION EQUITY_TRADING_SESSION_NORMAL EQUITY_TRADING_SESSION_AFTER_HOURS
            EQUITY_TRADING_SESSION_MULTI_SESSION EQUITY_TRADING_SESSION_OVERNIGHT EQUITY_TRADING_SESSION_PRE_MARKET
            """,
        REFERENCE,
        """
            UNKNOWN_EQUITY_TRADING_SESSION EQUITY_TRADING_SESSION_NORMAL EQUITY_TRADING_SESSION_AFTER_HOURS
            EQUITY_TRADING_SESSION_MULTI_SESSION EQUITY_TRADING_SESSION_OVERNIGHT EQUITY_TRADING_SESSION_PRE_MARKET
            """,
    ),
    pass_over(
        "displayed order",
        "orders: `displayed_order_config`",
        "UNKNOWN_DISPLAYED_ORDER_CONFIG INSTANT_GFD LIMIT_GFD",
        REFERENCE,
        "UNKNOWN_DISPLAYED_ORDER_CONFIG INSTANT_GFD LIMIT_GFD",
    ),
    ACCOUNT_TYPE,
    ACCOUNT_PLATFORM,
    pass_over("portfolio type", "`GET key_permissions`: `portfolio_type`", "UNDEFINED DEFAULT CONSUMER INTX", REFERENCE),
    leave_out(
        "sorting of orders", "`GET orders/historical/batch`: `sort_by`", "UNKNOWN_SORT_BY LIMIT_PRICE LAST_FILL_TIME", REFERENCE
    ),
    leave_out(
        "expiring contracts",
        "`GET products`: `expiring_contract_status`",
        "UNKNOWN_EXPIRING_CONTRACT_STATUS STATUS_UNEXPIRED STATUS_EXPIRED STATUS_ALL",
        REFERENCE,
    ),
    leave_out(
        "sorting of products", "`GET products`: `products_sort_order`", "VOLUME_24H_DESCENDING LIST_TIME_DESCENDING", REFERENCE
    ),
    ask_nothing(
        "intraday margin",
        "`GET cfm/intraday/margin_setting`: `setting`",
        "INTRADAY_MARGIN_SETTING_UNSPECIFIED INTRADAY_MARGIN_SETTING_STANDARD INTRADAY_MARGIN_SETTING_INTRADAY",
        REFERENCE,
    ),
    ask_nothing(
        "warning of a preview",
        "`POST orders/preview`: `warning`",
        "UNKNOWN BIG_ORDER SMALL_ORDER DURATION_EXTENDED_BY_MARKET_CLOSE OPEN_ORDERS_EXCEED_COMPLIANCE_PURCHASE_LIMIT_MAY_CANCEL",
        REFERENCE,
    ),
    leave_out(
        "distribution of a scaled order",
        "`POST orders`: `size_distribution`, `price_distribution`",
        "UNKNOWN_DISTRIBUTION FLAT",
        REFERENCE,
    ),
)
ENUMERATIONS: tuple[Enumeration[Any], ...] = (
    ORDER_STATUS,
    ORDER_TYPE,
    SIDE,
    CONFIGURATION,
    STOP_DIRECTION,
    REJECT_REASON,
    TRADE_TYPE,
    LIQUIDITY,
    PRODUCT_STATUS,
    PRODUCT_FLAG,
    GRANULARITY,
    CHANNEL,
    EVENT_TYPE,
    BOOK_SIDE,
    TRANSACTION,
    TRANSACTION_STATUS,
    *UNUSED,
)
