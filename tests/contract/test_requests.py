"""Requests are what the OpenAPI document says: what it takes is taken, what it does not take is refused and said why, and who may
not ask is turned away, on every address, by whoever asks. A sample of each operation's requests; all of them with -m contract."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import override_settings

from tests.contract.asking import ask_desk, list_cases, open_document
from tests.contract.conformance import document
from tests.contract.desk import Caller, make_callers, make_desk

SAMPLE, ALL = {"most": 16, "examples": 4}, {"most": 10_000, "examples": 100}
OPERATIONS = [(method.upper(), path) for path, methods in document()["paths"].items() for method in methods]
UNCOUNTED = dict.fromkeys(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "1000000/min")


class Desk:
    def __init__(self) -> None:
        self.callers = make_callers()
        self.document = open_document(*make_desk())

    def askers(self, place: int) -> list[Caller]:
        """Whoever may do all, and one of the others by turns."""
        able, others = [one for one in self.callers if one.may_all], [one for one in self.callers if not one.may_all]
        return [*able, others[place % len(others)]]


@pytest.fixture(scope="module")
def desk(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One for all operations, in a transaction that is rolled back in the end."""
    own = {
        "MEDIA_ROOT": tmp_path_factory.mktemp("media"),
        "IMPORT_ANSWER_SECONDS": 0,
        "REST_FRAMEWORK": settings.REST_FRAMEWORK | {"DEFAULT_THROTTLE_RATES": UNCOUNTED},
        "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
        "DEBUG_PROPAGATE_EXCEPTIONS": True,
    }
    signals = (request_started, request_finished)
    with django_db_blocker.unblock(), override_settings(**own), transaction.atomic():
        for signal in signals:
            signal.disconnect(close_old_connections)
        logging.disable(logging.WARNING)
        try:
            yield Desk()
        finally:
            logging.disable(logging.NOTSET)
            for signal in signals:
                signal.connect(close_old_connections)
            transaction.set_rollback(True)


@pytest.mark.django_db  # which is what sets the database up; what stays is in `desk`
@pytest.mark.contract
@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[f"{method} {path}" for method, path in OPERATIONS])
def test_requests_are_as_the_document_says(desk: Desk, method: str, path: str, request: pytest.FixtureRequest) -> None:
    size = ALL if "contract" in str(request.config.option.markexpr) else SAMPLE
    for place, case in enumerate(list_cases(desk.document[path][method], **size)):
        for caller in desk.askers(place):
            ask_desk(case, caller)
