"""REST: what wallets are worth, now and in the past, and the currency that this is told in."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from access.queries import page_parameters, read_page_place, read_query, refuse_query
from core.fields import Fields
from core.paging import next_url, read_page
from core.shapes import (
    DECIMAL,
    MOMENT,
    MOMENT_ASKED,
    NUMBER,
    TEXT,
    allow_null,
    asked_text,
    choice_shape,
    list_shape,
    name_object,
    name_page,
    object_shape,
)
from market.price_book import STATES
from wallets import selectors, services
from wallets.api.wallets import WALLET_ID
from wallets.models import ValueSnapshot
from wallets.valuation import value_wallets
from wallets.valuation.reports import value_report, value_text

VALUE = {
    "wallet": "9f86d081884c7d65",
    "at": "2026-11-21T09:14:07Z",
    "currency": "USD",
    "value": "34962.55",
    "estimated": ["BTC"],
    "unpriced": ["XYZ"],
    "holdings": [
        {
            "asset": "BTC",
            "amount": "0.4995",
            "value": "29982.5025",
            "price": "60025.03",
            "price_state": "stored",
            "price_age_s": 372.5,
            "path": [
                {"symbol": "BTC-USDT", "price": "60085.1", "venue": "binance", "source": "stored", "at": "2026-11-21T09:08:00Z"},
                {"symbol": "USDT-USD", "price": "0.999", "venue": "coinbase", "source": "live", "at": "2026-11-21T09:14:06Z"},
            ],
        },
        {"asset": "XYZ", "amount": "7", "value": None, "price": None, "price_state": "missing", "price_age_s": None, "path": []},
    ],
}
HISTORY = {"ts": "2026-11-21T09:00:00Z", "value": "34901.2", "paid_in": "30000", "unpriced": ["XYZ"]}
CURRENCY = {"currency": "USD"}
PAIR = object_shape(symbol=TEXT, price=DECIMAL, venue=TEXT, source=choice_shape(["live", "stored"]), at=MOMENT)
HOLDING = object_shape(
    asset=TEXT,
    amount=DECIMAL,
    value=allow_null(DECIMAL),
    price=allow_null(DECIMAL),
    price_state=choice_shape(STATES),
    price_age_s=allow_null(NUMBER),
    path=list_shape(PAIR),
)
VALUE_SHAPE = name_object(
    "WalletValue",
    VALUE,
    wallet=WALLET_ID,
    at=MOMENT,
    currency=TEXT,
    value=DECIMAL,
    estimated=list_shape(TEXT),
    unpriced=list_shape(TEXT),
    holdings=list_shape(HOLDING),
)
HISTORY_SHAPE = name_page(name_object("ValueStep", HISTORY, ts=MOMENT, value=DECIMAL, paid_in=DECIMAL, unpriced=list_shape(TEXT)))
CURRENCY_SHAPE = name_object("ReportingCurrency", CURRENCY, currency=TEXT)
CURRENCY_CHANGE = name_object("ReportingCurrencyChange", {"currency": "EUR"}, currency=asked_text(16))
IN_CURRENCY = query_parameter("currency", "In place of the reporting currency.", asked_text(16))
HISTORY_PARAMETERS = [
    IN_CURRENCY,
    query_parameter("start", "Steps at this time or later; ISO-8601, UTC.", MOMENT_ASKED),
    query_parameter("end", "Steps at this time or earlier.", MOMENT_ASKED),
    *page_parameters(cursor={"type": "string", "format": "date-time"}),
]


def read_currency(form: Fields) -> str:
    """The one that is asked for, else the desk's."""
    return form.text("currency", longest=16).upper() or selectors.reporting_currency()


class WalletValueView(APIView):
    @describe_endpoint(
        summary="What a wallet is worth, asset by asset",
        scope="read",
        description="In the reporting currency, by the shortest path of pairs that have a price: `path`. `price_state` is live "
        "(heard within a minute), old, stored (the close of a stored candle) or missing; `price_age_s` is the age of the oldest "
        "price on the path. `unpriced` assets are not in `value`; `estimated` ones are, at a price that is not live.",
        parameters=[IN_CURRENCY],
        answer=VALUE_SHAPE,
        errors=(404,),
    )
    def get(self, request: Request, wallet_id: str) -> Response:
        form = read_query(request)
        currency = read_currency(form)
        refuse_query(form)
        wallet = selectors.wallet_get(wallet_id=wallet_id)
        return Response(value_report(wallet, value_wallets([wallet], currency)[wallet.pk], timezone.now()))


class HistoryView(APIView):
    @describe_endpoint(
        summary="What a wallet was worth",
        scope="read",
        description="By time: each midnight (UTC), and each hour of the last week. `paid_in` is what was paid in since the "
        "beginning, less what was paid out, each at its price of then: value less `paid_in` is what was earned. `unpriced` assets "
        "had no price and are in neither.",
        parameters=HISTORY_PARAMETERS,
        answer=HISTORY_SHAPE,
        errors=(404,),
    )
    def get(self, request: Request, wallet_id: str) -> Response:
        form = read_query(request)
        currency, start, end = read_currency(form), form.moment("start"), form.moment("end")
        place = read_page_place(form)
        wallet = selectors.wallet_get(wallet_id=wallet_id)
        found = selectors.wallet_values(wallet=wallet, currency=currency, start=start, end=end)
        rows, cursor = read_page(found, key="ts", **place)
        return Response({"results": [step_report(row) for row in rows], "next": next_url(request, cursor)})


class ReportingCurrencyView(APIView):
    @property
    def scope(self) -> str:
        """Who may not change it is told so before the body is looked at."""
        return "admin" if self.request.method == "POST" else "read"

    @describe_endpoint(summary="The currency that the desk is valued in", scope="read", answer=CURRENCY_SHAPE)
    def get(self, request: Request) -> Response:
        return Response({"currency": selectors.reporting_currency()})

    @describe_endpoint(
        summary="Value the desk in another currency",
        scope="admin",
        description="From now on: histories in it are filled in within minutes, and those in other currencies stay.",
        answer=CURRENCY_SHAPE,
        body=CURRENCY_CHANGE,
    )
    def post(self, request: Request) -> Response:
        chosen = services.reporting_currency_set(currency=Fields(request.data).take("currency"), user=request.user)
        return Response({"currency": chosen.currency})


def step_report(row: ValueSnapshot) -> dict[str, Any]:
    return {"ts": row.ts, "value": value_text(row.value), "paid_in": value_text(row.paid_in), "unpriced": row.unpriced}
