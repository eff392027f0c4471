"""What lists of the running desk are asked with, read with the same words of refusal as everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from access.openapi import query_parameter
from access.queries import page_parameters, read_page_place, read_query, refuse_query
from core.shapes import MOMENT_ASKED, SYMBOL_GIVEN, asked_text, choice_shape
from trading.models import Mode
from trading.selectors.filters import SHOWN, Filter

PAGE = page_parameters(rows=SHOWN)
FILTERS = [
    query_parameter("symbol", "BTC-USDT", SYMBOL_GIVEN),
    query_parameter("bot", "A bot's id.", asked_text()),
    query_parameter("run_id", "One life of a bot.", asked_text()),
    query_parameter("mode", "One mode's.", choice_shape(Mode.values)),
    query_parameter("since", "Recorded at this time or later; ISO-8601, UTC.", MOMENT_ASKED),
]
SYMBOL, BOT, RUN, MODE, SINCE = FILTERS


def reason_parameter(reasons: Sequence[str]) -> OpenApiParameter:
    return query_parameter("reason", "Why it was made, or why it was refused.", choice_shape(reasons))


class ListRequest:
    """The parameters of one request. Reading `words`, `filter` and `page` gathers faults; the last of them refuses."""

    def __init__(self, request: Request) -> None:
        self.form = read_query(request)

    def words(self, *names: str) -> dict[str, Any]:
        found = {name: self.form.text(name) for name in names}
        self.refuse()
        return found

    def filter(self) -> Filter:
        form = self.form
        wanted = Filter(
            **{name: form.text(name) for name in ("symbol", "bot", "run_id", "reason")},
            mode=form.choice("mode", "", Mode.values) if form.take("mode") else "",
            since=form.moment("since"),
        )
        self.refuse()
        return wanted

    def page(self) -> dict[str, Any]:
        """`limit` and `cursor`, for the selectors that page."""
        return read_page_place(self.form, rows=SHOWN)

    def refuse(self) -> None:
        refuse_query(self.form)
