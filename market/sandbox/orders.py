"""Orders as the sandbox keeps them, in words that both venues share. Prices in quote, quantities in base."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

Side = Literal["buy", "sell"]
Type = Literal["market", "limit", "stop", "stop_limit"]
Tif = Literal["gtc", "ioc", "fok", "gtd"]
Status = Literal["open", "filled", "cancelled", "expired"]
Direction = Literal["up", "down"]

ZERO = Decimal(0)


class RequestRefused(Exception):
    """The venue does not take an order, a cancellation or a withdrawal. Codes: unknown_symbol, halted, bad_request, no_market,
    price_filter, percent_price, lot_size, too_large, market_lot_size, min_notional, max_notional, max_position, too_many_orders,
    too_many_stops, insufficient_balance, would_take, would_trigger, duplicate, unknown_order.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class OrderTicket:
    """The order that a client asks for. `quote_qty` replaces `qty` for a market order that spends (or earns) so much quote.

    `stop` makes `stop` and `stop_limit` orders wait until a trade reaches that price: from below for `up`, from above for `down`.
    Without a `direction` a buy waits for `up` and a sell for `down`. `expires` (ms) belongs to `gtd`.
    """

    symbol: str
    side: Side
    type: Type
    qty: Decimal = ZERO
    quote_qty: Decimal = ZERO
    limit: Decimal = ZERO
    stop: Decimal = ZERO
    direction: Direction | None = None
    tif: Tif = "gtc"
    post_only: bool = False
    client_id: str = ""
    expires: int = 0

    @property
    def trigger(self) -> Direction:
        """From which side a trade has to reach its stop price."""
        return self.direction or ("up" if self.side == "buy" else "down")


@dataclass(frozen=True, slots=True)
class SandboxFill:
    """One execution of one order. `id` is the trade's: it counts within the symbol, and no account has it twice there."""

    id: int
    order_id: int
    client_id: str
    symbol: str
    side: Side
    price: Decimal
    qty: Decimal
    value: Decimal
    """price x qty, in quote."""
    fee: Decimal
    fee_asset: str
    maker: bool
    time: int


@dataclass(slots=True)
class SandboxOrder:
    """An order that the venue took, as it stands now. `reason` says why it ended without filling whole:
    user, immediate (IOC, FOK, or no liquidity left), self_trade, delisted, deadline, no_funds.
    """

    id: int
    account: str
    request: OrderTicket
    client_id: str
    qty: Decimal
    """The quantity the client asked for, in base. A quote order has the quantity that filled."""
    created: int
    updated: int
    status: Status = "open"
    reason: str = ""
    triggered: bool = False
    filled: Decimal = ZERO
    value: Decimal = ZERO
    """The value of all fills, in quote."""
    fees: Decimal = ZERO
    """All fees, in the fee asset of its fills."""
    held: Decimal = ZERO
    """What its account has set aside for it now, in `hold_asset`."""
    hold_asset: str = ""
    working_time: int = 0
    """When it went into the book (ms): at its creation, or when a trade reached its stop price."""
    queue: Decimal = ZERO
    """The quantity that has to trade at its price before it does."""
    fills: list[SandboxFill] = field(default_factory=list)

    @property
    def symbol(self) -> str:
        return self.request.symbol

    @property
    def side(self) -> Side:
        return self.request.side

    @property
    def remaining(self) -> Decimal:
        return self.qty - self.filled

    @property
    def waiting(self) -> bool:
        """Whether it is a stop order whose price no trade has reached yet."""
        return bool(self.request.stop) and not self.triggered

    @property
    def average(self) -> Decimal:
        """The average price of its fills; zero without any."""
        return self.value / self.filled if self.filled else ZERO
