"""Binance's codes of errors, and the texts that tell the causes of one code apart. From its list of errors of 2026-07."""

from __future__ import annotations

from typing import Any, Literal

from market.exchanges.vocabulary.binance import DOCUMENTS
from market.exchanges.vocabulary.words import Enumeration, ErrorMeaning, split_words, spread_lines

NAMED = """
    -1000 UNKNOWN, -1001 DISCONNECTED, -1002 UNAUTHORIZED, -1003 TOO_MANY_REQUESTS, -1006 UNEXPECTED_RESP, -1007 TIMEOUT,
    -1008 SERVER_BUSY, -1010 ERROR_MSG_RECEIVED, -1013 INVALID_MESSAGE, -1014 UNKNOWN_ORDER_COMPOSITION, -1015 TOO_MANY_ORDERS,
    -1016 SERVICE_SHUTTING_DOWN, -1020 UNSUPPORTED_OPERATION, -1021 INVALID_TIMESTAMP, -1022 INVALID_SIGNATURE,
    -1033 COMP_ID_IN_USE, -1034 TOO_MANY_CONNECTIONS, -1035 LOGGED_OUT, -1100 ILLEGAL_CHARS, -1101 TOO_MANY_PARAMETERS,
    -1102 MANDATORY_PARAM_EMPTY_OR_MALFORMED, -1103 UNKNOWN_PARAM, -1104 UNREAD_PARAMETERS, -1105 PARAM_EMPTY,
    -1106 PARAM_NOT_REQUIRED, -1108 PARAM_OVERFLOW, -1111 BAD_PRECISION, -1112 NO_DEPTH, -1114 TIF_NOT_REQUIRED,
    -1115 INVALID_TIF, -1116 INVALID_ORDER_TYPE, -1117 INVALID_SIDE, -1118 EMPTY_NEW_CL_ORD_ID, -1119 EMPTY_ORG_CL_ORD_ID,
    -1120 BAD_INTERVAL, -1121 BAD_SYMBOL, -1122 INVALID_SYMBOLSTATUS, -1125 INVALID_LISTEN_KEY, -1127 MORE_THAN_XX_HOURS,
    -1128 OPTIONAL_PARAMS_BAD_COMBO, -1130 INVALID_PARAMETER, -1134 BAD_STRATEGY_TYPE, -1135 INVALID_JSON,
    -1139 INVALID_TICKER_TYPE, -1145 INVALID_CANCEL_RESTRICTIONS, -1151 DUPLICATE_SYMBOLS, -1152 INVALID_SBE_HEADER,
    -1153 UNSUPPORTED_SCHEMA_ID, -1155 SBE_DISABLED, -1158 OCO_ORDER_TYPE_REJECTED, -1160 OCO_ICEBERGQTY_TIMEINFORCE,
    -1161 DEPRECATED_SCHEMA, -1165 BUY_OCO_LIMIT_MUST_BE_BELOW, -1166 SELL_OCO_LIMIT_MUST_BE_ABOVE,
    -1168 BOTH_OCO_ORDERS_CANNOT_BE_LIMIT, -1169 INVALID_TAG_NUMBER, -1170 TAG_NOT_DEFINED_IN_MESSAGE,
    -1171 TAG_APPEARS_MORE_THAN_ONCE, -1172 TAG_OUT_OF_ORDER, -1173 GROUP_FIELDS_OUT_OF_ORDER, -1174 INVALID_COMPONENT,
    -1175 RESET_SEQ_NUM_SUPPORT, -1176 ALREADY_LOGGED_IN, -1177 GARBLED_MESSAGE, -1178 BAD_SENDER_COMPID, -1179 BAD_SEQ_NUM,
    -1180 EXPECTED_LOGON, -1181 TOO_MANY_MESSAGES, -1182 PARAMS_BAD_COMBO, -1183 NOT_ALLOWED_IN_DROP_COPY_SESSIONS,
    -1184 DROP_COPY_SESSION_NOT_ALLOWED, -1185 DROP_COPY_SESSION_REQUIRED, -1186 NOT_ALLOWED_IN_ORDER_ENTRY_SESSIONS,
    -1187 NOT_ALLOWED_IN_MARKET_DATA_SESSIONS, -1188 INCORRECT_NUM_IN_GROUP_COUNT, -1189 DUPLICATE_ENTRIES_IN_A_GROUP,
    -1190 INVALID_REQUEST_ID, -1191 TOO_MANY_SUBSCRIPTIONS, -1194 INVALID_TIME_UNIT, -1196 BUY_OCO_STOP_LOSS_MUST_BE_ABOVE,
    -1197 SELL_OCO_STOP_LOSS_MUST_BE_BELOW, -1198 BUY_OCO_TAKE_PROFIT_MUST_BE_BELOW, -1199 SELL_OCO_TAKE_PROFIT_MUST_BE_ABOVE,
    -1210 INVALID_PEG_PRICE_TYPE, -1211 INVALID_PEG_OFFSET_TYPE, -1220 SYMBOL_DOES_NOT_MATCH_STATUS,
    -1221 INVALID_SBE_MESSAGE_FIELD, -1222 OPO_WORKING_MUST_BE_BUY, -1223 OPO_PENDING_MUST_BE_SELL, -1224 WORKING_PARAM_REQUIRED,
    -1225 PENDING_PARAM_NOT_REQUIRED, -2010 NEW_ORDER_REJECTED, -2011 CANCEL_REJECTED, -2013 NO_SUCH_ORDER,
    -2014 BAD_API_KEY_FMT, -2015 REJECTED_MBX_KEY, -2016 NO_TRADING_WINDOW, -2021 cancel-replace partially failed,
    -2022 cancel-replace failed, -2026 ORDER_ARCHIVED, -2035 SUBSCRIPTION_ACTIVE, -2036 SUBSCRIPTION_INACTIVE,
    -2038 ORDER_AMEND_REJECTED, -2039 CLIENT_ORDER_ID_INVALID, -2042 MAXIMUM_SUBSCRIPTION_IDS, -2043 NO_REFERENCE_PRICE
    """
"""What the venue calls each of its codes."""
HEARD_OF = {
    "-1004": "server busy",
    "-1099": "not found, authenticated or authorised",
    "-1131": "recvWindow too long",
    "-2008": "API key unknown",
}
"""Codes that ccxt 4.5.90 has met, and that no list of the venue's has."""
NAMES = {code: name for code, _, name in (each.strip().partition(" ") for each in NAMED.split(","))}
MEANINGS: dict[ErrorMeaning, str] = {
    "unsettled": "-1000 -1001 -1006 -1007",
    "limit": "-1003 -1015",
    "busy": "-1004 -1008 -1016 -1033 -1034 -1035",
    "clock": "-1021",
    "key": "-1002 -1022 -1099 -2008 -2014 -2015",
    "over": "-2013 -2026",
    "passing": "-1112 -2016",
    "lasting": "-1010 -1013 -2010 -2011 -2021 -2022 -2038 -2043",
}
"""All others are ours: the desk sent what the venue has no form for."""


def _find_meaning(code: str) -> ErrorMeaning:
    return next((meaning for meaning, codes in MEANINGS.items() if code in codes.split()), "ours")


CODE = Enumeration[ErrorMeaning](
    name="error code",
    where="REST: `code`; WebSocket API: `error.code`",
    does="The kind of the error. Of -1010, -2010, -2011 and -2038 the text says more.",
    source=DOCUMENTS,
    words={code: _find_meaning(code) for code in sorted(NAMES | HEARD_OF, reverse=True, key=int)},
    otherwise="lasting",
    unverified=frozenset(HEARD_OF),
    notes=NAMES | HEARD_OF,
)
TEXT = Enumeration[ErrorMeaning](
    name="error text",
    where="`msg` of -1010, -1013, -2010, -2011 and -2038",
    does="The kind of the error, before that of its code.",
    source=DOCUMENTS,
    words=spread_lines(
        {
            "over": "Unknown order sent.",
            "duplicate": "Duplicate order sent.",
            "passing": """Market is closed.
        Order would trigger immediately.
        Order would immediately match and take.
        Order book liquidity is less than LOT_SIZE filter minimum quantity.
        Order book liquidity is less than MARKET_LOT_SIZE filter minimum quantity.
        Order book liquidity is less than symbol minimum quantity.
        Order book liquidity is too low for this pegged order.
        Rest API trading is not enabled.
        WebSocket API trading is not enabled.
        FIX API trading is not enabled.""",
            "person": """Account has insufficient balance for requested action.
        This action is disabled on this account.
        This account may not place or cancel orders.
        This symbol is not permitted for this account.
        This symbol is restricted for this account.""",
            "ours": """Price * QTY is zero or less.
        IcebergQty exceeds QTY.
        Unsupported order combination
        Cancel order is invalid. Check origClOrdId and orderId.
        The relationship of the prices for the orders is not correct.
        Order amend (quantity increase) is not supported.
        Order amend (pending OPO order) is not supported.
        The requested action would change no state; rejecting
        This order type may not use pegged price.
        This price peg cannot be used with this order type.""",
            "lasting": """Market orders are not supported for this symbol.
        Iceberg orders are not supported for this symbol.
        Stop loss orders are not supported for this symbol.
        Stop loss limit orders are not supported for this symbol.
        Take profit orders are not supported for this symbol.
        Take profit limit orders are not supported for this symbol.
        Trailing stop orders are not supported for this symbol.
        OCO orders are not supported for this symbol
        OPO orders are not supported for this symbol.
        Pegged orders are not supported for this symbol.
        Quote order qty market orders are not support for this symbol.
        Order amend is not supported for this symbol.
        Order cancel-replace is not supported for this symbol.
        Order was not canceled due to cancel restrictions.""",
        }
    ),
    otherwise="lasting",
)
SOCKET_CODE = Enumeration[Literal["end"]](
    name="socket error code",
    where="market streams: `error.code`",
    does="The subscription was not taken. The connection is given up, and another one is opened after a while.",
    source=DOCUMENTS,
    words=dict.fromkeys(("0", "1", "2", "3", "4"), "end"),
    otherwise="end",
    unverified=frozenset({"4"}),
)
HTTP_STATUS = Enumeration[ErrorMeaning](
    name="HTTP status",
    where="REST, where the answer has no code",
    does="The kind of the error.",
    source=DOCUMENTS,
    words={
        "400": "lasting",
        "401": "key",
        "403": "limit",
        "404": "lasting",
        "409": "lasting",
        "418": "limit",
        "429": "limit",
        **dict.fromkeys(("500", "502", "503", "504"), "unsettled"),
    },
    unverified=split_words("401 404"),
    notes={"403": "the firewall", "409": "a cancel-replace that half worked", "418": "banned: 2 minutes to 3 days"},
)
ENUMERATIONS: tuple[Enumeration[Any], ...] = (CODE, TEXT, SOCKET_CODE, HTTP_STATUS)
