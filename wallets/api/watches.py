"""REST: wallets that are only watched, what chains say of them, and which of their tokens count."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint
from access.queries import PAGE, read_page_place, read_query
from core.fields import Fields
from core.paging import next_url, read_page
from core.shapes import (
    ABSENT,
    COUNT,
    DECIMAL,
    FLAG,
    MOMENT,
    TEXT,
    WHOLE,
    allow_absent,
    allow_null,
    given_text,
    list_shape,
    name_object,
    name_page,
    name_shape,
    object_shape,
    required_text,
)
from wallets import selectors, services
from wallets.api.wallets import WALLET_SHAPE, report_wallets
from wallets.chains.bitcoin import SCRIPTS
from wallets.chains.registry import CHAINS, OTHER
from wallets.holdings import chain_transaction_report, chain_transactions, token_report
from wallets.tasks import watch_start

USDC = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
ADDRESS = "3h1zGmCwsRJnVk5BuRNMLsPaQu1y2aqXqXDWYCgrp5UG"
CHAIN = {"type": "string", "pattern": f"^({'|'.join(CHAINS)}|{OTHER.pattern})$", "example": "solana"}
WATCH_NEW = name_shape(
    "WatchNew",
    {
        "type": "object",
        "required": ["chain", "name"],
        "additionalProperties": False,
        "properties": {
            "chain": CHAIN,
            "address": given_text(services.LONGEST_ADDRESS),
            "xpub": given_text(services.LONGEST_ADDRESS),
            "name": required_text(80),
            "script": allow_absent({"type": "string", "enum": list(SCRIPTS)}),
        },
    },
    {"chain": "solana", "address": ADDRESS, "name": "Phantom"},
)
READING = name_object("ChainReadingStarted", {"status": "queued"}, status={"type": "string", "enum": ["queued"]})
TOKEN = name_object(
    "ChainToken",
    {"contract": USDC, "symbol": "USDC", "name": "USD Coin", "decimals": 6, "asset": "USDC", "units": "1500000", "amount": "1.5"},
    contract=TEXT,
    symbol=TEXT,
    name=TEXT,
    decimals=allow_null(COUNT),
    asset=TEXT,
    units=DECIMAL,
    amount=allow_null(DECIMAL),
)
TOKENS = name_object("ChainTokens", {"results": [TOKEN.example], "next": None}, results=list_shape(TOKEN), next=allow_null(TEXT))
TRUST = name_shape(
    "TokenTrust",
    {
        "type": "object",
        "required": ["contract"],
        "additionalProperties": False,
        "properties": {
            "contract": required_text(64),
            "asset": {"anyOf": [ABSENT, {"type": "string", "pattern": r"^[A-Za-z0-9]{1,16}$"}]},
        },
    },
    {"contract": USDC, "asset": "USDC"},
)
TRUSTED = name_object("TokenTrusted", {"contract": USDC, "asset": "USDC"}, contract=TEXT, asset=TEXT)
TRANSFER = object_shape(contract=TEXT, symbol=TEXT, asset=TEXT, units=DECIMAL, amount=allow_null(DECIMAL))
CHAIN_TRANSACTION = {
    "id": 12,
    "txid": "5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW",
    "block": 401_234_567,
    "ts": "2026-11-21T09:14:07Z",
    "failed": False,
    "transfers": [{"contract": USDC, "symbol": "USDC", "asset": "USDC", "units": "1500000", "amount": "1.5"}],
}
CHAIN_TRANSACTIONS = name_page(
    name_object(
        "ChainTransaction",
        CHAIN_TRANSACTION,
        id=COUNT,
        txid=TEXT,
        block=WHOLE,
        ts=allow_null(MOMENT),
        failed=FLAG,
        transfers=list_shape(TRANSFER),
    )
)


class WatchView(APIView):
    @describe_endpoint(
        summary="Watch a wallet on a chain",
        description="An address, or an extended public key of Bitcoin. It is read at once by a worker, and then every few minutes. "
        "Never send a private key or a seed phrase: it is refused, with the code `secret_entered`, and not kept.",
        scope="trade",
        status=201,
        answer=WALLET_SHAPE,
        body=WATCH_NEW,
        beyond=("address", "xpub", "name", "script"),
        errors=(409,),
    )
    def post(self, request: Request) -> Response:
        made = services.watch_create(raw=request.data, user=request.user)
        watch_start(made)
        return Response(report_wallets([selectors.wallet_get(wallet_id=made.wallet_id)])[0], status=201)


class WatchReadView(APIView):
    @describe_endpoint(
        summary="Read a watched wallet now",
        description="A worker does it; `watch` of the wallet tells when it was done, and how.",
        scope="trade",
        status=202,
        answer=READING,
        errors=(404, 409),
    )
    def post(self, request: Request, wallet_id: str) -> Response:
        wallet = selectors.wallet_get(wallet_id=wallet_id)
        services.watch_ask(wallet=wallet, user=request.user)
        watch_start(wallet)
        return Response({"status": "queued"}, status=202)


class TokensView(APIView):
    @describe_endpoint(
        summary="What a watched wallet has, token by token",
        description="Also tokens that nobody trusts: their `asset` is empty, and they are worth nothing. "
        "`symbol` and `name` are what a token calls itself; anybody can call one USDC.",
        scope="read",
        answer=TOKENS,
        errors=(404,),
    )
    def get(self, request: Request, wallet_id: str) -> Response:
        wallet = selectors.wallet_get(wallet_id=wallet_id)
        return Response({"results": [token_report(one) for one in wallet.chain_holdings.all()], "next": None})

    @describe_endpoint(
        summary="Say what a token is",
        description="It counts as `asset` from now on, in all wallets of its chain; an empty one makes it count for nothing.",
        scope="trade",
        answer=TRUSTED,
        body=TRUST,
        errors=(404, 409),
    )
    def post(self, request: Request, wallet_id: str) -> Response:
        wallet = selectors.wallet_get(wallet_id=wallet_id)
        form = Fields(request.data)
        given = {"contract": form.text("contract", longest=64), "asset": form.text("asset", longest=16)}
        form.close()
        form.refuse("The token cannot be taken for that.")
        token = services.token_trust(wallet=wallet, **given, user=request.user)
        return Response({"contract": token.contract, "asset": token.asset})


class ChainTransactionsView(APIView):
    @describe_endpoint(
        summary="Transactions of a watched wallet",
        description="As far as nodes tell them, newest first, each with what the wallet had more or less after it.",
        scope="read",
        parameters=PAGE,
        answer=CHAIN_TRANSACTIONS,
        errors=(404,),
    )
    def get(self, request: Request, wallet_id: str) -> Response:
        place = read_page_place(read_query(request))
        rows, cursor = read_page(chain_transactions(selectors.wallet_get(wallet_id=wallet_id)), **place)
        return Response({"results": [chain_transaction_report(row) for row in rows], "next": next_url(request, cursor)})
