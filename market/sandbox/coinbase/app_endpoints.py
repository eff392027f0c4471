"""The endpoints of the Coinbase app's API (`/v2`), which clients ask for currencies, accounts and movements."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from market.sandbox.coinbase import orders
from market.sandbox.coinbase.calls import CoinbaseRequest, Json, invalid_argument, not_found
from market.sandbox.coinbase.notation import decimal_text, named_uuid, second_text, time_text
from market.sandbox.coinbase.products import NAMES
from market.sandbox.coinbase.transactions import FIAT, list_transactions
from market.sandbox.exchange import SandboxExchange

PLACES = 8
PAGES = {"ending_before": None, "starting_after": None, "limit": 25, "order": "desc", "previous_uri": None, "next_uri": None}


@dataclass(frozen=True, slots=True)
class AppEndpoints:
    """`now` is the server's clock, `opened` when the sandbox began; both in ms."""

    exchange: SandboxExchange
    now: Callable[[], int]
    opened: int

    def time(self, call: CoinbaseRequest) -> Json:
        now = self.now()
        return {"data": {"iso": time_text(now), "epoch": now // 1000}}

    def currencies(self, call: CoinbaseRequest) -> Json:
        """Money of states alone, as the venue has it; `crypto_currencies` are apart."""
        rows = [{"id": name, "name": NAMES.get(name, name), "min_size": "0.01"} for name in self._list_assets() if name in FIAT]
        return {"data": rows}

    def crypto_currencies(self, call: CoinbaseRequest) -> Json:
        names = [name for name in self._list_assets() if name not in FIAT]
        return {"data": [self._crypto(name, place) for place, name in enumerate(names, 1)]}

    def rates(self, call: CoinbaseRequest) -> Json:
        """What one unit of `currency` buys of each other, by the last trades. Only what a market here says is there."""
        currency = call.query.get("currency", "USD")
        rates = {currency: Decimal(1)}
        for market in self.exchange.markets.values():
            item, price = market.instrument, market.book.last
            if item.quote == currency:
                rates[item.base] = 1 / price
            elif item.base == currency:
                rates[item.quote] = price
        return {"data": {"currency": currency, "rates": {name: decimal_text(round(rate, 12)) for name, rate in rates.items()}}}

    def user(self, call: CoinbaseRequest) -> Json:
        return {"data": {"id": orders.user_id(call.account), "name": "Sandbox", "resource": "user", "resource_path": "/v2/user"}}

    def accounts(self, call: CoinbaseRequest) -> Json:
        balances = self.exchange.accounts[call.account].balances
        return cut_page(call, "/v2/accounts", [self._account(call.account, asset) for asset in sorted(balances)])

    def account(self, call: CoinbaseRequest) -> Json:
        return {"data": self._account(call.account, self._find_asset(call))}

    def transactions(self, call: CoinbaseRequest) -> Json:
        """Fills are among them. An account is known by its id, or by its currency."""
        rows = list_transactions(self.exchange, call.account, self._find_asset(call))
        return cut_page(call, f"/v2/accounts/{call.parts['account_id']}/transactions", rows)

    def no_rows(self, call: CoinbaseRequest) -> Json:
        """Addresses and the like of one account."""
        self._find_asset(call)
        return {"pagination": PAGES, "data": []}

    def _find_asset(self, call: CoinbaseRequest) -> str:
        wanted = call.parts["account_id"]
        for asset in self.exchange.accounts[call.account].balances:
            if wanted in (asset, named_uuid("account", call.account, asset)):
                return asset
        raise not_found("account not found")

    def _list_assets(self) -> list[str]:
        items = [market.instrument for market in self.exchange.markets.values()]
        return sorted({item.base for item in items} | {item.quote for item in items})

    def _crypto(self, name: str, place: int) -> Json:
        known = {"code": name, "name": NAMES.get(name, name), "color": "#808080", "sort_index": 100 + place, "type": "crypto"}
        return known | {"exponent": PLACES, "address_regex": "", "asset_id": named_uuid("asset", name)}

    def _account(self, account: str, asset: str) -> Json:
        held, kind = self.exchange.accounts[account].balance(asset), "fiat" if asset in FIAT else "crypto"
        number = named_uuid("account", account, asset)
        return {
            "id": number,
            "name": f"{asset} Wallet",
            "primary": asset == "BTC",
            "type": "fiat" if kind == "fiat" else "wallet",
            "currency": {"code": asset, "name": NAMES.get(asset, asset), "type": kind, "exponent": 2 if kind == "fiat" else PLACES},
            "balance": {"amount": decimal_text(held.total), "currency": asset},
            "created_at": time_text(self.opened),
            "updated_at": self._find_touched(account, asset),
            "resource": "account",
            "resource_path": f"/v2/accounts/{number}",
            "allow_deposits": False,
            "allow_withdrawals": False,
        }

    def _find_touched(self, account: str, asset: str) -> str:
        """When the account of an asset last changed."""
        newest = list_transactions(self.exchange, account, asset)[:1]
        return str(newest[0]["updated_at"]) if newest else second_text(self.opened)


def cut_page(call: CoinbaseRequest, path: str, rows: list[Json]) -> Json:
    """The rows after the one that `starting_after` names; the address of the next page stands in the answer."""
    limit, after = call.read_count("limit", 25, 100), call.query.get("starting_after", "")
    ids = [row["id"] for row in rows]
    if after and after not in ids:
        raise invalid_argument("starting_after names no row of this list")
    first = ids.index(after) + 1 if after else 0
    page = rows[first : first + limit]
    more = first + limit < len(rows)
    following = f"{path}?limit={limit}&starting_after={page[-1]['id']}" if more else None
    place = {"starting_after": after or None, "limit": limit, "next_uri": following}
    return {"pagination": {**PAGES, **place, "next_starting_after": page[-1]["id"] if more else None}, "data": page}
