"""From what on a difference is an alert, and from what on the wallet's bots hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

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


def read_thresholds(form: Fields) -> tuple[Threshold, Threshold]:
    """Those of a request, `alert` and `hold`: what they leave out is as in the settings."""
    return read_threshold(form.section("alert"), settings.DRIFT_ALERT), read_threshold(form.section("hold"), settings.DRIFT_HOLD)


def read_threshold(section: Fields, usual: Mapping[str, float]) -> Threshold:
    value = section.decimal("value", str(usual["value"]), low=0, high=MOST)
    share = section.decimal("share", str(usual["share"]), low=0, high=1)
    section.close()
    return Threshold(value, share)
