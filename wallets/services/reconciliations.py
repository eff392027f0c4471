"""Runs of reconciliation: begun once a wallet, and ended with what they found."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from secrets import token_hex
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from access.limits import require_reach
from access.people import Person
from access.rights import require_right
from core.errors import Conflict
from core.events import News, events_record
from wallets.drift_lists import run_report
from wallets.models import ReconciliationRun, Wallet
from wallets.selectors import wallet_reach

State = ReconciliationRun.State
LOST_AFTER = timedelta(minutes=3)
"""A run that has not ended by then never will: its process is gone, or no worker took it."""


def reconciliation_begin(
    *, wallet: Wallet, trigger: str, thresholds: Mapping[str, Any] | None = None, user: Person = None
) -> ReconciliationRun:
    """The row of a run that is to be done now. `Conflict` where the wallet has no venue, or one is running."""
    require_right(user, "wallets.add_reconciliationrun")
    require_reach(user, **wallet_reach(wallet))
    if wallet.kind != Wallet.Kind.EXCHANGE or wallet.archived:
        raise Conflict(f"{wallet.name} is {'archived' if wallet.archived else 'no wallet of a venue'}: nothing to compare it with.")
    lost = ReconciliationRun.objects.filter(wallet=wallet, state=State.RUNNING, started_at__lt=timezone.now() - LOST_AFTER)
    for run in lost:
        reconciliation_fail(run, "It did not come to its end: its worker is gone, or none took it.")
    given = {"started_by": user.get_username() if user else "", **(thresholds or {})}
    try:
        with transaction.atomic():
            return ReconciliationRun.objects.create(run_id=token_hex(8), wallet=wallet, trigger=trigger, **given)
    except IntegrityError:
        raise Conflict(f"{wallet.name} is being reconciled already.", code="reconciliation_running") from None


def reconciliation_fail(run: ReconciliationRun, why: str) -> bool:
    """Ends it without a result. False where it has ended before."""
    with transaction.atomic():
        return reconciliation_end(run, State.FAILED, error=why[:300])


def reconciliation_end(run: ReconciliationRun, state: str, **columns: Any) -> bool:
    """Writes how it ended, once, and tells it. Call it last in a transaction."""
    values = {"state": state, "ended_at": timezone.now(), **columns}
    if not ReconciliationRun.objects.filter(pk=run.pk, state=State.RUNNING).update(**values):
        return False
    for name, value in values.items():
        setattr(run, name, value)
    events_record([News("reconciliation", run.trigger, run_report(run))])
    return True
