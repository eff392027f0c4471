"""The exchange port: what the desk asks of a venue, and what it hears, in the desk's own words.

Prices and quantities are exact `Decimal`s, symbols are ours (`BTC-USDT`), times are aware UTC datetimes. An adapter
translates and nothing else: no retries (the caller knows what may be repeated), no state beyond its connections.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal, Protocol

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop", "stop_limit"]
TimeInForce = Literal["gtc", "ioc", "fok", "post_only"]
VenueStatus = Literal["accepted", "partially_filled", "filled", "cancelled", "expired", "rejected"]


class ExchangeError(Exception):
    """Named by who must act. `code`: the venue's own, for people; never a secret in the message."""

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class Refused(ExchangeError):
    """The venue said no, and nothing happened there. Asking the same again gives the same answer."""


class NotFoundAtVenue(Refused):
    """The venue does not know this order (yet)."""


class Unauthorised(Refused):
    """The key is wrong, expired, or may not do this. A person must act."""


class Retryable(ExchangeError):
    """Nothing happened at the venue and it may be asked again: rate limit, busy, breaker open, connection never made.
    `after`: seconds to wait at least."""

    def __init__(self, message: str, *, code: str = "", after: float = 0.0) -> None:
        super().__init__(message, code=code)
        self.after = after


class RateLimited(Retryable):
    """The venue's limit, or our budget below it, is used up. Nobody may send until `after`."""


class Unknown(ExchangeError):
    """Whether it happened is not known: time-out, 5xx, a line lost after sending. Only the venue's own word settles it."""


@dataclass(frozen=True, slots=True)
class InstrumentRules:
    """What a venue lists. Quantities in base, `min_notional` in quote; None where the venue has no such rule."""

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


@dataclass(frozen=True, slots=True)
class Tick:
    """A price of a symbol. `price`: the last trade's; `bid`, `ask` where the frame had them. `time`: the venue's."""

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
    """`closed` False: still growing. `time`: its open time."""

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
    """One trade of an order of ours. `trade_id` is unique for the venue and symbol; `fee` in `fee_asset`."""

    trade_id: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    maker: bool
    time: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What the venue says of an order. `filled`: base so far. `executions`: those that this message tells, maybe none
    (ask `fills` then: the sum of executions known must come to `filled`)."""

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
class Balance:
    asset: str
    free: Decimal
    held: Decimal


@dataclass(frozen=True, slots=True)
class Balances:
    """Pushed by a user stream. `complete` False: only those that changed."""

    kind: ClassVar[str] = "balances"
    venue: str
    balances: tuple[Balance, ...]
    time: datetime
    complete: bool = False


@dataclass(frozen=True, slots=True)
class StreamGap:
    """From a stream, in place of data: something may have been missed since `since`; the feed back-fills and asks anew.
    `symbol` empty: all of them."""

    kind: ClassVar[str] = "gap"
    venue: str
    reason: str
    since: datetime
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Alive:
    """A heartbeat: the socket lives although nothing traded."""

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
    """`client_order_id`: ours, at most 36 of [A-Za-z0-9_-]. Market orders carry `quantity` in base."""

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
    """Where a venue is reached and with whose key. `environment`: sandbox, testnet or live. Empty addresses: the venue's own."""

    venue: str
    environment: Literal["sandbox", "testnet", "live"]
    rest: str = ""
    ws: str = ""
    ws_api: str = ""
    ws_user: str = ""
    api_key: str = field(default="", repr=False)
    api_secret: str = field(default="", repr=False)
    account: str = ""
    """Names the key in rate budgets and logs: the exchange account's id; never the key itself."""


class Exchange(Protocol):
    """One venue with one key. All methods are coroutines on the caller's loop; each raises `Refused` (or a kind of it),
    `Retryable` or `Unknown`, and nothing else of the venue's."""

    @property
    def venue(self) -> str: ...

    @property
    def skipped_frames(self) -> int:
        """Frames of its streams that could not be read, so far."""
        ...

    finality: float
    """Seconds after which an order that was sent, and that the venue does not know, can no longer arrive there: its signature is
    stale."""

    async def connect(self) -> None:
        """Opens sessions and measures the server's clock offset; called once before anything else."""

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

    async def balances(self) -> list[Balance]: ...

    async def fee_tier(self, symbol: str) -> FeeTier: ...

    async def permissions(self) -> KeyPermissions: ...

    async def place(self, order: OrderRequest) -> Report: ...

    async def cancel(self, symbol: str, client_order_id: str, venue_order_id: str = "") -> Report:
        """`NotFoundAtVenue` for one that is over or never was: ask `order` which."""
        ...

    async def order(self, symbol: str, client_order_id: str, venue_order_id: str = "") -> Report:
        """The order with all of its executions. `NotFoundAtVenue`."""
        ...

    async def open_orders(self, symbols: Sequence[str] = ()) -> list[Report]: ...

    async def fills(self, symbol: str, since: datetime) -> list[tuple[str, Execution]]:
        """Ours since then, each with its venue_order_id, oldest first."""
        ...

    def market_stream(
        self, symbols: Sequence[str], intervals: Sequence[str], *, depth: bool = False
    ) -> AsyncGenerator[MarketEvent, None]:
        """One connection's life: `Alive` says that the venue has taken all subscriptions, and it raises when it is lost. Close it
        (`aclosing`) when you leave it. The feed opens the next."""
        ...

    def user_stream(self) -> AsyncGenerator[UserEvent, None]:
        """One subscription's life: the first `Alive` says that it stands (what happened before must be asked for), and it raises
        when it is lost."""
        ...
