"""Sessions end when their person has done nothing for SESSION_IDLE_MINUTES. The row of a session says until when it is good, so
pages, the API and sockets all see the end, and noticing a use costs a row only now and then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore as RowStore
from django.http import HttpRequest
from django.utils import timezone

NOTED = 24
"""Parts of the idle time: a use is written down once in each."""


class SessionStore(RowStore):
    good_until: datetime | None = None

    def _get_session_from_db(self) -> Any:
        row = super()._get_session_from_db()  # type: ignore[misc]  # the stubs do not know it
        self.good_until = row.expire_date if row else None
        return row


def session_extend(request: HttpRequest) -> None:
    """Lets the session begin its idle time anew, where a person asked for something. To be called once the session was read."""
    until = getattr(request.session, "good_until", None)
    if until is None or not request.session.accessed:
        return
    idle = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    left = until - timezone.now()
    # One that was made under a longer idle time gets the present one.
    if left > idle or (left < idle * (1 - 1 / NOTED) and is_persons_own(request)):
        request.session.modified = True


def is_persons_own(request: HttpRequest) -> bool:
    """Whether a person did something, and not a page's script that keeps it fresh."""
    return request.method != "GET" or not (request.headers.get("HX-Request") or "part" in request.GET)
