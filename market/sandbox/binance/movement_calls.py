"""The calls that list movements: deposits, withdrawals, conversions, dust, dividends, transfers, rebates. Newest first, as the
venue lists them, each with its own idea of spans, pages, times and ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from market.sandbox.binance.notation import BinanceError, amount_text
from market.sandbox.binance.params import Params, malformed_parameter, read_limit, read_required, read_whole
from market.sandbox.exchange import SandboxExchange
from market.sandbox.movements import SandboxMovement

Json = dict[str, Any]
DAY = 86_400_000
DUST_SHOWN = 100
REBATES_SHOWN = 100
DEPOSIT_STATUS = {"pending": 0, "done": 1, "failed": 7}
WITHDRAWAL_STATUS = {"pending": 4, "done": 6, "failed": 3}
CONVERSION_STATUS = {"pending": "PROCESS", "done": "SUCCESS", "failed": "FAIL"}
TRANSFER_STATUS = {"pending": "PENDING", "done": "CONFIRMED", "failed": "FAILED"}
WITHOUT_CHAIN = ("Internal transfer", "Off-chain transfer")
"""How the venue begins what it writes in the place of a chain's transaction."""


class MovementCalls:
    """Each takes the account's name and the parameters."""

    def __init__(self, exchange: SandboxExchange) -> None:
        self.exchange = exchange

    def deposits(self, account: str, given: Params) -> Any:
        rows = self._find(account, given, "deposit", most=90)
        return cut_offset([deposit_row(each) for each in rows if given.get("coin") in (None, each.request.legs[0].asset)], given)

    def withdrawals(self, account: str, given: Params) -> Any:
        rows = self._find(account, given, "withdrawal", most=90)
        return cut_offset([withdrawal_row(each) for each in rows if given.get("coin") in (None, each.request.legs[0].asset)], given)

    def conversions(self, account: str, given: Params) -> Any:
        for name in ("startTime", "endTime"):
            read_required(given, name)
        limit = read_limit(given, 100, 1000)
        rows = [conversion_row(each) for each in self._find(account, given, "conversion", most=30)]
        span = {"startTime": read_whole(given, "startTime"), "endTime": read_whole(given, "endTime")}
        return {"list": rows[:limit], **span, "limit": limit, "moreData": len(rows) > limit}

    def dust(self, account: str, given: Params) -> Any:
        rows = [dust_row(each) for each in self._find(account, given, "dust", most=0)]
        return {"total": len(rows), "userAssetDribblets": rows[:DUST_SHOWN]}

    def dividends(self, account: str, given: Params) -> Any:
        rows = [dividend_row(each) for each in self._find(account, given, "reward", most=180)]
        return {"rows": rows[: read_limit(given, 20, 500)], "total": len(rows)}

    def transfers(self, account: str, given: Params) -> Any:
        wanted = read_required(given, "type")
        rows = [transfer_row(each) for each in self._find(account, given, "transfer", most=0)]
        rows = [row for row in rows if row["type"] == wanted]
        size, page = read_whole(given, "size", 10) or 10, read_whole(given, "current", 1) or 1
        if size > 100:
            raise malformed_parameter("size")
        return {"rows": rows[(page - 1) * size : page * size], "total": len(rows)}

    def rebates(self, account: str, given: Params) -> Any:
        rows = [rebate_row(each) for each in self._find(account, given, "rebate", most=30)]
        page = read_whole(given, "page", 1) or 1
        shown = rows[(page - 1) * REBATES_SHOWN : page * REBATES_SHOWN]
        pages = -(-len(rows) // REBATES_SHOWN)
        data = {"page": page, "totalRecords": len(rows), "totalPageNum": pages, "data": shown}
        return {"status": "OK", "type": "GENERAL", "code": "000000000", "data": data}

    def _find(self, account: str, given: Params, kind: str, *, most: int) -> Sequence[SandboxMovement]:
        """Those of a span of `most` days at most (0: any), the newest first."""
        end = read_whole(given, "endTime")
        end = self.exchange.wall() if end is None else end
        start = read_whole(given, "startTime")
        start = end - (most or 7) * DAY if start is None else start
        if most and not 0 <= end - start <= most * DAY:
            raise BinanceError(-4047, f"Time interval must be within 0-{most} days")
        return [each for each in reversed(self.exchange.movements(account, kind)) if start <= each.created <= end]


def cut_offset(rows: list[Json], given: Params) -> list[Json]:
    first = read_whole(given, "offset", 0) or 0
    return rows[first : first + read_limit(given, 1000, 1000)]


def deposit_row(made: SandboxMovement) -> Json:
    ticket, leg = made.request, made.request.legs[0]
    return {
        "id": f"{7_698_005_193_668_000 + made.id}",
        "amount": plain_text(leg.amount),
        "coin": leg.asset,
        **_chain_fields(made),
        "status": DEPOSIT_STATUS[made.stage],
        "addressTag": "",
        "insertTime": made.created,
        **({"completeTime": made.ended} if made.ended else {}),
        "confirmTimes": "12/12" if made.stage == "done" else "1/12",
        "unlockConfirm": 12,
        "walletType": int(ticket.wallet != "spot"),
    }


def withdrawal_row(made: SandboxMovement) -> Json:
    ticket, leg = made.request, made.request.legs[0]
    return {
        "id": f"b6ae22b3aa844210a7041aee{made.id:08x}",
        "amount": plain_text(-leg.amount),
        "transactionFee": plain_text(ticket.fee),
        "coin": leg.asset,
        **_chain_fields(made),
        "status": WITHDRAWAL_STATUS[made.stage],
        "applyTime": second_text(made.created),
        **({"completeTime": second_text(made.ended)} if made.ended else {}),
        "info": "",
        "confirmNo": 3,
        "walletType": int(ticket.wallet != "spot"),
        "txKey": "",
    }


def _chain_fields(made: SandboxMovement) -> Json:
    ticket = made.request
    inside = ticket.txid.startswith(WITHOUT_CHAIN)
    return {"network": ticket.network, "address": ticket.address, "txId": ticket.txid, "transferType": int(inside)}


def conversion_row(made: SandboxMovement) -> Json:
    given, got = sorted(made.request.legs, key=lambda leg: leg.amount)
    ratio = got.amount / -given.amount
    return {
        "quoteId": f"f3b91c525b2644c7bc1e1cd3{made.id:08x}",
        "orderId": 940_708_407_462_087_195 + made.id,
        "orderStatus": CONVERSION_STATUS[made.stage],
        "fromAsset": given.asset,
        "fromAmount": plain_text(-given.amount),
        "toAsset": got.asset,
        "toAmount": plain_text(got.amount),
        "ratio": plain_text(round(ratio, 12)),
        "inverseRatio": plain_text(round(1 / ratio, 12)),
        "createTime": made.created,
    }


def dust_row(made: SandboxMovement) -> Json:
    """What came in is told without the fee, and shared out by the number of what was given."""
    given = [leg for leg in made.request.legs if leg.amount < 0]
    got, fee = sum((leg.amount for leg in made.request.legs if leg.amount > 0), Decimal(0)), made.request.fee
    return {
        "operateTime": made.created,
        "totalTransferedAmount": amount_text(got - fee),
        "totalServiceChargeAmount": amount_text(fee),
        "transId": 45_178_372_831 + made.id,
        "userAssetDribbletDetails": [
            {
                "transId": 4_359_321 + made.id,
                "serviceChargeAmount": amount_text(fee / len(given)),
                "amount": amount_text(-leg.amount),
                "operateTime": made.created,
                "transferedAmount": amount_text((got - fee) / len(given)),
                "fromAsset": leg.asset,
            }
            for leg in given
        ],
    }


def dividend_row(made: SandboxMovement) -> Json:
    leg = made.request.legs[0]
    return {
        "id": 1_637_366_104 + made.id,
        "amount": amount_text(leg.amount),
        "asset": leg.asset,
        "divTime": made.created,
        "enInfo": made.request.other or f"{leg.asset} distribution",
        "tranId": 2_968_885_920,
        "direction": 1,
    }


def transfer_row(made: SandboxMovement) -> Json:
    leg, other = made.request.legs[0], made.request.other or "FUNDING"
    return {
        "asset": leg.asset,
        "amount": plain_text(abs(leg.amount)),
        "type": f"{other}_MAIN" if leg.amount > 0 else f"MAIN_{other}",
        "status": TRANSFER_STATUS[made.stage],
        "tranId": 11_415_955_596 + made.id,
        "timestamp": made.created,
    }


def rebate_row(made: SandboxMovement) -> Json:
    leg = made.request.legs[0]
    return {"asset": leg.asset, "type": 1, "amount": plain_text(leg.amount), "updateTime": made.created}


def plain_text(amount: Decimal) -> str:
    """Without zeros at the end, as the lists of movements write amounts."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def second_text(time_ms: int) -> str:
    """UTC without saying so, as withdrawals alone tell their times."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
