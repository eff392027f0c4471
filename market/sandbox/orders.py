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
    """An order or cancellation that the venue does not take. Codes: unknown_symbol, halted, bad_request, price_filter,
    percent_price, lot_size, min_notional, insufficient_balance, would_take, would_trigger, duplicate, unknown_order.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class OrderTicket:
    """What a client asks for. `quote_qty` instead of `qty` for a market order that spends (or earns) so much quote.

    `stop` makes `stop` and `stop_limit` orders wait until a trade reaches it: from below for `up`, from above for `down`;
    without `direction` a buy waits for up and a sell for down. `expires` (ms) goes with `gtd`.
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
        """From which side its stop is reached."""
        return self.direction or ("up" if self.side == "buy" else "down")


@dataclass(frozen=True, slots=True)
class SandboxFill:
    """One execution of one order. `id` is the trade's, unique within the venue and never twice in one account."""

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
    """An order that was taken, as it stands now. `reason` says why it ended other than by filling:
    user, immediate (IOC, FOK, or no liquidity left), self_trade, delisted, deadline, no_funds.
    """

    id: int
    account: str
    request: OrderTicket
    client_id: str
    qty: Decimal
    """What was asked for in base; of a quote order what was filled."""
    created: int
    updated: int
    status: Status = "open"
    reason: str = ""
    triggered: bool = False
    filled: Decimal = ZERO
    value: Decimal = ZERO
    """Quote of all fills."""
    fees: Decimal = ZERO
    """In the fee asset of its fills."""
    held: Decimal = ZERO
    """Of `hold_asset`: what its account has set aside for it now."""
    hold_asset: str = ""
    working_time: int = 0
    """When it went into the book: with its creation, or when its stop was reached."""
    queue: Decimal = ZERO
    """Quantity before it at its price."""
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
        """A stop that has not been reached."""
        return bool(self.request.stop) and not self.triggered

    @property
    def average(self) -> Decimal:
        """Average price of its fills, zero without any."""
        return self.value / self.filled if self.filled else ZERO
