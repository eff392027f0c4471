"""The currency that the whole desk is valued in."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from access.audit import DESK, audit_record
from access.limits import require_unlimited
from access.people import Person
from access.rights import require_right
from core.fields import Fields
from wallets.models import Reporting
from wallets.services.wallets import asset_read


def reporting_currency_set(*, currency: Any, user: Person = None) -> Reporting:
    """From now on everything is valued in it; what was valued before keeps its own. `Invalid` at `currency`."""
    require_right(user, "wallets.change_reporting", scope="admin")
    require_unlimited(user)
    asset = reporting_currency_read(currency=currency)
    who = user.get_username() if user else DESK
    with transaction.atomic():
        chosen, _ = Reporting.objects.update_or_create(
            pk=1, defaults={"currency": asset, "changed_by": who, "changed_at": timezone.now()}
        )
        audit_record(user, "change reporting currency", asset)
    return chosen


def reporting_currency_read(*, currency: Any) -> str:
    """In capitals. `Invalid` at `currency`."""
    form = Fields({"currency": currency})
    asset = asset_read(form, "currency", form.text("currency"))
    form.refuse("The reporting currency cannot be changed.")
    return asset
