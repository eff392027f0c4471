"""REST: imports of candles. A worker reads the file; these keep it, and say how far it is."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.base import File
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, name_path
from access.queries import PAGE, read_page_place, read_query
from core.fields import Fields
from core.paging import next_url, read_page
from core.shapes import (
    COUNT,
    FLAG_ASKED,
    MOMENT,
    NUMBER,
    SYMBOL_GIVEN,
    TEXT,
    VENUE_GIVEN,
    Schema,
    allow_null,
    choice_shape,
    list_shape,
    name_object,
    name_page,
    name_shape,
    object_shape,
)
from market import import_jobs, selectors, services
from market.api.candles import INTERVAL, read_series
from market.models import CandleImport
from market.tasks import import_start


def read_import(form: Fields) -> dict[str, Any]:
    """The file, and what its candles are."""
    file = form.take("file")
    if not isinstance(file, File):
        form.fault("file", "is required, as a file of the form.")
    return {"file": file, **read_series(form, venue_required=True), "skip_bad_rows": form.flag("skip_bad_rows")}


GAP = {"first": "2022-01-05T10:00:00Z", "last": "2022-01-05T10:06:00Z", "missing": 7}
REPORT = {
    "id": 17,
    "status": "completed",
    "venue": "binance",
    "symbol": "BTC-USD",
    "interval": "1m",
    "filename": "BTC-USD-1m-2022-01.csv.gz",
    "format": "CSV, gzip",
    "rows": 45031,
    "first": "2021-12-31T23:01:00Z",
    "last": "2022-02-01T05:31:00Z",
    "gaps": [GAP],
    "duplicates": 0,
    "out_of_order": 0,
    "added": 45024,
    "replaced": 0,
    "problems": [{"row": 12, "field": "close", "message": "'abc' is not a number."}],
    "problem_count": 1,
    "fingerprint": "dfb651…",
    "message": "45,030 candles read, 45,024 of them new.",
    "error_code": "",
    "seconds": 0.21,
    "progress": 1.0,
    "created_at": "2026-11-29T10:00:00Z",
}
IMPORT = name_shape(
    "ImportForm",
    {
        "type": "object",
        "required": ["file", "venue", "symbol", "interval"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "venue": VENUE_GIVEN,
            "symbol": SYMBOL_GIVEN,
            "interval": INTERVAL,
            "skip_bad_rows": FLAG_ASKED,
        },
    },
    None,
)
SUMMARY_FIELDS: dict[str, Schema] = {
    "id": COUNT,
    "status": choice_shape(CandleImport.Status.values),
    "venue": TEXT,
    "symbol": TEXT,
    "interval": INTERVAL,
    "filename": TEXT,
    "format": TEXT,
    "rows": COUNT,
    "first": allow_null(MOMENT),
    "last": allow_null(MOMENT),
    "duplicates": COUNT,
    "out_of_order": COUNT,
    "added": COUNT,
    "replaced": COUNT,
    "problem_count": COUNT,
    "fingerprint": TEXT,
    "message": TEXT,
    "error_code": TEXT,
    "seconds": NUMBER,
    "progress": NUMBER,
    "created_at": MOMENT,
}
IMPORTS = name_page(
    name_object(
        "ImportSummary", {name: value for name, value in REPORT.items() if name not in ("gaps", "problems")}, **SUMMARY_FIELDS
    )
)
IMPORTED = name_object(
    "Import",
    REPORT,
    **SUMMARY_FIELDS,
    gaps=list_shape(object_shape(first=MOMENT, last=MOMENT, missing=COUNT)),
    problems=list_shape(object_shape(row=allow_null(COUNT), field=TEXT, message=TEXT)),
)
name_path("import_id", {"type": "integer", "minimum": 1}, "An import's number.")


class ImportsView(APIView):
    parser_classes = (MultiPartParser,)

    @describe_endpoint(
        summary="Imports, newest first",
        scope="read",
        parameters=PAGE,
        answer=IMPORTS,
    )
    def get(self, request: Request) -> Response:
        rows, cursor = read_page(selectors.list_imports(), **read_page_place(read_query(request)))
        return Response({"results": [selectors.import_summary(row) for row in rows], "next": next_url(request, cursor)})

    @describe_endpoint(
        summary="Import a file of candles",
        scope="trade",
        description=(
            "CSV with a header, CSV.gz, zip, Parquet, Feather or Binance's archive. All of the file or nothing: "
            "a file with faults is refused with `import_refused` and its rows named, unless `skip_bad_rows` is set. "
            "A worker reads it. If that is over within two seconds, the answer is 201 with the report, or the refusal; else it is "
            "202 with the import as it is, to follow by GET market/imports/{id}. With `Prefer: respond-async` it is 202 at once."
        ),
        answer=IMPORTED,
        status=201,
        also={202: IMPORTED},
        body=IMPORT,
        body_type="multipart/form-data",
        beyond=["file"],
        errors=(409,),
    )
    def post(self, request: Request) -> Response:
        form = Fields(request.data)
        given = read_import(form)
        form.refuse("The request has fields that cannot be used.")
        queued = import_jobs.import_queue(**given, filename=given["file"].name or "", user=request.user)
        import_start(queued)
        at_once = "respond-async" in request.headers.get("Prefer", "")
        seconds = 0.0 if at_once else settings.IMPORT_ANSWER_SECONDS
        return answer_import(import_jobs.import_wait(import_id=queued.pk, seconds=seconds))


class ImportView(APIView):
    @describe_endpoint(
        summary="One import: how far it is, and its report",
        scope="read",
        description="`status` is queued, running, completed, refused, failed or cancelled; `progress` the share of the file read.",
        answer=IMPORTED,
        errors=(404,),
    )
    def get(self, request: Request, import_id: int) -> Response:
        return Response(selectors.import_report(selectors.import_get(import_id=import_id)))


class ImportCancelView(APIView):
    @describe_endpoint(
        summary="Cancel an import",
        scope="trade",
        description="A queued import is cancelled at once, a running one within a second. Nothing of it is stored.",
        answer=IMPORTED,
        errors=(404, 409),
    )
    def post(self, request: Request, import_id: int) -> Response:
        return Response(selectors.import_report(import_jobs.import_cancel(import_id=import_id, user=request.user)))


def answer_import(found: CandleImport) -> Response:
    """What the sender of a file is told."""
    if found.status == CandleImport.Status.REFUSED:
        raise services.import_refusal(found)
    over = found.status == CandleImport.Status.COMPLETED
    return Response(selectors.import_report(found), status=201 if over else 202)
