"""REST: reconciliation now, its history, and what a person decides about a drift."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint, name_path, query_parameter
from access.queries import PAGE, read_page_place, read_query
from core.errors import NotFound
from core.fields import Fields
from core.paging import next_url, read_page
from core.shapes import (
    COUNT,
    DECIMAL,
    FLAG,
    MOMENT,
    TEXT,
    Schema,
    allow_null,
    asked_text,
    choice_shape,
    id_shape,
    list_shape,
    name_object,
    name_page,
    name_shape,
    note_reader,
    object_shape,
)
from core.work import send_jobs
from trading.reconciliation.resolving import drift_settle
from trading.reconciliation.run import runs_begin
from trading.reconciliation.thresholds import read_thresholds
from trading.tasks import reconciliation_execute
from wallets.drift_lists import drift_story, drifts_list, run_report, runs_list
from wallets.models import Drift, ReconciliationRun
from wallets.services.drifts import decision_read

RUN: dict[str, object] = {
    "run_id": "5f2c9a7e1b3d4c68",
    "wallet": "9f86d081884c7d65",
    "trigger": "api",
    "state": "drift",
    "started_at": "2026-11-21T09:00:00Z",
    "ended_at": "2026-11-21T09:00:01.2Z",
    "clean_until": None,
    "drifts": 1,
    "value": "15000",
    "not_asked": [],
    "error": "",
}
DRIFT = {
    "id": 12,
    "wallet": "9f86d081884c7d65",
    "about": "balance",
    "asset": "BTC",
    "name": "",
    "ours": "0.5",
    "theirs": "1",
    "difference": "0.5",
    "value": "15000",
    "cause": "fill_missed",
    "state": "open",
    "holds": True,
    "evidence": [
        {
            "cause": "fill_missed",
            "amount": "0.5",
            "rows": [{"id": "fill:account:3:binance:BTC-USDT:3915721104:buy", "amount": "0.5", "books": True}],
        }
    ],
    "first_seen": "2026-11-21T09:00:01Z",
    "last_seen": "2026-11-21T09:00:01Z",
    "times_seen": 1,
    "action": "",
    "reason": "",
    "until": None,
    "by": "",
    "ended_at": None,
}
STATES = ReconciliationRun.State.values
RUN_SHAPE = name_object(
    "Reconciliation",
    RUN,
    run_id=id_shape(16),
    wallet=id_shape(16),
    trigger=choice_shape(ReconciliationRun.Trigger.values),
    state=choice_shape(STATES),
    started_at=MOMENT,
    ended_at=allow_null(MOMENT),
    clean_until=allow_null(MOMENT),
    drifts=COUNT,
    value=DECIMAL,
    not_asked=list_shape(TEXT),
    error=TEXT,
)
PART = object_shape(
    cause=choice_shape(Drift.Cause.values),
    amount=DECIMAL,
    rows=list_shape(object_shape(id=TEXT, amount=DECIMAL, books=FLAG)),
)
DRIFT_SHAPE = name_object(
    "Drift",
    DRIFT,
    id=COUNT,
    wallet=id_shape(16),
    about=choice_shape(Drift.About.values),
    asset=TEXT,
    name=TEXT,
    ours=DECIMAL,
    theirs=DECIMAL,
    difference=DECIMAL,
    value=allow_null(DECIMAL),
    cause=choice_shape(Drift.Cause.values),
    state=choice_shape(Drift.State.values),
    holds=FLAG,
    evidence=list_shape(PART),
    first_seen=MOMENT,
    last_seen=MOMENT,
    times_seen=COUNT,
    action=choice_shape(["", *Drift.Act.values]),
    reason=TEXT,
    until=allow_null(MOMENT),
    by=TEXT,
    ended_at=allow_null(MOMENT),
)
STARTED = name_object("Reconciliations", {"runs": [RUN | {"state": "running"}]}, runs=list_shape(RUN_SHAPE))
DRIFT_ID: Schema = {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}
name_path("drift_id", DRIFT_ID, "A drift's number.")
WALLET = query_parameter("wallet", "A wallet's id.", asked_text())
RUN_STATE = query_parameter("state", "Only these.", choice_shape(STATES))
DRIFT_STATE = query_parameter("state", "Only these.", choice_shape(Drift.State.values))


def wish_read(form: Fields) -> tuple[str, dict[str, object]]:
    """Which wallet, and from what on a difference is an alert or holds its bots."""
    wallet = form.text("wallet")
    read_thresholds(form)
    form.close()
    return wallet, {name: form.raw[name] for name in ("alert", "hold") if form.raw.get(name) is not None}


WISH = name_shape(
    "ReconciliationWish",
    note_reader(wish_read),
    {"wallet": "9f86d081884c7d65", "alert": {"value": "10", "share": "0.001"}, "hold": {"value": "1000", "share": "0.05"}},
)
DECISION = name_shape(
    "DriftDecision",
    note_reader(decision_read, action=choice_shape(Drift.Act.values)) | {"required": ["action"]},
    {"action": "ignore", "reason": "Staked at the venue.", "until": "2030-01-01"},
)


class ReconcileView(APIView):
    @describe_endpoint(
        summary="Reconcile now",
        description="One wallet, or all that have a venue, less those that are being reconciled already. Workers do it; the event "
        "`reconciliation` and GET `wallets/reconcile/history` say what came of it. `alert` and `hold`: from which `value` (in the "
        "wallet's currency) or `share` of the wallet on a difference is an alert, and the wallet's bots make no entries. 409 where "
        "the wallet that is named has no venue, or is being reconciled.",
        scope="trade",
        status=202,
        answer=STARTED,
        body=WISH,
        errors=[404, 409],
    )
    def post(self, request: Request) -> Response:
        form = Fields(request.data)
        wallet, thresholds = wish_read(form)
        form.refuse("The request has fields that cannot be used.")
        trigger = ReconciliationRun.Trigger.API
        runs = runs_begin(wallet_id=wallet, trigger=trigger, thresholds=thresholds, user=request.user)
        send_jobs(reconciliation_execute, [(run.run_id,) for run in runs])
        return Response({"runs": [run_report(run) for run in runs]}, status=202)


class ReconcileHistoryView(APIView):
    @describe_endpoint(
        summary="Past reconciliations, newest first",
        description="`clean_until`: up to when the fills of both sides agree, where a run has shown it. `not_asked`: what the "
        "venue was not asked, or did not say; nothing was concluded from that.",
        scope="read",
        answer=name_page(RUN_SHAPE),
        parameters=[WALLET, RUN_STATE, *PAGE],
    )
    def get(self, request: Request) -> Response:
        form = read_query(request)
        asked = {"wallet": form.text("wallet"), "state": form.choice("state", "", STATES) if form.take("state") else ""}
        place = read_page_place(form)
        rows, cursor = read_page(runs_list(**asked), **place)
        return Response({"results": [run_report(run) for run in rows], "next": next_url(request, cursor)})


class DriftsView(APIView):
    @describe_endpoint(
        summary="Differences with venues, newest first",
        description="Each with its evidence: parts, each of one cause, whose rows sum to it. A part without rows is unexplained.",
        scope="read",
        answer=name_page(DRIFT_SHAPE),
        parameters=[WALLET, DRIFT_STATE, *PAGE],
    )
    def get(self, request: Request) -> Response:
        form = read_query(request)
        states = Drift.State.values
        asked = {"wallet": form.text("wallet"), "state": form.choice("state", "", states) if form.take("state") else ""}
        place = read_page_place(form)
        rows, cursor = read_page(drifts_list(**asked), **place)
        return Response({"results": [drift_story(one) for one in rows], "next": next_url(request, cursor)})


class DriftResolveView(APIView):
    @describe_endpoint(
        summary="Resolve a drift",
        description="`book` what is missing; `adopt` what the venue says; `ignore`, with `reason` and `until`; `correct` by an "
        "entry of `amount` (the difference, where left out), with `reason`. The same decision again changes nothing; another one "
        "is 409.",
        scope="trade",
        answer=DRIFT_SHAPE,
        body=DECISION,
        beyond=["action", "reason", "until", "amount"],
        errors=[404, 409],
    )
    def post(self, request: Request, drift_id: int) -> Response:
        settled = drift_settle(drift_id=drift_id, decision=request.data, user=request.user)
        found = drifts_list().filter(pk=settled.pk).first()
        if found is None:
            raise NotFound("There is no such drift.")
        return Response(drift_story(found))
