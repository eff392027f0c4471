"""Differences with the venue: noted by reconciliation, resolved by people, closed when they are gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone

from access.audit import audit_record
from access.limits import require_reach
from access.people import Person, signed_in_user
from access.rights import require_right
from core.errors import Conflict, Invalid, NotFound
from core.events import News, events_record
from core.fields import Fields
from wallets.drift_lists import drift_report
from wallets.ledger import Account, Booking, booking_write, transfer_legs
from wallets.models import Drift, LedgerTransaction, ReconciliationRun
from wallets.selectors import wallet_reach

State, About, Act = Drift.State, Drift.About, Drift.Act
STANDING = (State.OPEN, State.IGNORED)
SAID = ("ours", "theirs", "value", "cause", "evidence", "holds", "alerted", "state", "last_seen", "times_seen", "run")
MOST_CORRECTED = Decimal(10) ** 15
GONE = "It went away by itself."


@dataclass(frozen=True, slots=True)
class FoundDrift:
    """A difference as a run saw it; the fields are those of `Drift`."""

    about: str
    asset: str
    ours: Decimal
    theirs: Decimal
    cause: str
    name: str = ""
    value: Decimal | None = None
    evidence: list[dict[str, Any]] = field(default_factory=list)
    holds: bool = False
    alerted: bool = False


@dataclass(frozen=True, slots=True)
class NotedDrifts:
    """What a run changed. `fresh`: seen for the first time, or again after they were ignored. `alarming`: somebody is to be told
    of them from now on."""

    standing: list[Drift]
    fresh: list[Drift]
    alarming: list[Drift]
    closed: list[Drift]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a drift."""

    act: str
    reason: str = ""
    until: datetime | None = None
    amount: Decimal | None = None


def drifts_note(run: ReconciliationRun, found: Sequence[FoundDrift], *, unsure: Collection[tuple[str, str]] = ()) -> NotedDrifts:
    """Writes what a run found, once a difference, and closes what is gone. `unsure`: of which (about, asset) the run cannot say
    that it is gone; an empty asset stands for all. Call it in a transaction."""
    now = timezone.now()
    rows = Drift.objects.select_for_update().filter(wallet=run.wallet, state__in=STANDING)
    before = {(one.about, one.asset, one.name): one for one in rows}
    standing, fresh, alarming = list[Drift](), list[Drift](), list[Drift]()
    for one in found:
        known = before.pop((one.about, one.asset, one.name), None)
        told = known is not None and known.alerted and known.state == State.OPEN
        drift, is_fresh = drift_see(run, known, one, now)
        standing.append(drift)
        fresh += [drift] if is_fresh else []
        alarming += [drift] if drift.alerted and not told and drift.state == State.OPEN else []
    closed = [one for one in before.values() if not {(one.about, one.asset), (one.about, "")} & set(unsure)]
    Drift.objects.filter(pk__in=[one.pk for one in closed]).update(state=State.CLOSED, ended_at=now, reason=GONE, holds=False)
    for gone in closed:
        gone.state, gone.ended_at, gone.reason = State.CLOSED, now, GONE
    return NotedDrifts(standing, fresh, alarming, closed)


def drift_see(run: ReconciliationRun, drift: Drift | None, found: FoundDrift, now: datetime) -> tuple[Drift, bool]:
    """Returns the row, and whether it is news. One that is ignored stays so until its end date, or until it is another amount."""
    if drift is None:
        given = {name: getattr(found, name) for name in FoundDrift.__slots__}
        return Drift.objects.create(wallet=run.wallet, run=run, first_seen=now, last_seen=now, **given), True
    again = drift.state == State.IGNORED and (is_over(drift, now) or drift.difference != found.theirs - found.ours)
    if again:
        drift.state = State.OPEN
    for name in ("ours", "theirs", "value", "cause", "evidence", "holds", "alerted"):
        setattr(drift, name, getattr(found, name))
    drift.last_seen, drift.times_seen, drift.run = now, drift.times_seen + 1, run
    drift.save(update_fields=SAID)
    return drift, again


def is_over(drift: Drift, now: datetime) -> bool:
    return drift.until is None or drift.until <= now


def drift_resolve(*, drift_id: int, decision: Any, book: Callable[[Drift], None] | None = None, user: Person = None) -> Drift:
    """A person's decision, a mapping as `decision_read` takes it. `book` what is missing, which is done by the callable of that
    name; `adopt` what the venue says; `ignore`, with a reason and an end date; `correct` by an entry of `amount` (the difference,
    where left out), with a reason.

    The same decision again changes nothing. `Conflict` where somebody has decided otherwise, or it is gone; `Invalid` by field;
    `NotFound`; `Forbidden`. All of it is done, or nothing."""
    require_right(user, "wallets.change_drift")
    form = Fields(decision)
    given = decision_read(form)
    form.refuse("This cannot be resolved so.")
    with transaction.atomic():
        drift = drift_lock(drift_id)
        require_reach(user, **wallet_reach(drift.wallet))
        if is_decided(drift, given.act):
            return drift
        check_act(drift, given.act)
        if given.act == Act.BOOK and book is not None:
            book(drift)
        elif given.act in (Act.ADOPT, Act.CORRECT):
            correction_book(drift, given, user)
        drift_end(drift, given, user)
    return drift


def decision_read(form: Fields) -> Decision:
    """`action`, and what it needs: `reason`, `until`, `amount`."""
    act, reason = form.choice("action", "", Act.values), form.text("reason", longest=300)
    until, asked = form.moment("until"), form.take("amount") is not None
    amount = form.decimal("amount", low=-MOST_CORRECTED, high=MOST_CORRECTED)
    if act in (Act.IGNORE, Act.CORRECT) and not reason:
        form.fault("reason", "is required: whoever looks later wants to know why.")
    if act == Act.IGNORE and (until is None or until <= timezone.now()):
        form.fault("until", "is required, in the future: what is ignored for ever is forgotten.")
    if act != Act.CORRECT and asked:
        form.fault("amount", "is for a correction only.")
    form.close()
    return Decision(act, reason, until, amount if asked else None)


def drift_lock(drift_id: int) -> Drift:
    found = Drift.objects.select_for_update(of=("self",)).select_related("wallet").filter(pk=drift_id).first()
    if found is None:
        raise NotFound("There is no such drift.")
    return found


def is_decided(drift: Drift, act: str) -> bool:
    """Whether the same has been done already. `Conflict` where something else has, or where nothing is left to do."""
    if drift.state == State.OPEN or (drift.state == State.IGNORED and act != Act.IGNORE):
        return False
    if drift.act == act:
        return True
    who = f" by {drift.ended_by}" if drift.ended_by else ""
    raise Conflict(f"It is {drift.state} already{who}: {drift.reason or drift.act or 'nothing is left to do'}")


def list_acts(drift: Drift) -> list[str]:
    """What can be done about it. An entry changes what we have; it brings no order back, and no money to bots."""
    if drift.about == About.BALANCE:
        may_book = any(row.get("books") for row in drift.rows)
        return [*([Act.BOOK] if may_book else []), Act.ADOPT, Act.CORRECT, Act.IGNORE]
    return [Act.IGNORE]


def check_act(drift: Drift, act: str) -> None:
    if act not in (may := list_acts(drift)):
        raise Invalid.at("action", f"must be one of {', '.join(may)} for this drift.")


def correction_book(drift: Drift, given: Decision, user: Person) -> None:
    """The entry that makes our books agree with the venue's, or comes `amount` nearer. `Conflict` where a part of the difference
    has been booked since: it would count twice."""
    if LedgerTransaction.objects.filter(wallet=drift.wallet_id, reference__in=[row["key"] for row in drift.rows]).exists():
        raise Conflict("A part of it has been booked since it was seen. Reconcile again, and look what is left.")
    legs = transfer_legs(drift.asset, drift.difference if given.amount is None else given.amount, Account.CAPITAL)
    if not legs:
        raise Invalid.at("amount", "must not be zero.")
    note = f"{user or 'the desk'}: {given.reason or 'adopts what the venue says'}"
    booking_write(
        drift.wallet_id, Booking(LedgerTransaction.Kind.CORRECTION, f"drift:{drift.pk}", timezone.now(), legs, note[:300])
    )


def drift_end(drift: Drift, given: Decision, user: Person) -> None:
    """Writes the decision down, tells it, and lets the wallet's bots go on."""
    drift.state = State.IGNORED if given.act == Act.IGNORE else State.RESOLVED
    drift.act, drift.reason, drift.until = given.act, given.reason, given.until
    drift.ended_by, drift.ended_at, drift.holds = signed_in_user(user), timezone.now(), False
    drift.save(update_fields=["state", "act", "reason", "until", "ended_by", "ended_at", "holds"])
    audit_record(user, f"{given.act} drift", str(drift.wallet), drift=drift.pk, reason=drift.reason)
    events_record([News("drift", "person", drift_report(drift))])
