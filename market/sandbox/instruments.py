"""The instruments that each venue lists, with their rules, and the fees and first balances of the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from market.sandbox.orders import RequestRefused

D = Decimal
MAX_PRICE = D(1_000_000)
MAX_NOTIONAL = D(9_000_000)
ANY = D(0)


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Fees as shares of a fill's value. They come off what was bought (Binance) or, `in_quote`, off the quote side."""

    maker: Decimal
    taker: Decimal
    in_quote: bool


@dataclass(frozen=True, slots=True)
class ListedInstrument:
    """A symbol such as `BTC-USDT` with its filters. Prices and notionals in quote, quantities in base."""

    symbol: str
    tick: Decimal
    lot: Decimal
    min_qty: Decimal
    max_qty: Decimal
    min_notional: Decimal
    price: Decimal
    """The price at which the seeded walk starts."""
    max_price: Decimal = MAX_PRICE
    trading: bool = True
    market_max_qty: Decimal = ANY
    """Of a market order; zero: `max_qty`. Zero below: no such filter."""
    max_notional: Decimal = MAX_NOTIONAL
    """Of an order with a limit."""
    max_position: Decimal = ANY
    """What an account may have of the base, with what its open orders buy."""
    max_orders: int = 0
    """Of an account in the symbol, open at once."""
    max_stops: int = 0
    takes_market: bool = True

    @property
    def base(self) -> str:
        return self.symbol.partition("-")[0]

    @property
    def quote(self) -> str:
        return self.symbol.partition("-")[2]

    def check_price(self, price: Decimal) -> None:
        """`RequestRefused` with `price_filter`."""
        if not self.tick <= price <= self.max_price:
            raise RequestRefused("price_filter", f"{self.symbol}: price must lie between {self.tick} and {self.max_price}.")
        if price % self.tick:
            raise RequestRefused("price_filter", f"{self.symbol}: price must be a multiple of {self.tick}.")

    def check_qty(self, qty: Decimal, *, market: bool = False) -> None:
        """`RequestRefused` with `lot_size`, `too_large` or `market_lot_size`."""
        if qty > self.max_qty:
            raise RequestRefused("too_large", f"{self.symbol}: quantity must be at most {self.max_qty}.")
        if market and self.market_max_qty and qty > self.market_max_qty:
            raise RequestRefused("market_lot_size", f"{self.symbol}: a market order may ask for at most {self.market_max_qty}.")
        if qty < self.min_qty:
            raise RequestRefused("lot_size", f"{self.symbol}: quantity must be at least {self.min_qty}.")
        if qty % self.lot:
            raise RequestRefused("lot_size", f"{self.symbol}: quantity must be a multiple of {self.lot}.")

    def check_notional(self, value: Decimal, *, market: bool = False) -> None:
        """`RequestRefused` with `min_notional` or `max_notional`."""
        if value < self.min_notional:
            raise RequestRefused("min_notional", f"{self.symbol}: the order's value must be at least {self.min_notional}.")
        if not market and value > self.max_notional:
            raise RequestRefused("max_notional", f"{self.symbol}: the order's value must be at most {self.max_notional}.")

    def floor(self, qty: Decimal) -> Decimal:
        """The largest multiple of the lot that is not above `qty`."""
        return qty - qty % self.lot


def _make_instrument(symbol: str, price: str, tick: str, lot: str, min_notional: str, max_qty: str) -> ListedInstrument:
    return ListedInstrument(symbol, D(tick), D(lot), D(lot), D(max_qty), D(min_notional), D(price), max_orders=200)


BINANCE = tuple(
    _make_instrument(*row)
    for row in (
        ("BTC-USDT", "65000", "0.01", "0.00001", "5", "9000"),
        ("ETH-USDT", "3200", "0.01", "0.0001", "5", "9000"),
        ("SOL-USDT", "150", "0.01", "0.001", "5", "90000"),
        ("XRP-USDT", "0.6", "0.0001", "0.1", "5", "9000000"),
        ("ETH-BTC", "0.05", "0.00001", "0.001", "0.0001", "9000"),
    )
)
COINBASE = tuple(
    _make_instrument(*row)
    for row in (
        ("BTC-USD", "65010", "0.01", "0.00000001", "1", "3400"),
        ("ETH-USD", "3201", "0.01", "0.00000001", "1", "42000"),
        ("SOL-USD", "150.1", "0.01", "0.00000001", "1", "500000"),
    )
)
BINANCE_FEES = FeeRates(D("0.001"), D("0.001"), in_quote=False)
COINBASE_FEES = FeeRates(D("0.004"), D("0.006"), in_quote=True)
BALANCES = {
    "binance": {"USDT": D(100_000), "BTC": D(2), "ETH": D(20), "SOL": D(200), "XRP": D(50_000)},
    "coinbase": {"USD": D(100_000), "BTC": D(2), "ETH": D(20), "SOL": D(200)},
}
"""What the account of each venue owns at the start."""
