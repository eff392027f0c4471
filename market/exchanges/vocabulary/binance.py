"""Binance's words for orders, symbols, streams and money. Spot only: its other products have lists of their own."""

from __future__ import annotations

from typing import Any, Literal

from engine.types import INTERVALS
from market.exchanges.base import OrderType, Side, TimeInForce, VenueStatus
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

DOCUMENTS = Source("binance/binance-spot-api-docs", "a5e0bc3 of 2026-07-21, changelog to 2026-07-17")
WALLET = Source("Binance's wallet API, as binance-connector-python 29da329 and copies of its pages have it", "2026-08-21")

ORDER_STATUS = Enumeration[VenueStatus](
    name="order status",
    where="orders: `status`; user stream: `X`",
    does="The status of the report. Of one that is `other` nothing is concluded, and the order is asked for again.",
    source=DOCUMENTS,
    words=spread_words(
        {
            "accepted": "NEW PENDING_NEW PENDING_CANCEL",
            "partially_filled": "PARTIALLY_FILLED",
            "filled": "FILLED",
            "cancelled": "CANCELED",
            "rejected": "REJECTED",
            "expired": "EXPIRED EXPIRED_IN_MATCH",
            "other": "ACCEPTED TRIGGERING TRIGGERED FINISHED UNKNOWN",
        }
    ),
    otherwise="other",
    unverified=split_words("ACCEPTED TRIGGERING TRIGGERED FINISHED UNKNOWN"),
    notes={
        "PENDING_NEW": "waits for the first order of its list",
        "EXPIRED_IN_MATCH": "ended by self-trade prevention",
        "ACCEPTED": "with TRIGGERING, TRIGGERED and FINISHED: python-binance lists them, of conditional orders on futures",
        "UNKNOWN": "of the binary schema alone",
    },
)
ORDER_TYPE = Enumeration[OrderType](
    name="order type",
    where="orders: `type`; symbols: `orderTypes`; user stream: `o`",
    does="The type of the report, and what a symbol takes. The first of each type is sent. One that is `other` is never"
    " sent, and can be cancelled.",
    source=DOCUMENTS,
    words=spread_words(
        {
            "market": "MARKET",
            "limit": "LIMIT LIMIT_MAKER",
            "stop": "STOP_LOSS",
            "stop_limit": "STOP_LOSS_LIMIT",
            "other": "TAKE_PROFIT TAKE_PROFIT_LIMIT",
        }
    ),
    otherwise="other",
    notes={
        "LIMIT_MAKER": "sent for limit orders that may only rest",
        "TAKE_PROFIT": "it triggers on the other side of the price than a stop does",
    },
)
SIDE = Enumeration[Side](
    name="side",
    where="orders: `side`; user stream: `S`",
    does="The side of the report.",
    source=DOCUMENTS,
    words={"BUY": "buy", "SELL": "sell"},
)
TIME_IN_FORCE = Enumeration[TimeInForce | Unused](
    name="time in force",
    where="orders: `timeInForce`; user stream: `f`",
    does="Sent with limit orders. It is not read back.",
    source=DOCUMENTS,
    words=spread_words({"gtc": "GTC", "ioc": "IOC", "fok": "FOK", "unread": "GTX GTD RPI"}),
    otherwise="unread",
    unverified=split_words("GTX GTD RPI"),
    notes={"GTX": "with GTD and RPI: python-binance lists them, of futures"},
)
RESPONSE_TYPE = Enumeration[Literal["sent"] | Unused](
    name="response type",
    where="new orders: `newOrderRespType`",
    does="With FULL the answer to a new order brings its executions.",
    source=DOCUMENTS,
    words={"FULL": "sent", "ACK": "unsent", "RESULT": "unsent"},
)
EXECUTION_TYPE = Enumeration[Literal["execution", "report"]](
    name="execution type",
    where="user stream: `x`",
    does="An execution brings a trade of ours. All others bring the order as it is now.",
    source=DOCUMENTS,
    words=spread_words({"execution": "TRADE", "report": "NEW CANCELED REPLACED REJECTED EXPIRED TRADE_PREVENTION UNKNOWN"}),
    otherwise="report",
    unverified=frozenset({"UNKNOWN"}),
    notes={"REPLACED": "amended by hand: its new quantity is taken", "UNKNOWN": "of the binary schema alone"},
)
REJECT_REASON = Enumeration[Told](
    name="reject reason",
    where="user stream: `r`",
    does="The reason of the report.",
    source=DOCUMENTS,
    words=spread_words(
        {
            "nothing": "NONE",
            "told": "INSUFFICIENT_BALANCES STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY WOULD_MATCH_IMMEDIATELY OCO_BAD_PRICES",
        }
    ),
    otherwise="told",
)
EXPIRY_REASON = Enumeration[Told](
    name="expiry reason",
    where="orders: `expiryReason`; user stream: `eR`",
    does="The reason of the report, where there is no reject reason.",
    source=DOCUMENTS,
    words=spread_words(
        {
            "nothing": "NONE",
            "told": """
                REJECTED EXCHANGE_CANCELED OCO_TRIGGER OTO_PHASE_ONE_EXPIRED UNFILLED_IOC_QUANTITY_EXPIRED
                UNFILLED_FOK_ORDER_EXPIRED INSUFFICIENT_LIQUIDITY EXECUTION_RULE_PRICE_RANGE_EXCEEDED
                """,
        }
    ),
    otherwise="told",
)
SYMBOL_STATUS = Enumeration[Market](
    name="symbol status",
    where="symbols: `status`",
    does="Whether orders are sent for it.",
    source=DOCUMENTS,
    words=spread_words({"trades": "TRADING", "halted": "END_OF_DAY HALT BREAK CANCEL_ONLY"}),
    otherwise="halted",
    notes={"CANCEL_ONLY": "since 2026-07-07"},
)
FILTER = Enumeration[Literal["rule"] | Unused](
    name="filter",
    where="symbols: `filters[].filterType`; refusals: `Filter failure: NAME`",
    does="A rule is kept before an order is sent. A refusal names the filter, and is lasting.",
    source=DOCUMENTS,
    words=spread_words(
        {
            "rule": """
                PRICE_FILTER PERCENT_PRICE PERCENT_PRICE_BY_SIDE LOT_SIZE MARKET_LOT_SIZE MIN_NOTIONAL NOTIONAL MAX_POSITION
                MAX_NUM_ORDERS MAX_NUM_ALGO_ORDERS
                """,
            "unread": """
                ICEBERG_PARTS MAX_NUM_ICEBERG_ORDERS TRAILING_DELTA MAX_NUM_ORDER_AMENDS MAX_NUM_ORDER_LISTS
                EXCHANGE_MAX_NUM_ORDERS EXCHANGE_MAX_NUM_ALGO_ORDERS EXCHANGE_MAX_NUM_ICEBERG_ORDERS EXCHANGE_MAX_NUM_ORDER_LISTS
                MAX_ASSET T_PLUS_SELL
                """,
        }
    ),
    otherwise="unread",
    notes={
        "EXCHANGE_MAX_NUM_ORDERS": "with its three like: in `exchangeFilters`, and met as a refusal",
        "MAX_ASSET": "in `GET myFilters` alone",
        "T_PLUS_SELL": "in the binary schema and binance-sdk-spot, without a description",
    },
)
PERMISSION = Enumeration[Unused](
    name="permission",
    where="symbols and account: `permissions`, `permissionSets`",
    does="A symbol that the account may not trade is refused with -2010, which needs a person.",
    source=DOCUMENTS,
    words=spread_words({"unread": f"SPOT MARGIN LEVERAGED {' '.join(f'TRD_GRP_{number:03}' for number in range(2, 26))}"}),
    otherwise="unread",
)
RATE_LIMIT = Enumeration[Literal["kept"] | Unused](
    name="rate limit",
    where="`rateLimits[].rateLimitType`",
    does="The budget of requests is set by it: REQUEST_WEIGHT by the minute, ORDERS by ten seconds. Others are met as 429.",
    source=DOCUMENTS,
    words=spread_words({"kept": "REQUEST_WEIGHT ORDERS", "unread": "RAW_REQUESTS CONNECTIONS"}),
    otherwise="unread",
    unverified=frozenset({"CONNECTIONS"}),
)
RATE_LIMIT_INTERVAL = Enumeration[Literal["kept"] | Unused](
    name="rate limit interval",
    where="`rateLimits[].interval`",
    does="As for rate limits.",
    source=DOCUMENTS,
    words=spread_words({"kept": "SECOND MINUTE", "unread": "HOUR DAY"}),
    otherwise="unread",
    unverified=frozenset({"HOUR"}),
)
COUNTED_FROM_LISTING = "3d"
"""The venue's candles of this interval have another grid for each symbol: BTCUSDT's open on every third day from 2017-08-17,
UNIUSDT's from 2020-09-17. The desk makes its own of the daily ones, and takes none from the stream."""
INTERVAL = Enumeration[Literal["candle"] | Unused](
    name="candle interval",
    where="`GET klines`: `interval`; market streams: `kline_…`, `k.i`",
    does="Candles of the desk's intervals are asked for, but 3d is made of 1d. A frame of another one is skipped and counted.",
    source=DOCUMENTS,
    words={
        name: "candle" if name in INTERVALS and name != COUNTED_FROM_LISTING else "unsent"
        for name in ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
    },
)
MARKET_EVENT = Enumeration[Contents | Unused](
    name="market event",
    where="market streams: `e`",
    does="What the frame brings. Of `end` the next connection is opened at once.",
    source=DOCUMENTS,
    words=spread_words(
        {
            "tick": "aggTrade trade",
            "candle": "kline",
            "end": "serverShutdown",
            "unread": "depthUpdate 24hrMiniTicker 24hrTicker 1hTicker 4hTicker 1dTicker avgPrice referencePrice blockTrade",
        }
    ),
    otherwise="unread",
    unverified=split_words("4hTicker 1dTicker"),
)
MARKET_STREAM = Enumeration[Contents | Unused](
    name="market stream",
    where="market streams: `stream`, behind the `@`; frames without `e`",
    does="aggTrade, kline and depth20 are subscribed to. What the others would bring is read, or passed over.",
    source=DOCUMENTS,
    words=spread_words(
        {
            "tick": "aggTrade trade",
            "candle": "kline",
            "depth": "depth5 depth10 depth20 bookTicker",
            "end": "!serverShutdown",
            "unread": """
                depth miniTicker ticker ticker_1h ticker_4h ticker_1d avgPrice referencePrice blockTrade !miniTicker@arr
                !ticker_1h@arr !ticker_4h@arr !ticker_1d@arr
                """,
        }
    ),
    otherwise="unread",
)
USER_EVENT = Enumeration[Contents | Unused](
    name="user event",
    where="user stream: `e`",
    does="What the event brings. A further one is skipped and counted.",
    source=DOCUMENTS,
    words=spread_words(
        {
            "report": "executionReport",
            "balances": "outboundAccountPosition",
            "unread": "balanceUpdate listStatus externalLockUpdate",
            "end": "eventStreamTerminated serverShutdown",
        }
    ),
    notes={
        "balanceUpdate": "with listStatus and externalLockUpdate: the position or the report that comes with it says more",
        "externalLockUpdate": "whether a position follows it is not verified",
    },
)


OLD_OUT, OLD_IN = "MAIN_C2C MAIN_MINING", "C2C_MAIN MINING_MAIN"
OLD_ELSEWHERE = "C2C_UMFUTURE C2C_MINING UMFUTURE_C2C MINING_UMFUTURE MINING_C2C"
STATE = "The state of the movement. Of one that is `other` nothing is concluded."
DEPOSIT_STATUS = Enumeration[MovementState](
    name="deposit status",
    where="`GET capital/deposit/hisrec`: `status`",
    does=STATE,
    source=WALLET,
    words=spread_words({"pending": "0 8", "done": "1 6", "failed": "2 7"}),
    otherwise="other",
    notes={
        "6": "credited: it can be traded with, and not be withdrawn yet",
        "7": "a wrong deposit",
        "8": "waits for the user",
    },
)
WITHDRAWAL_STATUS = Enumeration[MovementState](
    name="withdrawal status",
    where="`GET capital/withdraw/history`: `status`",
    does=STATE,
    source=WALLET,
    words=spread_words({"pending": "0 2 4", "failed": "1 3 5", "done": "6"}),
    otherwise="other",
    unverified=split_words("1 5"),
    notes={"0": "a mail was sent", "1": "cancelled", "2": "waits for approval", "3": "rejected", "5": "failed"},
)
CONVERSION_STATUS = Enumeration[MovementState](
    name="conversion status",
    where="`GET convert/tradeFlow`: `orderStatus`",
    does=STATE,
    source=WALLET,
    words=spread_words({"pending": "PROCESS ACCEPT_SUCCESS", "done": "SUCCESS", "failed": "FAIL"}),
    otherwise="other",
    unverified=split_words("PROCESS ACCEPT_SUCCESS FAIL"),
)
TRANSFER_STATUS = Enumeration[MovementState](
    name="transfer status",
    where="`GET asset/transfer`: `status`",
    does=STATE,
    source=WALLET,
    words={"PENDING": "pending", "CONFIRMED": "done", "FAILED": "failed"},
    otherwise="other",
    unverified=frozenset({"PENDING"}),
)
WALLET_TYPE = Enumeration[Literal["spot", "funding", "elsewhere"]](
    name="wallet of a movement",
    where="`GET capital/deposit/hisrec`, `GET capital/withdraw/history`: `walletType`",
    does="Whose money it was: orders are paid from the spot wallet, and only what moved there is booked.",
    source=WALLET,
    words={"0": "spot", "1": "funding"},
    otherwise="elsewhere",
)
TRANSFER = Enumeration[Literal["out", "in", "elsewhere"]](
    name="transfer",
    where="`GET asset/transfer`: `type`",
    does="Whether the spot wallet (MAIN) gave or got it. What is elsewhere is never asked for, and is `other`.",
    source=WALLET,
    words=spread_words(
        {
            "out": f"MAIN_UMFUTURE MAIN_CMFUTURE MAIN_MARGIN MAIN_FUNDING {OLD_OUT}",
            "in": f"UMFUTURE_MAIN CMFUTURE_MAIN MARGIN_MAIN FUNDING_MAIN {OLD_IN}",
            "elsewhere": f"UMFUTURE_MARGIN MARGIN_UMFUTURE {OLD_ELSEWHERE}",
        }
    ),
    otherwise="elsewhere",
    unverified=split_words(f"{OLD_OUT} {OLD_IN} {OLD_ELSEWHERE}"),
)
REBATE = Enumeration[MovementKind](
    name="rebate",
    where="`GET rebate/taxQuery`: `type`",
    does="The kind of the movement.",
    source=WALLET,
    words={"1": "rebate", "2": "rebate"},
    otherwise="other",
    notes={"1": "of commissions", "2": "a kickback of a referral"},
)
WINDOWS = " ".join([*(f"{n}m" for n in range(1, 60)), *(f"{n}h" for n in range(1, 24)), *(f"{n}d" for n in range(1, 8))])
UNUSED = (
    pass_over(
        "self-trade prevention",
        "orders and symbols: `selfTradePreventionMode`, `defaultSelfTradePreventionMode`; user stream: `V`",
        "NONE EXPIRE_MAKER EXPIRE_TAKER EXPIRE_BOTH DECREMENT TRANSFER",
        DOCUMENTS,
    ),
    pass_over("working floor", "orders: `workingFloor`", "EXCHANGE SOR BROKER", DOCUMENTS, "BROKER"),
    pass_over("pegged price", "orders: `pegPriceType`", "PRIMARY_PEG MARKET_PEG", DOCUMENTS),
    pass_over("pegged offset", "orders: `pegOffsetType`", "PRICE_LEVEL", DOCUMENTS),
    pass_over("contingency", "user stream, listStatus: `c`", "OCO OTO", DOCUMENTS),
    pass_over("list status", "user stream, listStatus: `l`", "RESPONSE EXEC_STARTED UPDATED ALL_DONE", DOCUMENTS),
    pass_over("list order status", "user stream, listStatus: `L`", "EXECUTING ALL_DONE REJECT CANCELING", DOCUMENTS, "CANCELING"),
    pass_over("account type", "account: `accountType`", "SPOT UNKNOWN", DOCUMENTS, "UNKNOWN"),
    leave_out("cancel restriction", "`DELETE order`: `cancelRestrictions`", "ONLY_NEW ONLY_PARTIALLY_FILLED", DOCUMENTS),
    leave_out("ticker type", "`GET ticker/24hr`: `type`", "FULL MINI", DOCUMENTS),
    leave_out("depth speed", "market streams: `depth…@`", "100ms", DOCUMENTS),
    ask_nothing(
        "cancel-replace mode", "`POST order/cancelReplace`: `cancelReplaceMode`", "STOP_ON_FAILURE ALLOW_FAILURE", DOCUMENTS
    ),
    ask_nothing("cancel-replace result", "`POST order/cancelReplace`: `cancelResult`", "SUCCESS FAILURE NOT_ATTEMPTED", DOCUMENTS),
    ask_nothing(
        "cancel-replace limit", "`POST order/cancelReplace`: `orderRateLimitExceededMode`", "DO_NOTHING CANCEL_ONLY", DOCUMENTS
    ),
    ask_nothing("allocation type", "`GET myAllocations`: `allocationType`", "SOR", DOCUMENTS),
    ask_nothing("execution rule", "`GET executionRules`: `ruleType`", "PRICE_RANGE", DOCUMENTS),
    ask_nothing("reference price", "`GET referencePrice/calculation`: `calculationType`", "EXTERNAL ARITHMETIC_MEAN", DOCUMENTS),
    ask_nothing("ticker window", "`GET ticker`: `windowSize`", WINDOWS, DOCUMENTS),
    ask_nothing("reward", "`GET simple-earn/…/rewardsRecord`: `type`", "BONUS REALTIME REWARDS ALL", WALLET),
)
ENUMERATIONS: tuple[Enumeration[Any], ...] = (
    ORDER_STATUS,
    ORDER_TYPE,
    SIDE,
    TIME_IN_FORCE,
    RESPONSE_TYPE,
    EXECUTION_TYPE,
    REJECT_REASON,
    EXPIRY_REASON,
    SYMBOL_STATUS,
    FILTER,
    PERMISSION,
    RATE_LIMIT,
    RATE_LIMIT_INTERVAL,
    INTERVAL,
    MARKET_EVENT,
    MARKET_STREAM,
    USER_EVENT,
    DEPOSIT_STATUS,
    WITHDRAWAL_STATUS,
    CONVERSION_STATUS,
    TRANSFER_STATUS,
    WALLET_TYPE,
    TRANSFER,
    REBATE,
    *UNUSED,
)
