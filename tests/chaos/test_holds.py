"""Two stream workers at once: one has the lease of a venue, and the other takes over when it dies. Without a lease nobody sends."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from market.exchanges.base import OrderRequest
from market.models import VenueStream
from tests.chaos.desk import open_paper_desk
from tests.chaos.play import Play
from tests.chaos.test_strategies import QUIET, begin, evaluations
from tests.running import wait_for
from tests.trading.live.fixtures import Rows, rows
from trading.live.worker import StreamWorker
from trading.models import Fill, KillSwitch, OrderStatus
from trading.services.lease import Lease
from trading.services.orders import order_claim_send

__all__ = ["rows"]
pytestmark = pytest.mark.chaos


def holders() -> set[str]:
    return set(VenueStream.objects.filter(held_until__gt=timezone.now()).values_list("holder", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_standby_takes_over_when_the_holder_dies(tmp_path: Path) -> None:
    with Play(QUIET, tmp_path, desk=open_paper_desk) as play:
        begin("good", "dca", {"every": 1, "part": 1})
        play.begin_child(None)
        play.until(lambda: evaluations() > 1, "the first worker works")
        first, dying = holders(), play.child
        assert dying is not None
        assert len(first) == 1
        standby = play.spawn()
        before = evaluations()
        play.until(lambda: evaluations() > before + 2, "it goes on while the other stands by")
        assert holders() == first
        dying.kill()
        play.child = standby
        play.until(lambda: bool(holders() - first), "the other has taken over")
        before = evaluations()
        play.until(lambda: evaluations() > before + 2, "the other works")


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_sleeps_through_its_hold_goes_on(tmp_path: Path) -> None:
    """As on a machine that is paused: when it wakes, everything that it waited for happens at once."""
    with Play(QUIET, tmp_path) as play:
        play.begin_child(None)
        play.until(lambda: Fill.objects.count() > 2, "it trades")
        assert play.child
        assert play.child.pid
        os.kill(play.child.pid, signal.SIGSTOP)
        wait_for(lambda: not holders(), "its holds run out", 30)
        os.kill(play.child.pid, signal.SIGCONT)
        before = Fill.objects.count()
        play.until(lambda: len(holders()) > 0 and Fill.objects.count() > before + 2, "it trades again")


@pytest.mark.parametrize("stale", ["an older token", "another holder", "a hold that ran out"])
def test_who_lost_the_hold_cannot_send(rows: Rows, stale: str) -> None:
    stream = rows.stream(holder="me", token=7)
    order = rows.order(rows.bot(), status=OrderStatus.PENDING, submitted_at=None)
    lease = Lease(stream.pk, "you" if stale == "another holder" else "me", 6 if stale == "an older token" else 7)
    if stale == "a hold that ran out":
        VenueStream.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    assert order_claim_send(order, lease) is None
    order.refresh_from_db()
    assert order.status == OrderStatus.PENDING


def test_a_worker_that_has_no_hold_any_more_cannot_send(rows: Rows) -> None:
    """Though the stream is still its own by name and time."""
    stream = rows.stream(holder="me", token=7)
    order = rows.order(rows.bot(), status=OrderStatus.PENDING, submitted_at=None)

    async def lost() -> Lease:
        worker = StreamWorker(name="me")
        try:
            return worker.leases.find(stream.pk)
        finally:
            await worker.stop()

    assert order_claim_send(order, asyncio.run(lost())) is None


def test_who_holds_sends_once_and_not_while_the_kill_switch_is_on(rows: Rows) -> None:
    lease = Lease(rows.stream(holder="me", token=7).pk, "me", 7)
    order = rows.order(rows.bot(), status=OrderStatus.PENDING, submitted_at=None)
    KillSwitch.objects.create(killed=True)
    assert order_claim_send(order, lease) is None
    KillSwitch.objects.update(killed=False)
    assert isinstance(order_claim_send(order, lease), OrderRequest)
    assert order_claim_send(order, lease) is None
