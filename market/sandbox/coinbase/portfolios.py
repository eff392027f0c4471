"""The endpoints of the account's one portfolio, and of the banks that it has not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from market.sandbox.accounts import SandboxAccount
from market.sandbox.coinbase.calls import CoinbaseRequest, Json, not_found
from market.sandbox.coinbase.notation import decimal_text, named_uuid
from market.sandbox.coinbase.orders import portfolio_id
from market.sandbox.exchange import SandboxExchange
from market.sandbox.orders import ZERO

CASH = ("USD", "EUR", "GBP")


@dataclass(frozen=True, slots=True)
class PortfolioEndpoints:
    exchange: SandboxExchange

    def portfolios(self, call: CoinbaseRequest) -> Json:
        return {"portfolios": [show_portfolio(call.account)]}

    def breakdown(self, call: CoinbaseRequest) -> Json:
        """Spot alone, each asset at the last price in USD."""
        if call.parts["portfolio_id"] != portfolio_id(call.account):
            raise not_found("portfolio not found")
        account = self.exchange.accounts[call.account]
        return {"breakdown": break_down(account, {asset: self._worth(account, asset) for asset in sorted(account.balances)})}

    def payment_methods(self, call: CoinbaseRequest) -> Json:
        """None: no bank is linked to the account."""
        return {"payment_methods": []}

    def _worth(self, account: SandboxAccount, asset: str) -> Decimal:
        """In USD, or nothing where no market says so."""
        market = self.exchange.markets.get(f"{asset}-USD")
        price = Decimal(1) if asset == "USD" else market.book.last if market else ZERO
        return account.balance(asset).total * price


def show_portfolio(account: str) -> dict[str, Any]:
    return {"name": "Default", "uuid": portfolio_id(account), "type": "DEFAULT", "deleted": False}


def break_down(account: SandboxAccount, worth: Mapping[str, Decimal]) -> dict[str, Any]:
    """What each asset is worth in USD, and the sums. There are no futures and no perpetuals."""
    total = sum(worth.values(), ZERO)
    cash = sum((value for asset, value in worth.items() if asset in CASH), ZERO)
    none = _amount(ZERO)
    return {
        "portfolio": show_portfolio(account.name),
        "portfolio_balances": {
            "total_balance": _amount(total),
            "total_futures_balance": none,
            "total_cash_equivalent_balance": _amount(cash),
            "total_crypto_balance": _amount(total - cash),
            "futures_unrealized_pnl": none,
            "perp_unrealized_pnl": none,
        },
        "spot_positions": [_position(account, asset, worth, total) for asset in worth],
        "perp_positions": [],
        "futures_positions": [],
    }


def _position(account: SandboxAccount, asset: str, worth: Mapping[str, Decimal], total: Decimal) -> dict[str, Any]:
    """Amounts are numbers here, as the venue writes them."""
    held = account.balance(asset)
    free = held.free / held.total if held.total else ZERO
    return {
        "asset": asset,
        "account_uuid": named_uuid("account", account.name, asset),
        "total_balance_fiat": float(round(worth[asset], 2)),
        "total_balance_crypto": float(held.total),
        "available_to_trade_fiat": float(round(worth[asset] * free, 2)),
        "available_to_trade_crypto": float(held.free),
        "available_to_transfer_fiat": float(round(worth[asset] * free, 2)),
        "available_to_transfer_crypto": float(held.free),
        "allocation": float(worth[asset] / total) if total else 0.0,
        "is_cash": asset in CASH,
    }


def _amount(value: Decimal) -> dict[str, str]:
    return {"value": decimal_text(round(value, 2)), "currency": "USD"}
