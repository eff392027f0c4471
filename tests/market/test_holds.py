"""The lease of a venue's sockets, and what happens to incidents whose worker is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from market.models import VenueStream
from market.services import incident_note, stream_ensure, stream_hold, stream_note, stream_release

pytestmark = pytest.mark.django_db
FIRST, SECOND = "first", "second"


def stream() -> VenueStream:
    return stream_ensure(venue="binance", environment="sandbox")


def expire(one: VenueStream) -> None:
    VenueStream.objects.filter(pk=one.pk).update(held_until=timezone.now() - timedelta(seconds=1))


def test_one_holds_it_and_the_token_grows_with_each_that_takes_it() -> None:
    one = stream()
    first = stream_hold(stream_id=one.pk, holder=FIRST)
    assert first is not None
    assert stream_hold(stream_id=one.pk, holder=SECOND) is None
    assert stream_hold(stream_id=one.pk, holder=FIRST) == first
    expire(one)
    assert stream_hold(stream_id=one.pk, holder=SECOND) == first + 1
    assert stream_hold(stream_id=one.pk, holder=FIRST) is None


def test_nobody_holds_a_stream_that_was_deleted() -> None:
    one = stream()
    VenueStream.objects.all().delete()
    assert stream_hold(stream_id=one.pk, holder=FIRST) is None


def test_who_takes_over_ends_the_incidents_of_one_that_died_and_notes_its_absence() -> None:
    one = stream()
    stream_hold(stream_id=one.pk, holder=FIRST)
    stream_note(stream_id=one.pk, holder=FIRST, state=VenueStream.State.POLLING)
    begun = timezone.now()
    incident_note(stream_id=one.pk, kind="downtime", began_at=begun, detail="the socket was closed")
    expire(one)
    stream_hold(stream_id=one.pk, holder=SECOND)
    one.refresh_from_db()
    (absence, cut) = one.incidents.order_by("-id")
    assert cut.began_at == begun
    assert cut.ended_at == absence.ended_at is not None
    assert (absence.kind, absence.detail) == ("downtime", "The stream worker that had it was gone.")


def test_an_orderly_hand_over_is_no_incident() -> None:
    one = stream()
    stream_hold(stream_id=one.pk, holder=FIRST)
    stream_note(stream_id=one.pk, holder=FIRST, state=VenueStream.State.LIVE)
    stream_release(stream_id=one.pk, holder=FIRST)
    stream_hold(stream_id=one.pk, holder=SECOND)
    assert not one.incidents.exists()
