"""What API.md promises of the running desk is there, and the reference page names it."""

from __future__ import annotations

import pytest
from django.conf import settings

from tests.contract.conformance import document

PROMISED = {
    "bots": {"get", "post"},
    "bots/status": {"get"},
    "bots/{bot_id}": {"get", "patch", "delete"},
    **{f"bots/{{bot_id}}/{act}": {"post"} for act in ("start", "pause", "stop", "close")},
    "bots/{bot_id}/performance": {"get"},
    **{f"live/{name}": {"get"} for name in ("positions", "portfolio", "fills", "orders", "blocks", "block-reasons", "risk-budget")},
    "live/kill-switch": {"get", "post"},
    "live/orders/{order_id}/cancel": {"post"},
    "market/ticks": {"get"},
    "streams": {"get"},
    "streams/start": {"post"},
    "streams/stop": {"post"},
    "agents/events": {"get"},
    "agents/events/correlation/{correlation_id}": {"get"},
}


@pytest.mark.parametrize("path", PROMISED)
def test_what_is_promised_is_there_and_named(path: str) -> None:
    methods = document()["paths"][f"/api/v1/{path}"]
    assert set(methods) == PROMISED[path]
    page = (settings.BASE_DIR / "docs" / "reference" / "api.md").read_text()
    for method in methods:
        assert f"| {method.upper()} `{path}` |" in page
