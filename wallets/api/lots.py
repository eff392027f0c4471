"""REST: open lots of a wallet, and what all wallets sold in a tax year."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, query_parameter
from access.queries import page_parameters, read_page_place, read_query, refuse_query
from core.fields import Fields
from core.paging import next_url
from core.shapes import (
    COUNT,
    DECIMAL,
    MOMENT,
    MOMENT_ASKED,
    TEXT,
    WHOLE,
    allow_null,
    asked_text,
    choice_shape,
    count_shape,
    id_shape,
    list_shape,
    name_object,
    name_page,
    name_shape,
    object_shape,
)
from wallets import selectors
from wallets.lots import reports
from wallets.lots.basis import CostBasis, basis_of_wallet, basis_of_year
from wallets.lots.holding import LONG, SHORT, TaxYear, find_tax_year
from wallets.lots.inventory import FEE, SALE
from wallets.models import CostRule
from wallets.valuation import LIVE, PAPER, TESTNET

YEARS = (1970, 2200)
LOT = {
    "key": "1767225600000000-4711-0",
    "wallet": "9f86d081884c7d65",
    "wallet_name": "Binance, main",
    "asset": "BTC",
    "quantity": "0.4995",
    "acquired_at": "2026-01-01T00:00:00Z",
    "basis": "15000",
    "unit_cost": "30030.03003003003003003",
    "currency": "USD",
    "kind": "fill",
    "transaction": 4711,
    "place": "wallet",
}
DISPOSAL = {
    "key": "1782864000000000-5120-0",
    "wallet": "9f86d081884c7d65",
    "wallet_name": "Binance, main",
    "asset": "BTC",
    "quantity": "0.25",
    "acquired_at": "2026-01-01T00:00:00Z",
    "disposed_at": "2026-07-01T00:00:00Z",
    "days": 181,
    "term": "short",
    "proceeds": "9000",
    "basis": "7507.507507507507507508",
    "gain": "1492.492492492492492492",
    "currency": "USD",
    "kind": "sale",
    "note": "",
    "transaction": 5120,
}
TOTALS = {
    "proceeds": "9000",
    "basis": "7507.507507507507507508",
    "gain": "1492.492492492492492492",
    "short_term_gain": "1492.492492492492492492",
    "long_term_gain": "0",
    "unknown": 0,
}
KEY = {"type": "string", "pattern": f"^{reports.CURSOR}$"}
MONEY = allow_null(DECIMAL)
LOTS = name_page(
    name_object(
        "Lot",
        LOT,
        key=KEY,
        wallet=id_shape(16),
        wallet_name=TEXT,
        asset=TEXT,
        quantity=DECIMAL,
        acquired_at=MOMENT,
        basis=MONEY,
        unit_cost=MONEY,
        currency=TEXT,
        kind=TEXT,
        transaction=COUNT,
        place=choice_shape([reports.HERE, reports.ELSEWHERE, reports.IN_TRANSIT]),
    )
)
DISPOSAL_SHAPE = name_object(
    "Disposal",
    DISPOSAL,
    key=KEY,
    wallet=id_shape(16),
    wallet_name=TEXT,
    asset=TEXT,
    quantity=DECIMAL,
    acquired_at=allow_null(MOMENT),
    disposed_at=MOMENT,
    days=allow_null(COUNT),
    term=allow_null(choice_shape([SHORT, LONG])),
    proceeds=MONEY,
    basis=MONEY,
    gain=MONEY,
    currency=TEXT,
    kind=choice_shape([SALE, FEE]),
    note=choice_shape(reports.NOTES),
    transaction=COUNT,
)
DISPOSALS = name_object(
    "DisposalPage",
    {"year": 2026, "time_zone": "Europe/Berlin", "totals": TOTALS, "results": [DISPOSAL], "next": None},
    year=WHOLE,
    time_zone=TEXT,
    totals=object_shape(**dict.fromkeys(TOTALS, DECIMAL) | {"unknown": COUNT}),
    results=list_shape(DISPOSAL_SHAPE),
    next=allow_null({"type": "string", "format": "uri", "description": "The address of the next page; null on the last one."}),
)
DISPOSALS_CSV = name_shape("DisposalsCsv", TEXT, ",".join(reports.COLUMNS))
PAGE = page_parameters(cursor=KEY)
MODES = (LIVE, TESTNET, PAPER)
YEAR_PARAMETERS = [
    query_parameter("year", "The tax year; this one where left out.", count_shape(*YEARS)),
    query_parameter("mode", "Of which money: `live` where left out.", choice_shape(MODES)),
]
LOTS_PARAMETERS = [
    query_parameter("as_of", "At this moment; now where left out.", MOMENT_ASKED),
    query_parameter("asset", "Only this one.", asked_text(16)),
    *PAGE,
]


class LotsView(APIView):
    @describe_endpoint(
        summary="A wallet's open lots",
        scope="read",
        description="The oldest first, with what they cost in the reporting currency; `basis` is null where nobody knows. Where "
        "all wallets have their lots together, those of all assets that this one has, each with the wallet that it came to.",
        parameters=LOTS_PARAMETERS,
        answer=LOTS,
        errors=(404,),
    )
    def get(self, request: Request, wallet_id: str) -> Response:
        form = read_query(request)
        until, asset = form.moment("as_of"), form.text("asset", longest=16)
        place = read_page_place(form)
        wallet = selectors.wallet_get(wallet_id=wallet_id)
        rows = reports.list_open_lots(basis_of_wallet(wallet, until), wallet=wallet.pk, asset=asset.upper())
        found, cursor = reports.page_rows(rows, **place)
        return Response({"results": found, "next": next_url(request, cursor)})


class DisposalsView(APIView):
    @describe_endpoint(
        summary="What was sold in a tax year, and what it earned",
        scope="read",
        description="Each part of a sale or fee that took one lot, in the order of time, by the rules of cost basis of then; "
        "`totals` are of the whole year, without the `unknown` ones that have no gain. The year is one of `time_zone`.",
        parameters=[*YEAR_PARAMETERS, *PAGE],
        answer=DISPOSALS,
    )
    def get(self, request: Request) -> Response:
        form = read_query(request)
        asked = read_year(form)
        place = read_page_place(form)
        year, parts = disposals_of(*asked)
        found, cursor = reports.page_rows(reports.list_disposals(parts, year.zone), **place)
        told = {"year": year.year, "time_zone": year.zone.key, "totals": reports.sum_disposals(parts, year.zone)}
        return Response({**told, "results": found, "next": next_url(request, cursor)})


class DisposalsCsvView(APIView):
    @describe_endpoint(
        summary="The same as CSV, whole",
        scope="read",
        description="One line for each. What nobody knows is empty.",
        parameters=YEAR_PARAMETERS,
        answer=DISPOSALS_CSV,
        media_type="text/csv",
    )
    def get(self, request: Request) -> HttpResponse:
        form = read_query(request)
        asked = read_year(form)
        refuse_query(form)
        year, parts = disposals_of(*asked)
        name = f"disposals-{year.year}-{asked[1]}.csv"
        return HttpResponse(
            reports.write_csv(reports.list_disposals(parts, year.zone)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def read_year(form: Fields) -> tuple[int, str]:
    """The year, and the kind of money."""
    return form.integer("year", timezone.now().year, low=YEARS[0], high=YEARS[1]), form.choice("mode", LIVE, MODES)


def disposals_of(number: int, money: str) -> tuple[TaxYear, list[CostBasis]]:
    year = find_tax_year(number, CostRule.objects.all())
    return year, basis_of_year(money, year)
