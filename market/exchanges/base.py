"""The exchange port: what the desk asks of a venue, and what the venue answers, in the desk's own words.

Prices and quantities are exact `Decimal`s, symbols are ours (`BTC-USDT`), times are aware UTC datetimes. An adapter only
translates: it does not repeat requests, because only the caller knows what may be repeated, and it keeps no state beyond its
connections.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal, Protocol

from market.exchanges.movements import Movement

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop", "stop_limit", "other"]
"""`other` is what a venue has and the desk does not: such an order can be looked at and cancelled, and is never placed."""
TimeInForce = Literal["gtc", "ioc", "fok", "post_only"]
VenueStatus = Literal["accepted", "partially_filled", "filled", "cancelled", "expired", "rejected", "other"]
"""`other` is a word of the venue that the desk does not know: nothing is concluded from it, and the order is asked for again."""
RefusalKind = Literal["passing", "lasting", "ours", "person"]
UNREADABLE = "unreadable"
"""The code of an answer that we could not read: our failing, which says nothing of whether the venue is well."""

PLANNED = "planned"
"""The code of a connection that the venue is about to end, and has told so: the next one may be opened at once."""


class ExchangeError(Exception):
    """The subclass says who must act. `code` is the venue's own code, for people. No message contains a secret."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Refused(ExchangeError):
    """The venue said no, and nothing happened there. `code` is the venue's code, or the name of the filter that the order broke.
    `kind` says what can change the answer:

    - `passing`: time alone (the market is closed, the price has moved). This order is over all the same; ask anew, later.
    - `lasting`: other rules, another amount or price. The same order gets the same answer.
    - `ours`: a change of this program, which asked for what the venue has no form for.
    - `person`: somebody with the key, the account or the money.
    """

    def __init__(self, message: str, *, code: str = "", kind: RefusalKind = "lasting") -> None:
        super().__init__(message, code=code)
        self.kind: RefusalKind = kind

    @property
    def lasting(self) -> bool:
        """Whether asking again, with nothing changed, is of no use."""
        return self.kind != "passing"


class NotFoundAtVenue(Refused):
    """The venue does not know this order, or does not know it yet."""


class Unauthorised(Refused):
    """The key is wrong, expired, or may not do this. A person must act."""

    def __init__(self, message: str, *, code: str = "", kind: RefusalKind = "person") -> None:
        super().__init__(message, code=code, kind=kind)


class NotOffered(Refused):
    """This environment of the venue has no such thing to ask for, as a testnet has no deposits. Nothing is wrong."""


class Retryable(ExchangeError):
    """Nothing happened at the venue, and the request may be repeated: a rate limit, a busy venue, an open breaker, or a connection
    that was never made. `after` says how many seconds to wait at least."""

    def __init__(self, message: str, *, code: str = "", after: float = 0.0) -> None:
        super().__init__(message, code=code)
        self.after = after


class RateLimited(Retryable):
    """The venue's limit is used up, or our own budget below it. Nobody may send until `after` has passed."""


class Unknown(ExchangeError):
    """Nobody knows whether it happened: a time-out, a 5xx, a line that was lost after sending. Only the venue can settle it."""


@dataclass(frozen=True, slots=True)
class InstrumentRules:
    """What a venue lists. Quantities are in base, notionals in quote; `engine.types.Rules` has the meaning of the names from
    `market_lot` on. None, or 0, means that the venue has no such rule."""

    symbol: str
    venue_symbol: str
    base: str
    quote: str
    tick_size: Decimal | None
    lot_size: Decimal | None
    min_quantity: Decimal | None
    max_quantity: Decimal | None
    min_notional: Decimal | None
    trading: bool = True
    order_types: tuple[OrderType, ...] = ("market", "limit")
    market_lot: Decimal | None = None
    market_min_quantity: Decimal | None = None
    market_max_quantity: Decimal | None = None
    max_notional: Decimal | None = None
    min_notional_market: bool = True
    max_notional_market: bool = False
    max_position: Decimal | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    buy_up: Decimal | None = None
    buy_down: Decimal | None = None
    sell_up: Decimal | None = None
    sell_down: Decimal | None = None
    max_orders: int = 0
    max_stops: int = 0

    @property
    def takes_market(self) -> bool:
        return "market" in self.order_types


@dataclass(frozen=True, slots=True)
class Tick:
    """A price of a symbol. `price` is that of the last trade; `bid` and `ask` are there if the frame had them. `time` is the
    venue's."""

    kind: ClassVar[str] = "tick"
    venue: str
    symbol: str
    price: Decimal
    time: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    quantity: Decimal | None = None
    received: float = 0.0
    """`time.perf_counter()` when the frame came in."""


@dataclass(frozen=True, slots=True)
class Candle:
    """`time` is the open time. While `closed` is False the candle still grows."""

    kind: ClassVar[str] = "candle"
    venue: str
    symbol: str
    interval: str
    time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    closed: bool
    received: float = 0.0


@dataclass(frozen=True, slots=True)
class Depth:
    """The best levels, best first, each (price, quantity)."""

    kind: ClassVar[str] = "depth"
    venue: str
    symbol: str
    time: datetime
    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Execution:
    """One trade of one of our orders. `trade_id` is unique for the venue, symbol and side: where two of our orders met, both have
    it. `fee` is in `fee_asset`."""

    trade_id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    time: datetime
    side: Side | None = None
    """None: this message does not tell. The order does."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the venue says of an order. `filled` is the base quantity so far. `executions` are those that this message tells of,
    which may be none: then ask `fills`, because all executions together must come to `filled`."""

    kind: ClassVar[str] = "report"
    venue: str
    symbol: str
    client_order_id: str
    venue_order_id: str
    status: VenueStatus
    side: Side
    type: OrderType
    quantity: Decimal
    filled: Decimal
    time: datetime
    limit: Decimal | None = None
    stop: Decimal | None = None
    executions: tuple[Execution, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class UnreadRow:
    """A row of a venue's list that could not be read, in place of what it would have been. It is shown to a person, and nothing is
    concluded from it. What it says of itself is told as far as it could be read: an empty text or None means that it could not."""

    venue: str
    kind: str
    raw: str
    """The row as it came, in JSON, without what looks like a secret; the beginning of one that is very long."""
    reason: str
    symbol: str = ""
    """As the venue writes it."""
    venue_order_id: str = ""
    client_order_id: str = ""
    side: str = ""
    quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class MovementPage:
    """All that one list of the venue tells of the time up to `until`; `whole`: it tells of nothing later."""

    rows: Sequence[Movement | UnreadRow]
    until: datetime
    whole: bool


@dataclass(frozen=True, slots=True)
class Balance:
    asset: str
    free: Decimal
    held: Decimal


Place = Literal["spot", "earn", "funding", "vault", "futures", "sub_account", "other"]
"""Where at a venue money can be. The desk trades with what is in `spot`."""


@dataclass(frozen=True, slots=True)
class HeldElsewhere:
    """What an account has at the venue where no order of ours can use it. `name`: what the venue calls the place, or whose it is.
    Of a sub-account the venue tells only what all of it is worth, in an asset of its choice."""

    place: Place
    name: str
    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Balances:
    """Pushed by a user stream. If `complete` is False, only the balances that changed are in it."""

    kind: ClassVar[str] = "balances"
    venue: str
    balances: tuple[Balance, ...]
    time: datetime
    complete: bool = False


@dataclass(frozen=True, slots=True)
class StreamGap:
    """From a stream, in place of data: something may have been missed since `since`. The feed then fills the gap by REST. An empty
    `symbol` means all symbols."""

    kind: ClassVar[str] = "gap"
    venue: str
    reason: str
    since: datetime
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Alive:
    """A heartbeat: the socket works although nothing was traded."""

    kind: ClassVar[str] = "alive"
    venue: str
    time: datetime


MarketEvent = Tick | Candle | Depth | StreamGap | Alive
UserEvent = Report | Balances | StreamGap | Alive


@dataclass(frozen=True, slots=True)
class KeyPermissions:
    can_read: bool
    can_trade: bool
    can_withdraw: bool
    ip_restricted: bool | None
    """None: the venue does not say."""


@dataclass(frozen=True, slots=True)
class FeeTier:
    maker: Decimal
    taker: Decimal
    """Shares of the traded value: 0.001 is 10 basis points."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """`client_order_id` is ours: at most 36 characters of [A-Za-z0-9_-]. Market orders give `quantity` in base."""

    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    limit: Decimal | None = None
    stop: Decimal | None = None
    time_in_force: TimeInForce = "gtc"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a venue is reached and with whose key. `environment` is sandbox, testnet or live. An empty address means the venue's
    own."""

    venue: str
    environment: Literal["sandbox", "testnet", "live"]
    rest: str = ""
    ws: str = ""
    ws_api: str = ""
    ws_user: str = ""
    api_key: str = field(default="", repr=False)
    api_secret: str = field(default="", repr=False)
    account: str = ""
    """Names the key in rate budgets and logs by the exchange account's id, never by the key itself."""


class Exchange(Protocol):
    """One venue with one key. All methods are coroutines on the caller's loop. They raise `Refused` (or a subclass of it),
    `Retryable` or `Unknown`, and no other error; so do the streams (`promises.py` sees to it). An answer that could not be read is
    `Retryable` with the code `unreadable`, or `Unknown` where something may have happened.

    Lists are read row by row: a row that cannot be read is counted and left out, and the others arrive."""

    @property
    def venue(self) -> str: ...

    @property
    def skipped_frames(self) -> int:
        """How many frames of its streams and rows of its lists could not be read so far."""
        ...

    @property
    def unread_products(self) -> Sequence[UnreadRow]:
        """The products of the newest list that could not be read."""
        ...

    finality: float
    """Seconds after which an order that was sent, and that the venue does not know, can no longer arrive there, because its
    signature has expired."""

    async def connect(self) -> None:
        """Opens sessions and measures how far the server's clock is off. Call it once, before anything else."""

    async def close(self) -> None: ...

    async def clock_offset(self) -> float:
        """Seconds that the venue's clock is ahead of ours, measured now; later signatures use it."""
        ...

    async def instruments(self, symbols: Sequence[str] = ()) -> list[InstrumentRules]: ...

    async def candles(self, symbol: str, interval: str, start: datetime, end: datetime) -> list[Candle]:
        """Closed candles with open times in [start, end), paged as the venue needs."""
        ...

    async def tickers(self, symbols: Sequence[str]) -> list[Tick]: ...

    async def depth(self, symbol: str, levels: int = 20) -> Depth: ...

    async def balances(self) -> list[Balance]:
        """What orders can use, and what they hold: each asset once."""
        ...

    async def elsewhere(self) -> list[HeldElsewhere]:
        """What the account has beside that. A place that this environment does not have is left out."""
        ...

    async def fee_tier(self, symbol: str) -> FeeTier: ...

    async def permissions(self) -> KeyPermissions: ...

    async def place(self, order: OrderRequest) -> Report: ...

    async def cancel(self, symbol: str, client_order_id: str, venue_order_id: str = "") -> Report:
        """Raises `NotFoundAtVenue` for an order that is over or never existed; `order` says which of the two."""
        ...

    async def order(self, symbol: str, client_order_id: str, venue_order_id: str = "") -> Report:
        """The order with all of its executions. Raises `NotFoundAtVenue`."""
        ...

    async def open_orders(self, symbols: Sequence[str] = ()) -> list[Report | UnreadRow]:
        """All of them, also those that others have placed. One that cannot be read is there as an `UnreadRow`, whatever its symbol
        is: it may be one of ours."""
        ...

    async def fills(self, symbol: str, since: datetime) -> list[tuple[str, Execution]]:
        """Our executions since then, each with its venue_order_id, oldest first."""
        ...

    @property
    def movement_lists(self) -> Sequence[str]:
        """The names of the lists in which the venue tells of movements."""
        ...

    async def movements(self, listed: str, since: datetime) -> MovementPage:
        """One list from `since` on: as long a time as the venue tells of at once, paged to its end. Ask again from the page's
        `until`, as long as it is not `whole`. A row may come twice. `NotOffered` where this environment has no such list."""
        ...

    def market_stream(
        self, symbols: Sequence[str], intervals: Sequence[str], *, depth: bool = False
    ) -> AsyncGenerator[MarketEvent, None]:
        """The life of one connection. `Alive` says that the venue has taken all subscriptions. It raises `Retryable` when the
        connection is lost, and the feed opens the next one; `Refused` where the venue does not take us. Close the generator
        (`aclosing`) when you leave it."""
        ...

    def user_stream(self) -> AsyncGenerator[UserEvent, None]:
        """The life of one subscription. The first `Alive` says that it stands; ask for what happened before that. It raises
        `Retryable` when the subscription is lost, `Refused` where the venue does not take the key."""
        ...
