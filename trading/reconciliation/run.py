"""A run of one wallet: begun, done, and its result written, all of it or nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from asgiref.sync import async_to_sync
from django.db import transaction

from access.people import Person
from core.errors import Conflict, DomainError
from core.events import News, events_record
from core.fields import Fields
from core.text import decimal_text
from market.connections import open_account
from market.exchanges.base import Balance, Endpoint, ExchangeError
from trading.reconciliation.causes import NOTHING, Part
from trading.reconciliation.compare import About, Difference
from trading.reconciliation.examination import Findings, examine_account, read_rows
from trading.reconciliation.thresholds import Threshold, read_thresholds
from trading.reconciliation.venue_side import AccountQuestions, explain_silence
from trading.reconciliation.worth import price_differences
from wallets.drift_lists import drift_report
from wallets.models import Drift, ReconciliationRun, Wallet
from wallets.selectors import wallet_get, wallets_list
from wallets.services import account_endpoint, ledger_opening_from_venue
from wallets.services.drifts import FoundDrift, NotedDrifts, drifts_note
from wallets.services.reconciliations import reconciliation_begin, reconciliation_end, reconciliation_fail

logger = logging.getLogger(__name__)
State = ReconciliationRun.State
MAY_HOLD = (About.BALANCE, About.POSITION)


def run_begin(*, wallet: Wallet, trigger: str, thresholds: Any = None, user: Person = None) -> ReconciliationRun:
    """`thresholds`: `alert` and `hold`, each with `value` and `share`; what is left out is as in the settings. `Invalid` by field;
    `Conflict` where one is running, or the wallet has no venue."""
    form = Fields(thresholds or {})
    alert, hold = read_thresholds(form)
    form.refuse("The thresholds cannot be used.")
    named = {"alert": alert.to_json(), "hold": hold.to_json()}
    return reconciliation_begin(wallet=wallet, trigger=trigger, thresholds=named, user=user)


def runs_begin(*, trigger: str, wallet_id: str = "", thresholds: Any = None, user: Person = None) -> list[ReconciliationRun]:
    """Of one wallet; or of all that have a venue, less those that are being reconciled
    already. `NotFound`; else as `run_begin`."""
    if wallet_id:
        return [run_begin(wallet=wallet_get(wallet_id=wallet_id), trigger=trigger, thresholds=thresholds, user=user)]
    begun = []
    for wallet in wallets_list().filter(kind=Wallet.Kind.EXCHANGE, account__refused_reason="").exclude(account__secret=b""):
        with suppress(Conflict):
            begun.append(run_begin(wallet=wallet, trigger=trigger, thresholds=thresholds, user=user))
    return begun


def run_execute(run: ReconciliationRun) -> ReconciliationRun:
    """Does it. A venue that does not answer, and a fault of ours, end the run as failed; nothing is half-booked."""
    wallet = run.wallet
    try:
        assert wallet.account
        findings, questions = async_to_sync(ask_account)(wallet, account_endpoint(wallet.account))
        findings_write(run, findings, questions.not_asked)
    except (ExchangeError, DomainError, TimeoutError, OSError) as error:
        reconciliation_fail(run, explain_silence(error))
    except Exception as error:
        logger.exception("the reconciliation of %s failed", wallet.name)
        reconciliation_fail(run, f"It failed here ({type(error).__name__}); that has been logged.")
    return run


async def ask_account(wallet: Wallet, endpoint: Endpoint) -> tuple[Findings, AccountQuestions]:
    async with open_account(endpoint) as (exchange, cache):
        questions = AccountQuestions(exchange, cache)
        if await read_rows(has_no_books, wallet):
            moment, balances = await questions.ask_time(), await questions.ask_balances()
            await read_rows(open_books, wallet, list(balances.values()), moment)
        return await examine_account(wallet, questions), questions


def has_no_books(wallet: Wallet) -> bool:
    return not wallet.transactions.exists()


def open_books(wallet: Wallet, balances: Sequence[Balance], moment: datetime) -> None:
    """What the account has when it is first looked at begins the ledger."""
    ledger_opening_from_venue(wallet=wallet, balances=balances, ts=moment)


def findings_write(run: ReconciliationRun, findings: Findings, not_asked: Sequence[str]) -> None:
    """One transaction. A run that was given up meanwhile writes nothing."""
    with transaction.atomic():
        if not ReconciliationRun.objects.select_for_update().filter(pk=run.pk, state=State.RUNNING).exists():
            return
        found = name_findings(run, findings)
        noted = drifts_note(run, found, unsure=findings.unsure)
        still_open = [one for one in noted.standing if one.state == Drift.State.OPEN]
        state = State.PARTIAL if not_asked else State.DRIFT if still_open else State.CLEAN
        events_record([*list_news(run, noted)])
        reconciliation_end(
            run,
            state,
            not_asked=list(not_asked),
            drifts=len(noted.standing),
            value=sum((abs(one.value) for one in noted.standing if one.value is not None), NOTHING),
            clean_until=findings.asked_at if state == State.CLEAN else None,
        )


def name_findings(run: ReconciliationRun, findings: Findings) -> list[FoundDrift]:
    """With what each is worth, and what follows from that."""
    prices, wallet = price_differences(run.wallet, {one.asset for one in findings.differences})
    alert, hold = (Threshold(Decimal(raw["value"]), Decimal(raw["share"])) for raw in (run.alert, run.hold))
    return [name_finding(one, findings.explain(one), prices[one.asset], wallet, alert, hold) for one in findings.differences]


def name_finding(
    one: Difference, parts: Sequence[Part], price: Decimal | None, wallet: Decimal, alert: Threshold, hold: Threshold
) -> FoundDrift:
    """What has no price is told, and holds nobody: an unknown coin that somebody sent must not stop a desk."""
    value = None if price is None else (one.amount * price).quantize(Decimal("1e-8"))
    return FoundDrift(
        about=str(one.about),
        asset=one.asset,
        name=one.name,
        ours=one.ours,
        theirs=one.theirs,
        value=value,
        cause=str(parts[0].cause),
        evidence=[part_json(part, one.asset) for part in parts],
        holds=value is not None and one.about in MAY_HOLD and hold.reaches(abs(value), wallet),
        alerted=value is None or alert.reaches(abs(value), wallet),
    )


def part_json(part: Part, asset: str) -> dict[str, Any]:
    rows = [
        {
            "key": row.key,
            "amount": decimal_text(row.legs[asset]),
            "legs": {name: decimal_text(amount) for name, amount in row.legs.items()},
            "books": "how" in row.data,
            **row.data,
        }
        for row in part.rows
    ]
    return {"cause": str(part.cause), "amount": decimal_text(part.amount), "rows": rows}


def list_news(run: ReconciliationRun, noted: NotedDrifts) -> list[News]:
    news = [News("drift", "reconciliation", drift_report(one)) for one in (*noted.fresh, *noted.closed)]
    if noted.alarming:
        told = {"message": describe_alarm(run.wallet, noted.alarming), "wallet": run.wallet.wallet_id}
        news.append(News("alert", "reconciliation", told))
    return news


def describe_alarm(wallet: Wallet, drifts: Sequence[Drift]) -> str:
    some = ", ".join(f"{decimal_text(one.difference)} {one.asset} ({one.get_cause_display()})" for one in drifts[:3])
    more = f" and {len(drifts) - 3} more" if len(drifts) > 3 else ""
    holding = " Its bots make no entries until that is resolved." if any(one.holds for one in drifts) else ""
    return f"{wallet.name} and its venue differ: {some}{more}. See Reconciliation.{holding}"
