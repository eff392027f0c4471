"""REST: wallets with their balances, and their ledgers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, name_path, query_parameter
from access.queries import PAGE, page_parameters, read_page_place, read_query
from core.paging import next_url, read_page
from core.shapes import (
    COUNT,
    DECIMAL,
    FLAG,
    FLAG_ASKED,
    MOMENT,
    NUMBER,
    TEXT,
    allow_null,
    asked_text,
    choice_shape,
    id_shape,
    list_shape,
    name_object,
    name_page,
    object_shape,
)
from market.exchanges.base import Place
from wallets import selectors
from wallets.drift_lists import drift_states
from wallets.models import ChainReading, Environment, LedgerEntry, LedgerTransaction, ReconciliationRun, Wallet
from wallets.valuation import value_wallets
from wallets.valuation.reports import worth_report

WALLET = {
    "id": "9f86d081884c7d65",
    "name": "Binance, main",
    "kind": "exchange",
    "venue": "binance",
    "account": {"name": "binance main", "environment": "live"},
    "quote": "USDT",
    "maker": 0.001,
    "taker": 0.001,
    "balances": [
        {"asset": "BTC", "amount": "0.4995", "unbooked": "0"},
        {"asset": "USDT", "amount": "4985.02", "unbooked": "12.5"},
    ],
    "elsewhere": [
        {"place": "earn", "name": "Simple Earn, flexible", "asset": "USDT", "amount": "75.46", "seen_at": "2026-11-21T09:00:00Z"}
    ],
    "watch": None,
    "drift": {"state": "drift", "open": 1, "value": "15000", "holds": True, "reconciled_at": "2026-11-21T09:00:01Z"},
    "worth": {"currency": "USD", "value": "34962.55", "estimated": ["BTC"], "unpriced": ["XYZ"]},
    "archived": False,
    "created_at": "2026-11-21T09:00:00Z",
}
TRANSACTION = {
    "id": 4711,
    "kind": "fill",
    "reference": "fill:account:3:binance:BTC-USDT:3915721104:buy",
    "ts": "2026-11-21T09:14:07Z",
    "note": "q7c1d0e5b2",
    "entries": [
        {"account": "assets", "asset": "BTC", "amount": "0.5"},
        {"account": "trading", "asset": "BTC", "amount": "-0.5"},
        {"account": "assets", "asset": "USDT", "amount": "-15000"},
        {"account": "trading", "asset": "USDT", "amount": "15000"},
        {"account": "assets", "asset": "BTC", "amount": "-0.0005"},
        {"account": "fees", "asset": "BTC", "amount": "0.0005"},
    ],
}


WALLET_ID = id_shape(16)
name_path("wallet_id", WALLET_ID, "A wallet's id.")
WATCH = object_shape(
    chain=TEXT,
    address=TEXT,
    state=choice_shape(["unread", *ChainReading.State.values]),
    error=TEXT,
    block=allow_null(COUNT),
    endpoint=TEXT,
    read_at=allow_null(MOMENT),
    differences=list_shape(object_shape(token=TEXT, change=TEXT, seen=TEXT, rest=TEXT)),
    remarks=list_shape(TEXT),
    pending=list_shape(object_shape(asset=TEXT, amount=TEXT)),
    tokens_apart=COUNT,
)
DRIFT = object_shape(
    state=choice_shape(["never", *ReconciliationRun.State.values]),
    open=COUNT,
    value=DECIMAL,
    holds=FLAG,
    reconciled_at=allow_null(MOMENT),
)
WALLET_SHAPE = name_object(
    "Wallet",
    WALLET,
    id=WALLET_ID,
    name=TEXT,
    kind=choice_shape(Wallet.Kind.values),
    venue=TEXT,
    account=allow_null(object_shape(name=TEXT, environment=choice_shape(Environment.values))),
    quote=TEXT,
    maker=allow_null(NUMBER),
    taker=allow_null(NUMBER),
    balances=list_shape(object_shape(asset=TEXT, amount=DECIMAL, unbooked=DECIMAL)),
    elsewhere=list_shape(object_shape(place=choice_shape(get_args(Place)), name=TEXT, asset=TEXT, amount=DECIMAL, seen_at=MOMENT)),
    watch=allow_null(WATCH),
    drift=allow_null(DRIFT),
    worth=object_shape(currency=TEXT, value=DECIMAL, estimated=list_shape(TEXT), unpriced=list_shape(TEXT)),
    archived=FLAG,
    created_at=MOMENT,
)
WALLETS = name_page(WALLET_SHAPE)
ENTRY = object_shape(account=choice_shape(LedgerEntry.Account.values), asset=TEXT, amount=DECIMAL)
TRANSACTIONS = name_page(
    name_object(
        "Transaction",
        TRANSACTION,
        id=COUNT,
        kind=choice_shape(LedgerTransaction.Kind.values),
        reference=TEXT,
        ts=MOMENT,
        note=TEXT,
        entries=list_shape(ENTRY),
    )
)


KINDS, LONGEST_NAME = LedgerTransaction.Kind.values, 80
WALLETS_PARAMETERS = [
    query_parameter("archived", "Those that are archived, in place of those that are not.", FLAG_ASKED),
    *page_parameters(cursor=asked_text(LONGEST_NAME)),
]
TRANSACTIONS_PARAMETERS = [query_parameter("kind", "Only these.", choice_shape(KINDS)), *PAGE]


def report_wallets(wallets: Sequence[Wallet]) -> list[dict[str, Any]]:
    """With their balances, which are read here; what these are worth; and how they stand by their venues, null where they have
    none."""
    balances = selectors.read_balances(wallets)
    held = selectors.read_held(wallets, balances)
    worth = value_wallets(wallets, selectors.reporting_currency(), held=held)
    states = drift_states([one for one in wallets if one.kind == Wallet.Kind.EXCHANGE])
    return [
        selectors.wallet_report(one, balances[one.pk])
        | {"worth": worth_report(worth[one.pk]), "drift": states[one.pk].to_json() if one.pk in states else None}
        for one in wallets
    ]


class WalletsView(APIView):
    @describe_endpoint(
        summary="Wallets with their balances",
        scope="read",
        description="By name. Balances are the sums of the ledger's entries; those of exchange wallets as we booked them. `worth` "
        "is in the reporting currency, without the assets that have no price in it (`unpriced`).",
        parameters=WALLETS_PARAMETERS,
        answer=WALLETS,
    )
    def get(self, request: Request) -> Response:
        form = read_query(request)
        found = selectors.wallets_list(archived=form.flag("archived"), balances=False).prefetch_related("account__elsewhere")
        rows, cursor = read_page(found, key="name", **read_page_place(form))
        return Response({"results": report_wallets(rows), "next": next_url(request, cursor)})


class WalletView(APIView):
    @describe_endpoint(summary="One wallet with its balances", scope="read", answer=WALLET_SHAPE, errors=(404,))
    def get(self, request: Request, wallet_id: str) -> Response:
        return Response(report_wallets([selectors.wallet_get(wallet_id=wallet_id)])[0])


class TransactionsView(APIView):
    @describe_endpoint(
        summary="A wallet's ledger",
        scope="read",
        description="Newest booked first, each transaction with its entries, which sum to zero in every asset.",
        parameters=TRANSACTIONS_PARAMETERS,
        answer=TRANSACTIONS,
        errors=(404,),
    )
    def get(self, request: Request, wallet_id: str) -> Response:
        form = read_query(request)
        kind = form.choice("kind", "", KINDS) if form.take("kind") else ""
        place = read_page_place(form)
        found = selectors.wallet_transactions(wallet=selectors.wallet_get(wallet_id=wallet_id), kind=kind)
        rows, cursor = read_page(found, **place)
        return Response({"results": [selectors.transaction_report(row) for row in rows], "next": next_url(request, cursor)})
