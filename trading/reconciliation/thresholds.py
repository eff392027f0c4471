"""From what on a difference is an alert, and from what on the wallet's bots hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings

from core.fields import Fields
from core.text import decimal_text

MOST = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class Threshold:
    """`value` in the wallet's currency, `share` of what the wallet is worth; either is enough."""

    value: Decimal
    share: Decimal

    def reaches(self, amount: Decimal, wallet: Decimal) -> bool:
        """`amount`: what a difference is worth. `wallet`: what the wallet is worth; of nothing, any difference is all."""
        return amount >= self.value or amount >= self.share * wallet

    def to_json(self) -> dict[str, str]:
        return {"value": decimal_text(self.value), "share": decimal_text(self.share)}


def read_threshold(form: Fields, name: str, usual: Mapping[str, float]) -> Threshold:
    """One of a request; what it leaves out is as in the settings."""
    section = form.section(name)
    value = section.decimal("value", str(usual["value"]), low=0, high=MOST)
    share = section.decimal("share", str(usual["share"]), low=0, high=1)
    section.close()
    return Threshold(value, share)


def read_thresholds(raw: Mapping[str, Any]) -> tuple[Threshold, Threshold]:
    """For alerts, and for holding. `Invalid` by field."""
    form = Fields(raw)
    found = read_threshold(form, "alert", settings.DRIFT_ALERT), read_threshold(form, "hold", settings.DRIFT_HOLD)
    form.refuse("The thresholds cannot be used.")
    return found
