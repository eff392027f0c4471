"""The rules of cost basis, and what people say that acquisitions cost."""

from __future__ import annotations

import csv
import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from django.db import transaction
from django.utils import timezone

from access.audit import audit_record
from access.limits import require_reach, require_unlimited
from access.people import Person, signed_in_user
from access.rights import require_right
from core.errors import Conflict, Invalid
from core.fields import EXACT, Fields, show_value
from core.text import decimal_text
from core.times import EPOCH
from wallets.models import CostRule, LedgerEntry, ToldCost, Wallet
from wallets.selectors import reporting_currency, wallet_reach
from wallets.services.wallets import asset_read

COLUMNS = ("transaction", "asset", "quantity", "basis", "acquired_at")
MOST_ROWS, MOST_FAULTS = 5_000, 20
MOST_AMOUNT = Decimal(10) ** 19

Arrivals: TypeAlias = "dict[tuple[int, str], tuple[datetime | None, Decimal]]"
"""By transaction and asset: when it came, and how much of it nobody has told of yet."""


def cost_rule_add(*, since: date | str, method: str, scope: str, time_zone: str = "UTC", user: Person = None) -> CostRule:
    """From that day on disposals take lots by this method and scope. `Invalid` by field; years that are over keep their rules, but
    for the very first one, which may begin in the past."""
    require_right(user, "wallets.add_costrule", scope="admin")
    require_unlimited(user)
    given = cost_rule_read(since=since, method=method, scope=scope, time_zone=time_zone)
    with transaction.atomic():
        made = CostRule.objects.create(**given, created_by=signed_in_user(user))
        audit_record(user, "add cost basis rule", str(made), scope=scope, time_zone=time_zone)
    return made


def cost_rule_read(*, since: date | str, method: str, scope: str, time_zone: str) -> dict[str, Any]:
    """A new rule's fields, checked."""
    form = Fields({"since": str(since), "method": method, "scope": scope, "time_zone": time_zone})
    day = day_read(form, "since")
    given = {
        "since": day,
        "method": form.choice("method", "", CostRule.Method.values),
        "scope": form.choice("scope", "", CostRule.Scope.values),
        "time_zone": form.text("time_zone", longest=64),
    }
    if given["time_zone"] not in zoneinfo.available_timezones():
        form.fault("time_zone", f"must be the name of a time zone, such as Europe/Berlin; got {show_value(given['time_zone'])}.")
    newest = CostRule.objects.first()
    if newest and day and day <= newest.since:
        form.fault("since", f"must be after {newest.since}, from when on the newest rule holds.")
    elif newest and day and day.year < timezone.now().year:
        form.fault("since", "must not be in a year that is over: its disposals were reckoned by the rule of then.")
    form.refuse("The rule cannot be added.")
    return given


def day_read(form: Fields, name: str) -> date | None:
    text = form.text(name)
    try:
        return date.fromisoformat(text)
    except ValueError:
        if name not in form.faults:
            form.fault(name, f"must be a date like 2026-01-01; got {show_value(text)}.")
        return None


def cost_rule_delete(*, rule: CostRule, user: Person = None) -> None:
    """Takes the newest rule back. `Conflict` for another one, and for one that years went by that are over."""
    require_right(user, "wallets.delete_costrule", scope="admin")
    require_unlimited(user)
    if CostRule.objects.filter(since__gt=rule.since).exists():
        raise Conflict("A newer rule follows this one; take that one back first.")
    if rule.since.year < timezone.now().year:
        raise Conflict("Years that are over were reckoned by this rule. Add another one, from this year on.")
    with transaction.atomic():
        audit_record(user, "delete cost basis rule", str(rule))
        rule.delete()


def told_costs_import(*, wallet: Wallet, text: str, user: Person = None) -> list[ToldCost]:
    """What deposits and openings of the wallet had cost, as CSV: a head that names COLUMNS in any order, and a row for each lot.
    `transaction` is the number of the wallet's ledger, `basis` in the reporting currency. What was said before of the same
    transaction and asset is replaced. `Invalid` at `rows`, with the line of each fault; then nothing is taken."""
    require_right(user, "wallets.add_toldcost", scope="admin")
    require_reach(user, **wallet_reach(wallet))
    told = told_costs_read(wallet=wallet, text=text)
    with transaction.atomic():
        for one in told:
            one.created_by = signed_in_user(user)
            ToldCost.objects.filter(transaction=one.transaction_id, asset=one.asset).delete()
        made = ToldCost.objects.bulk_create(told)
        audit_record(user, "tell costs", wallet.name, rows=len(made))
    return made


def told_costs_read(*, wallet: Wallet, text: str) -> list[ToldCost]:
    """The rows, checked: each is of a booking by which the wallet got that much of the asset beside trades."""
    rows = list(csv.DictReader(str(text).strip().splitlines()))
    if not rows or not set(COLUMNS) <= set(rows[0]):
        raise Invalid.at("rows", f"must begin with the line {','.join(COLUMNS)}, and have a line for each lot.")
    if len(rows) > MOST_ROWS:
        raise Invalid.at("rows", f"must be at most {MOST_ROWS:,} lines; there are {len(rows):,}.")
    came, currency = read_arrivals(wallet, rows), reporting_currency()
    told, faults = [], []
    for line, row in enumerate(rows, 2):
        form = Fields(row)
        told.append(told_cost_read(form, came, currency))
        faults += [f"Line {line}: {name} {text}" for name, texts in form.faults.items() for text in texts]
    if faults:
        raise Invalid("The costs cannot be taken.", fields={"rows": faults[:MOST_FAULTS]})
    return told


def told_cost_read(form: Fields, came: Arrivals, currency: str) -> ToldCost:
    """One row. What it says is taken off `came`, so that all rows together say no more than what came."""
    number, asset = form.integer("transaction", high=10**18), asset_read(form, "asset", form.text("asset"))
    quantity = form.decimal("quantity", high=MOST_AMOUNT, above_low=True)
    basis, acquired = form.decimal("basis", high=MOST_AMOUNT), form.moment("acquired_at")
    for name in ("basis", "acquired_at"):
        if form.take(name) is None:
            form.fault(name, "is required.")
    ts, left = came.get((number, asset), (None, Decimal(0)))
    if not form.faults and ts is None:
        form.fault("transaction", f"brought no {asset} to this wallet beside trades.")
    elif not form.faults and quantity > left:
        form.fault("quantity", f"is more than the {decimal_text(left)} {asset} that came by it and are not told of yet.")
    if acquired and ts and acquired > ts:
        form.fault("acquired_at", "must not be after the booking.")
    elif acquired and acquired < EPOCH:
        form.fault("acquired_at", "must be after 1970.")
    came[number, asset] = ts, EXACT.subtract(left, quantity)
    given: dict[str, Any] = {"quantity": quantity, "basis": basis, "acquired_at": acquired}
    return ToldCost(transaction_id=number, asset=asset, currency=currency, **given)


def read_arrivals(wallet: Wallet, rows: Iterable[Mapping[str, str]]) -> Arrivals:
    """What came to the wallet beside trades, by these transactions."""
    numbers = {int(text) for row in rows if (text := str(row.get("transaction") or "").strip()).isdecimal() and len(text) < 19}
    entries = LedgerEntry.objects.filter(account=LedgerEntry.Account.CAPITAL, amount__lt=0, transaction__wallet=wallet)
    found = entries.filter(transaction__in=numbers).values_list("transaction", "asset", "transaction__ts", "amount")
    return {(number, asset): (ts, -amount) for number, asset, ts, amount in found}
