"""Reconciliation from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from core.commands import DeskCommand
from trading.reconciliation.run import run_execute, runs_begin
from wallets.drift_lists import drift_story, drifts_list, run_report
from wallets.models import Drift, ReconciliationRun


class Command(DeskCommand):
    help = "Compares wallets with their venues, now: balances, open orders, fills. Says what differs, why, and by which rows."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--wallet", default="", metavar="ID", help="One wallet, by its id; else all that have a venue.")

    def report(self, **options: Any) -> Mapping[str, Any]:
        runs = runs_begin(wallet_id=options["wallet"], trigger=ReconciliationRun.Trigger.COMMAND)
        return {"runs": [describe_run(run_execute(run)) for run in runs]}

    def show(self, report: Mapping[str, Any]) -> None:
        for run in report["runs"]:
            self.stdout.write(": ".join(filter(None, (run["name"], run["state"], run["error"]))))
            for line in run["not_asked"]:
                self.stdout.write(f"  not asked: {line}")
            for one in run["open"]:
                self.stdout.write(f"  {one['asset']}: {one['difference']} more at the venue, {one['cause'].replace('_', ' ')}")
        if not report["runs"]:
            self.stdout.write("No wallet has a venue that can be asked.")


def describe_run(run: ReconciliationRun) -> dict[str, Any]:
    """With the drifts of its wallet that are open after it."""
    found = drifts_list(wallet=run.wallet.wallet_id, state=Drift.State.OPEN)
    return run_report(run) | {"name": run.wallet.name, "open": [drift_story(one) for one in found]}
