"""Movements and fills as transactions of the Coinbase app's API: one for each account, and so for each asset, that they touch."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from market.sandbox.coinbase.calls import Json
from market.sandbox.coinbase.notation import decimal_text, named_uuid, order_uuid, second_text
from market.sandbox.exchange import SandboxExchange
from market.sandbox.movements import SandboxMovement
from market.sandbox.orders import SandboxFill

FIAT = ("USD", "EUR", "GBP")
STATUS = {"pending": "pending", "done": "completed", "failed": "failed"}
TYPES = {
    "deposit": "send",
    "withdrawal": "send",
    "conversion": "trade",
    "dust": "retail_simple_dust",
    "transfer": "transfer",
    "reward": "staking_reward",
    "rebate": "subscription_rebate",
}


def list_transactions(exchange: SandboxExchange, account: str, asset: str) -> list[Json]:
    """Those of one asset, the newest first."""
    moved = [row for made in exchange.movements(account) for row in movement_rows(made, asset)]
    traded = [row for fill in exchange.fills(account) for row in fill_rows(fill, account, asset)]
    return [row for _, row in sorted([*moved, *traded], key=lambda each: each[0], reverse=True)]


def movement_rows(made: SandboxMovement, asset: str) -> Iterator[tuple[int, Json]]:
    """(when it began, row) of each leg in the asset. The fee is taken out of the same amount."""
    for place, leg in enumerate(made.request.legs):
        if leg.asset == asset and made.request.wallet == "spot":
            fee = made.request.fee if made.request.fee_asset == asset and leg == last_leg(made, asset) else Decimal(0)
            yield made.created, movement_row(made, place, asset, leg.amount - fee, fee)


def last_leg(made: SandboxMovement, asset: str) -> object:
    return [leg for leg in made.request.legs if leg.asset == asset][-1]


def movement_row(made: SandboxMovement, place: int, asset: str, amount: Decimal, fee: Decimal) -> Json:
    kind, number = made.request.kind, named_uuid("transaction", str(made.id), str(place))
    word = TYPES[kind]
    if asset in FIAT and kind in ("deposit", "withdrawal"):
        word = f"fiat_{kind}"
    return {
        "id": number,
        "type": word,
        "status": STATUS[made.stage],
        "amount": {"amount": decimal_text(amount), "currency": asset},
        "native_amount": {"amount": "0.00", "currency": "USD"},
        "description": made.request.other or None,
        "created_at": second_text(made.created),
        "updated_at": second_text(made.ended or made.created),
        "resource": "transaction",
        "resource_path": f"/v2/accounts/{named_uuid('account', made.account, asset)}/transactions/{number}",
        **_describe_chain(made, word, amount, fee),
        **({"trade": {"id": named_uuid("trade", str(made.id))}} if word == "trade" else {}),
    }


def _describe_chain(made: SandboxMovement, word: str, amount: Decimal, fee: Decimal) -> Json:
    if word != "send":
        return {}
    ticket, asset = made.request, made.request.legs[0].asset
    if not ticket.network:
        return {"network": {"status": "off_blockchain"}, "idem": named_uuid("idem", str(made.id))}
    network: Json = {"status": "confirmed" if made.stage == "done" else "pending", "network_name": ticket.network.lower()}
    network |= {"hash": ticket.txid} if ticket.txid else {}
    if amount < 0:
        network |= {
            "transaction_fee": {"amount": decimal_text(fee), "currency": asset},
            "transaction_amount": {"amount": decimal_text(-amount - fee), "currency": asset},
        }
        return {"network": network, "to": {"resource": "address", "address": ticket.address}}
    return {"network": network, "from": {"resource": f"{ticket.network.lower()}_network"}, "to": {"address": ticket.address}}


def fill_rows(fill: SandboxFill, account: str, asset: str) -> Iterator[tuple[int, Json]]:
    """A fill is in two accounts: what was bought and what was sold."""
    base, quote = fill.symbol.split("-")
    sign = 1 if fill.side == "buy" else -1
    amounts = {base: sign * fill.qty, quote: -sign * fill.value - fill.fee}
    if asset not in amounts:
        return
    number = named_uuid("transaction", "fill", str(fill.id), fill.symbol, fill.side, asset)
    yield (
        fill.time,
        {
            "id": number,
            "type": "advanced_trade_fill",
            "status": "completed",
            "amount": {"amount": decimal_text(amounts[asset]), "currency": asset},
            "native_amount": {"amount": "0.00", "currency": "USD"},
            "description": None,
            "created_at": second_text(fill.time),
            "updated_at": second_text(fill.time),
            "resource": "transaction",
            "resource_path": f"/v2/accounts/{named_uuid('account', account, asset)}/transactions/{number}",
            "advanced_trade_fill": {
                "fill_price": decimal_text(fill.price),
                "product_id": fill.symbol,
                "order_id": order_uuid(fill.order_id),
                "commission": decimal_text(fill.fee),
                "order_side": fill.side,
            },
        },
    )
