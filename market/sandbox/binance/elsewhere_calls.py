"""The calls about money outside of spot trading: funding wallet, Simple Earn, sub-accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from market.sandbox.binance.notation import amount_text
from market.sandbox.binance.params import Params, read_whole
from market.sandbox.elsewhere import list_assets
from market.sandbox.exchange import SandboxExchange
from market.sandbox.orders import ZERO

LENT_SINCE = "1646182276000"


class ElsewhereCalls:
    """Each takes the account's name and the parameters."""

    def __init__(self, exchange: SandboxExchange) -> None:
        self.exchange = exchange

    def funding(self, account: str, given: Params) -> Any:
        nothing = dict.fromkeys(("locked", "freeze", "withdrawing", "btcValuation"), amount_text(ZERO))
        return [{"asset": asset, "free": amount_text(amount), **nothing} for asset, amount in self._list(account, "funding")]

    def flexible(self, account: str, given: Params) -> Any:
        rows = [
            {
                "asset": asset,
                "totalAmount": amount_text(amount),
                "latestAnnualPercentageRate": "0.02599895",
                "productId": f"{asset}001",
                "canRedeem": True,
                "collateralAmount": amount_text(ZERO),
                "cumulativeTotalRewards": amount_text(ZERO),
                "autoSubscribe": True,
            }
            for asset, amount in self._list(account, "flexible")
        ]
        return {"rows": _cut_page(rows, given, "current", 10), "total": len(rows)}

    def locked(self, account: str, given: Params) -> Any:
        rows = [
            {
                "positionId": number,
                "projectId": f"{asset}*90",
                "asset": asset,
                "amount": amount_text(amount),
                "purchaseTime": LENT_SINCE,
                "duration": "90",
                "rewardAsset": asset,
                "status": "HOLDING",
                "type": "NORMAL",
            }
            for number, (asset, amount) in enumerate(self._list(account, "locked"), 123_123)
        ]
        return {"rows": _cut_page(rows, given, "current", 10), "total": len(rows)}

    def sub_accounts(self, account: str, given: Params) -> Any:
        """What each has in all is told in bitcoin."""
        rows = [
            {"email": f"sub{number}@example.com", "totalAsset": amount_text(amount)}
            for number, (_, amount) in enumerate(self._list(account, "sub_account"), 1)
        ]
        page = _cut_page(rows, given, "page", 10)
        return {"totalCount": len(rows), "masterAccountTotalAsset": amount_text(ZERO), "spotSubUserAssetBtcVoList": page}

    def _list(self, account: str, place: str) -> Any:
        return list_assets(self.exchange.accounts[account].elsewhere, place)


def _cut_page(rows: Sequence[Any], given: Params, number: str, size: int) -> Sequence[Any]:
    count = min(read_whole(given, "size") or size, 100)
    first = ((read_whole(given, number) or 1) - 1) * count
    return rows[first : first + count]
