"""What lists of the running desk are asked with, read with the same words of refusal as everything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from access.openapi import query_parameter
from core.fields import Fields
from core.paging import MOST
from core.shapes import CURSOR, MOMENT_ASKED, SYMBOL_GIVEN, asked_text, choice_shape, count_shape
from trading.models import Mode
from trading.selectors.filters import SHOWN, Filter

PAGE = [
    query_parameter("limit", f"Rows of a page, at most {MOST}; {SHOWN} where left out.", count_shape(1, MOST)),
    query_parameter("cursor", "From `next` of the page before.", CURSOR),
]
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
        self.form = Fields(request.query_params.dict())

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
        found = {"limit": self.form.integer("limit", SHOWN, low=1, high=MOST), "cursor": self.form.text("cursor")}
        self.refuse()
        return found

    def refuse(self) -> None:
        self.form.refuse("A query parameter cannot be used.")
