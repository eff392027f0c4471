"""The shapes of requests and answers about bots and the running desk."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from access.openapi import name_path
from core.events import TYPES
from core.fields import Fields
from core.shapes import (
    ANYTHING,
    COUNT,
    DECIMAL,
    FLAG,
    MOMENT,
    NUMBER,
    OBJECT,
    SYMBOL_GIVEN,
    TEXT,
    VENUE_GIVEN,
    WHOLE,
    Schema,
    allow_absent,
    allow_null,
    choice_shape,
    given_text,
    id_shape,
    list_shape,
    map_shape,
    name_object,
    name_page,
    name_shape,
    note_kinds,
    note_reader,
    object_shape,
    required_text,
    shape_schema,
)
from engine.types import INTERVALS, ORDER_TYPES, SIDES, Exits, Limits, Protections, Rules
from trading.api import examples
from trading.models import AllocationStatus, DesiredStatus, Mode, OrderStatus
from trading.selectors.events import STAGES
from trading.selectors.orders import BLOCK_REASONS, ORDER_REASONS
from trading.selectors.risk import SCOPES
from trading.selectors.status import STATUSES
from trading.services.bots import read_kill_switch, read_replay
from trading.setup.config import (
    MOST_SYMBOLS,
    SIZINGS,
    SLIPPAGES,
    read_settings,
    read_sizing,
    read_slippage_section,
    read_symbol_rules,
)
from trading.setup.limits import CLOCK, DAYS, read_limits, read_schedule

RUN_ID, ORDER_ID, WALLET_ID, BOT_ID = id_shape(16), id_shape(16), id_shape(16), id_shape(12)
CORRELATION_ID: Schema = {"type": "string", "minLength": 1, "maxLength": 32}
name_path("bot_id", BOT_ID, "A bot's id.")
name_path("order_id", ORDER_ID, "An order's id, ours.")
name_path("correlation_id", CORRELATION_ID, "What all that one decision led to bears.")
MODE, STATUS, INTERVAL, SIDE = choice_shape(Mode.values), choice_shape(STATUSES), choice_shape(INTERVALS), choice_shape(SIDES)
MONEY, MAYBE_MOMENT, MAYBE_NUMBER, MAYBE_TEXT = allow_null(DECIMAL), allow_null(MOMENT), allow_null(NUMBER), allow_null(TEXT)
PROGRESS = allow_null(OBJECT)

# What is sent.


SYMBOLS_GIVEN = allow_absent({"anyOf": [SYMBOL_GIVEN, list_shape(SYMBOL_GIVEN, minItems=1, maxItems=MOST_SYMBOLS)]})
SETTINGS = note_reader(
    read_settings,
    {},
    {"fee_bps": 1, "slippage_bps": 1},
    strategy=required_text(64) | {"description": "A name from GET strategies."},
    params=allow_absent(OBJECT | {"description": "The strategy's parameters; what is left out takes its default."}),
    venue=allow_absent(VENUE_GIVEN | {"description": "May be left out where only one venue has the symbols."}),
    symbols=SYMBOLS_GIVEN,
    symbol=SYMBOLS_GIVEN | {"description": "Short for symbols with one entry."},
    interval=INTERVAL,
    sizing=allow_absent(note_kinds(read_sizing, "kind", SIZINGS)),
    slippage=allow_absent(note_kinds(read_slippage_section, "kind", SLIPPAGES)),
    rules=allow_absent(map_shape(allow_absent(note_reader(read_symbol_rules)))),
) | {"required": ["strategy", "interval"], "anyOf": [{"required": ["symbols"]}, {"required": ["symbol"]}]}
RUN_SETTINGS = name_shape("RunSettings", SETTINGS, examples.BOT_CONFIG)
BEYOND_SETTINGS = (
    *("strategy", "params", "venue", "symbols", "symbol", "interval", "start", "end", "fee_bps", "slippage_bps", "rules"),
    *("sizing.value", "protections"),
)
"""What has to fit the strategy, the candle store or each other."""
LIMITS = note_reader(read_limits)
SCHEDULE = note_reader(
    read_schedule,
    days=allow_absent(list_shape(choice_shape(DAYS), minItems=1)),
    **{side: allow_absent({"type": "string", "pattern": f"^{CLOCK.pattern}$"}) for side in ("from", "to")},
)
REPLAY = note_reader(read_replay)


def read_bot_fields(form: Fields) -> None:
    """What the service reads of a bot, for the shapes below."""
    form.known += ["config"]
    form.text("name", longest=80)
    form.choice("mode", "paper", Mode.values)
    form.text("wallet_id", longest=16)
    form.flag("live_allowed")
    for name in ("limits", "schedule", "replay"):
        form.section(name)
    form.close()


BOT_FIELDS = note_reader(
    read_bot_fields,
    name=required_text(80),
    wallet_id=required_text(16) | {"description": "From GET wallets: paper for replay and paper, exchange for testnet and live."},
    config=shape_schema(RUN_SETTINGS),
    limits=allow_absent(LIMITS),
    schedule=allow_absent(SCHEDULE),
    replay=allow_absent(REPLAY),
)
FROM_BACKTEST = given_text(16) | {"description": "run_id of the backtest that it was made from."}
BOT_NEW = name_shape(
    "BotNew",
    {
        **BOT_FIELDS,
        "properties": {**BOT_FIELDS["properties"], "from_backtest": FROM_BACKTEST},
        "required": ["name", "wallet_id", "config"],
    },
    examples.BOT_NEW,
)
BOT_CHANGES = name_shape("BotChanges", BOT_FIELDS, examples.BOT_CHANGES)
BEYOND_BOT = ("name", "mode", "wallet_id", "replay.end", "schedule.to", *(f"config.{name}" for name in BEYOND_SETTINGS))
SWITCH_CHANGE = name_shape(
    "KillSwitchChange",
    note_reader(
        read_kill_switch,
        killed=FLAG | {"description": "True: no order is sent from now on. False: the desk is armed again."},
    )
    | {"required": ["killed"]},
    examples.SWITCH_CHANGE,
)

# What is answered.

RUN_STORED = name_object(
    "RunConfig",
    examples.RUN_STORED,
    optional=[
        "venue",
        "start",
        "end",
        "fees",
        "slippage",
        "sizing",
        "exits",
        "limits",
        "protections",
        "order_ttl",
        "seed",
        "rules",
    ],
    strategy=TEXT,
    params=OBJECT,
    venue=TEXT,
    symbols=list_shape(TEXT),
    interval=INTERVAL,
    start=MAYBE_MOMENT,
    end=MAYBE_MOMENT,
    cash=DECIMAL,
    fees=object_shape(maker_bps=NUMBER, taker_bps=NUMBER),
    slippage=object_shape(kind=choice_shape(SLIPPAGES), value={"anyOf": [NUMBER, DECIMAL]}, max_share=NUMBER, impact=NUMBER),
    sizing=object_shape(
        kind=choice_shape(SIZINGS), value={"anyOf": [NUMBER, DECIMAL]}, lookback=COUNT, cap=NUMBER, min_trades=COUNT
    ),
    exits=object_shape(**{one.name: NUMBER for one in fields(Exits)}),
    limits=object_shape(**{one.name: NUMBER for one in fields(Limits)}),
    protections=object_shape(**{one.name: TEXT if one.name == "stop_scope" else NUMBER for one in fields(Protections)}),
    order_ttl=COUNT,
    seed=COUNT,
    rules=map_shape(
        object_shape(
            optional=[one.name for one in fields(Rules)],
            **{one.name: {"type": ["string", "integer", "boolean"]} for one in fields(Rules)},
        )
    ),
)
LIMITS_STORED = object_shape(
    optional=["budget", "daily_loss", "symbol_exposure", "open_orders", "orders_per_minute", "price_band", "price_age"],
    budget=MONEY,
    daily_loss=MONEY,
    symbol_exposure=MONEY,
    open_orders=COUNT,
    orders_per_minute=COUNT,
    price_band=NUMBER,
    price_age=NUMBER,
)
SCHEDULE_STORED = object_shape(
    optional=["days", "from", "to"], **{"days": list_shape(choice_shape(DAYS)), "from": MAYBE_TEXT, "to": MAYBE_TEXT}
)
REPLAY_STORED = object_shape(optional=["start", "end", "speed"], start=MAYBE_MOMENT, end=MAYBE_MOMENT, speed=NUMBER)
STATUS_FIELDS: dict[str, Any] = {
    "bot": BOT_ID,
    "name": TEXT,
    "mode": MODE,
    "status": STATUS,
    "why": TEXT,
    "exits_blocked": map_shape(TEXT),
    "run_id": allow_null(RUN_ID),
    "started_at": MAYBE_MOMENT,
    "ended_at": MAYBE_MOMENT,
    "end_reason": MAYBE_TEXT,
    "left": list_shape(ANYTHING),
    "last_evaluation_at": MAYBE_MOMENT,
    "last_candle_at": MAYBE_MOMENT,
    "evaluation_ms": MAYBE_NUMBER,
    "evaluations": COUNT,
    "progress": PROGRESS,
}
BOT_STATUS = name_object("BotStatus", examples.STATUS, **STATUS_FIELDS)
BOT_STATUSES = name_page(BOT_STATUS)
ACTION = name_object("BotAction", examples.ACTION, **STATUS_FIELDS, effect=TEXT)
DUST = object_shape(symbol=TEXT, qty=DECIMAL, value=MONEY, currency=TEXT)
ROW_FIELDS: dict[str, Any] = {
    **STATUS_FIELDS,
    "strategy": TEXT,
    "venue": TEXT,
    "symbols": list_shape(TEXT),
    "interval": INTERVAL,
    "wallet": WALLET_ID,
    "wanted": choice_shape(DesiredStatus.values),
    "currency": TEXT,
    "cash": DECIMAL,
    "equity": DECIMAL,
    "valued_at": choice_shape(["prices", "old prices", "cost", "last close"]),
    "profit": DECIMAL,
    "profit_ratio": MAYBE_NUMBER,
    "realised": DECIMAL,
    "unrealised": DECIMAL,
    "positions": COUNT,
    "dust": list_shape(DUST),
    "open_orders": COUNT,
    "blocks_today": COUNT,
    "created_at": MOMENT,
}
BOT_ROW = name_object("BotRow", examples.BOT, **ROW_FIELDS)
BOT_ROWS = name_page(BOT_ROW)
BOT = name_object(
    "Bot",
    examples.BOT_WHOLE,
    **ROW_FIELDS,
    config=RUN_STORED,
    limits=LIMITS_STORED,
    schedule=SCHEDULE_STORED,
    replay=REPLAY_STORED,
    live_allowed=FLAG,
    from_backtest=MAYBE_TEXT,
    effects=object_shape(**dict.fromkeys(examples.EFFECTS, TEXT)),
)
BOT_RUN = name_object(
    "BotRun",
    examples.RUN,
    run_id=RUN_ID,
    mode=MODE,
    started_at=MOMENT,
    ended_at=MAYBE_MOMENT,
    end_reason=MAYBE_TEXT,
    error=MAYBE_TEXT,
    left=list_shape(ANYTHING),
    evaluations=COUNT,
    evaluation_ms=MAYBE_NUMBER,
    equity=MONEY,
    progress=PROGRESS,
    code_hash=allow_null(TEXT),
    books=allow_null(WALLET_ID),
)
PERFORMANCE = name_object(
    "BotPerformance",
    examples.PERFORMANCE,
    bot=BOT_ID,
    fills=COUNT,
    sales=COUNT,
    win_rate=MAYBE_NUMBER,
    realised=DECIMAL,
    fees=DECIMAL,
    fees_unvalued=COUNT,
    turnover=DECIMAL,
    runs=list_shape(BOT_RUN),
    equity=list_shape(object_shape(ts=MOMENT, equity=DECIMAL, cash=DECIMAL)),
)
POSITION = name_object(
    "Position",
    examples.POSITION,
    bot=BOT_ID,
    bot_name=TEXT,
    mode=MODE,
    wallet=WALLET_ID,
    venue=TEXT,
    symbol=TEXT,
    qty=DECIMAL,
    cost=DECIMAL,
    average_price=MONEY,
    price=MONEY,
    price_state=choice_shape(["live", "old", "missing"]),
    price_at=MAYBE_MOMENT,
    value=MONEY,
    unrealised=MONEY,
    unrealised_ratio=MAYBE_NUMBER,
    realised=DECIMAL,
    fees=DECIMAL,
    stop_at=allow_null(choice_shape(["venue", "partly", "here", "none"])),
    stop_price=MONEY,
    exit_blocked=TEXT,
    exit_blocked_at=MAYBE_MOMENT,
    opened_at=MAYBE_MOMENT,
)
POSITIONS = name_page(POSITION)
HOLDING_FIELDS: dict[str, Any] = {
    "mode": MODE,
    "currency": TEXT,
    "value": DECIMAL,
    "cash": DECIMAL,
    "allotted": DECIMAL,
    "realised": DECIMAL,
    "unrealised": DECIMAL,
    "change_today": DECIMAL,
    "change_ratio": MAYBE_NUMBER,
    "bots": COUNT,
    "unpriced": list_shape(TEXT),
}
DESK_HOLDINGS = name_object(
    "DeskHoldings",
    examples.DESK_HOLDINGS,
    mode=MODE,
    currency=TEXT,
    value=DECIMAL,
    change_today=DECIMAL,
    change_ratio=MAYBE_NUMBER,
    bots=COUNT,
    wallets=COUNT,
    venues=list_shape(object_shape(venue=TEXT, value=DECIMAL)),
    estimated=list_shape(TEXT),
    unpriced=list_shape(TEXT),
)
PORTFOLIO = name_object(
    "Portfolio",
    examples.PORTFOLIO,
    at=MOMENT,
    desk=list_shape(DESK_HOLDINGS),
    modes=list_shape(name_object("ModeHoldings", examples.HOLDINGS, **HOLDING_FIELDS)),
    wallets=list_shape(
        name_object("WalletHoldings", examples.PORTFOLIO["wallets"][0], wallet=WALLET_ID, name=TEXT, venue=TEXT, **HOLDING_FIELDS)
    ),
)
ORDER = name_object(
    "Order",
    examples.ORDER,
    order_id=ORDER_ID,
    client_order_id=TEXT,
    venue_order_id=MAYBE_TEXT,
    bot=BOT_ID,
    bot_name=TEXT,
    run_id=RUN_ID,
    wallet=WALLET_ID,
    mode=MODE,
    venue=TEXT,
    symbol=TEXT,
    side=SIDE,
    type=choice_shape(ORDER_TYPES),
    qty=DECIMAL,
    limit=MONEY,
    stop=MONEY,
    reason=choice_shape(ORDER_REASONS),
    status=choice_shape(OrderStatus.values),
    status_reason=TEXT,
    filled_qty=DECIMAL,
    average_price=MONEY,
    fees=DECIMAL,
    reference_price=MONEY,
    correlation_id=CORRELATION_ID,
    trigger_id=TEXT,
    cancel_requested=FLAG,
    attempts=COUNT,
    decided_at=MAYBE_MOMENT,
    created_at=MOMENT,
    submitted_at=MAYBE_MOMENT,
    closed_at=MAYBE_MOMENT,
)
ORDERS = name_page(ORDER)
FILL = name_object(
    "Fill",
    examples.FILL,
    id=WHOLE,
    order_id=ORDER_ID,
    bot=BOT_ID,
    bot_name=TEXT,
    run_id=RUN_ID,
    mode=MODE,
    venue=TEXT,
    symbol=TEXT,
    side=SIDE,
    qty=DECIMAL,
    fill_price=DECIMAL,
    cost=DECIMAL,
    fee=MONEY,
    fee_paid=DECIMAL,
    fee_asset=TEXT,
    fee_valued=TEXT,
    profit=MONEY,
    maker=allow_null(FLAG),
    reason=choice_shape(ORDER_REASONS),
    strategy=TEXT,
    trade_id=TEXT,
    correlation_id=CORRELATION_ID,
    ts=MOMENT,
    recorded_at=MOMENT,
)
FILLS = name_page(FILL)
BLOCK = name_object(
    "Block",
    examples.BLOCK,
    id=WHOLE,
    bot=BOT_ID,
    bot_name=TEXT,
    run_id=RUN_ID,
    correlation_id=TEXT,
    trigger_id=TEXT,
    symbol=TEXT,
    side=SIDE,
    qty=MONEY,
    price=MONEY,
    reason=choice_shape(BLOCK_REASONS),
    detail=TEXT,
    ts=MOMENT,
)
BLOCKS = name_page(BLOCK)
REASON = name_object("BlockReason", examples.REASON, reason=choice_shape(BLOCK_REASONS), count=COUNT, last_at=MOMENT)
REASONS = name_page(REASON)
BUDGET = name_object(
    "RiskBudget",
    examples.BUDGET,
    scope=choice_shape(SCOPES),
    mode=allow_null(MODE),
    wallet=allow_null(WALLET_ID),
    bot=allow_null(BOT_ID),
    name=TEXT,
    currency=TEXT,
    limit=MONEY,
    claimed=DECIMAL,
    used=DECIMAL,
    free=MONEY,
    share=MAYBE_NUMBER,
    updated_at=MOMENT,
)
BUDGETS = name_page(BUDGET)
SWITCH = name_object("KillSwitch", examples.SWITCH, killed=FLAG, reason=TEXT, changed_by=MAYBE_TEXT, changed_at=MAYBE_MOMENT)
EVENT = name_object(
    "Event",
    examples.EVENT,
    id=WHOLE,
    ts=MOMENT,
    type=choice_shape(TYPES),
    source=TEXT,
    bot=MAYBE_TEXT,
    run_id=MAYBE_TEXT,
    correlation_id=MAYBE_TEXT,
    payload=OBJECT,
)
EVENTS = name_page(EVENT)
CLAIM = name_object(
    "Claim",
    examples.CLAIM,
    order_id=ORDER_ID,
    run_id=RUN_ID,
    trigger_id=TEXT,
    symbol=TEXT,
    currency=TEXT,
    amount=DECIMAL,
    open=DECIMAL,
    used=DECIMAL,
    released=DECIMAL,
    status=choice_shape(AllocationStatus.values),
    created_at=MOMENT,
    closed_at=MAYBE_MOMENT,
    released_at=MAYBE_MOMENT,
)
LINK = name_object(
    "DecisionLink",
    examples.LINK,
    kind=choice_shape(STAGES),
    at=MOMENT,
    after_seconds=MAYBE_NUMBER,
    data={"anyOf": [shape_schema(one) for one in (EVENT, BLOCK, CLAIM, ORDER, FILL)]},
)
LINKS = name_page(LINK)
