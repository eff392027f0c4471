"""What watched wallets have on their chains, by the last whole reading of each."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet

from core.fields import EXACT
from wallets.chains.amounts import amount_text, units_amount
from wallets.chains.base import Block, WatchedAddress
from wallets.chains.registry import chain_get
from wallets.ledger import MOST
from wallets.models import (
    ChainEndpoint,
    ChainHolding,
    ChainReading,
    ChainToken,
    ChainTransaction,
    ChainTransfer,
    ChainWatch,
    Wallet,
)
from wallets.secrets import secret_box

HOLDINGS = Prefetch("chain_holdings", ChainHolding.objects.select_related("token"))
MARKS = 12
"""Readings whose blocks are looked for on the chain, to go on from the newest one that is still there."""


def chain_holdings(wallet: Wallet) -> dict[str, Decimal]:
    """By asset, what is confirmed of the chain's coin and of tokens that are known or that a person trusts. Left out are those that
    do not say their decimals, and those that tell of more than there is of anything."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for holding in wallet.chain_holdings.all():
        token = holding.token
        amount = None if token.decimals is None else units_amount(holding.units, token.decimals)
        if token.asset and amount is not None and amount < MOST:
            found[token.asset] = EXACT.add(found[token.asset], amount)
    return dict(found)


def holding_text(units: Decimal, token: ChainToken) -> str:
    """To the last digit; without decimals nobody knows how much it is, and it is said in units."""
    return f"{int(units)} units" if token.decimals is None else amount_text(units_amount(units, token.decimals))


def tokens_apart(wallet: Wallet) -> list[ChainHolding]:
    """Of tokens that nobody trusts: they are worth nothing, whatever they call themselves."""
    return [holding for holding in wallet.chain_holdings.all() if not holding.token.asset]


def chain_balances(wallet: Wallet) -> list[dict[str, str]]:
    """As the balances of other wallets, JSON-ready."""
    return [
        {"asset": asset, "amount": amount_text(amount), "unbooked": "0"} for asset, amount in sorted(chain_holdings(wallet).items())
    ]


def chain_urls(chain: str) -> list[str]:
    """The nodes to ask, in turn: those of the admin, or else those of the settings, or else the public ones."""
    rows = ChainEndpoint.objects.filter(chain=chain, enabled=True)
    own = [secret_box().open(row.address, endpoint_place(row)) for row in rows]
    return own or settings.CHAIN_ENDPOINTS.get(chain) or list(chain_get(chain).endpoints)


def endpoint_place(row: ChainEndpoint) -> str:
    """What a node's sealed address is bound to."""
    return f"{ChainEndpoint._meta.db_table}:{row.pk}:address"


def watched_address(watch: ChainWatch) -> WatchedAddress:
    return WatchedAddress(watch.address, tuple(watch.scripts))


def whole_readings(wallet: Wallet) -> dict[Block, ChainReading]:
    """The newest ones by their blocks, newest first."""
    rows = wallet.chain_readings.filter(state=ChainReading.State.WHOLE)[:MARKS]
    found: dict[Block, ChainReading] = {}
    for row in rows:
        found.setdefault(Block(row.block or 0, row.block_hash), row)
    return found


def known_contracts(wallet: Wallet, chain: str) -> list[str]:
    """Of tokens that the wallet has or had, or that a person trusts."""
    of_wallet = Q(holdings__wallet=wallet) | Q(pk__in=ChainTransfer.objects.filter(transaction__wallet=wallet).values("token"))
    found = ChainToken.objects.filter(of_wallet | ~Q(asset=""), chain=chain).exclude(contract="").distinct()
    return list(found.values_list("contract", flat=True))


def chain_transactions(wallet: Wallet) -> QuerySet[ChainTransaction]:
    """Those that were seen, newest first; page them by `-id`."""
    transfers = Prefetch("transfers", ChainTransfer.objects.select_related("token"))
    return wallet.chain_transactions.prefetch_related(transfers).order_by("-id")


# ---------------------------------------------------------------- as JSON


def watch_report(wallet: Wallet) -> dict[str, Any] | None:
    """What is watched and when it was read; None for other wallets."""
    watch: ChainWatch | None = getattr(wallet, "watch", None)
    if watch is None:
        return None
    whole, last = watch.whole, watch.last
    return {
        "chain": watch.chain,
        "address": watch.address,
        "state": last.state if last else "unread",
        "error": last.error if last else "",
        "block": whole.block if whole else None,
        "endpoint": whole.endpoint if whole else "",
        "read_at": whole.ended_at if whole else None,
        "differences": whole.differences if whole else [],
        "remarks": whole.remarks if whole else [],
        "pending": [
            {"asset": one.token.asset, "amount": holding_text(one.pending, one.token)}
            for one in wallet.chain_holdings.all()
            if one.pending and one.token.asset
        ],
        "tokens_apart": len(tokens_apart(wallet)),
    }


def token_report(holding: ChainHolding) -> dict[str, Any]:
    token = holding.token
    amount = None if token.decimals is None else amount_text(units_amount(holding.units, token.decimals))
    return {
        "contract": token.contract,
        "symbol": token.symbol,
        "name": token.name,
        "decimals": token.decimals,
        "asset": token.asset,
        "units": str(int(holding.units)),
        "amount": amount,
    }


def chain_transaction_report(seen: ChainTransaction) -> dict[str, Any]:
    return {
        "id": seen.pk,
        "txid": seen.txid,
        "block": seen.block,
        "ts": seen.ts,
        "failed": seen.failed,
        "transfers": [transfer_report(one) for one in seen.transfers.all()],
    }


def transfer_report(transfer: ChainTransfer) -> dict[str, Any]:
    token = transfer.token
    amount = None if token.decimals is None else amount_text(units_amount(transfer.units, token.decimals))
    return {
        "contract": token.contract,
        "symbol": token.symbol,
        "asset": token.asset,
        "units": str(int(transfer.units)),
        "amount": amount,
    }
