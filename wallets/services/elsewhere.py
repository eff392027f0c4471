"""Keeps what an account has outside of spot trading, as its venue tells it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from core.fields import EXACT
from market.exchanges.base import HeldElsewhere
from wallets.models import ElsewhereHolding, ExchangeAccount


def elsewhere_take(*, account: ExchangeAccount, told: Iterable[HeldElsewhere]) -> None:
    """What was kept before gives way to it. Several rows of one place and asset are added up."""
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for one in told:
        key = (one.place, one.name, one.asset)
        sums[key] = EXACT.add(sums[key], one.amount)
    now = timezone.now()
    rows = [
        ElsewhereHolding(account=account, place=place, name=name, asset=asset, amount=amount, seen_at=now)
        for (place, name, asset), amount in sums.items()
    ]
    with transaction.atomic():
        # Two at once would both find nothing to take away.
        ExchangeAccount.objects.select_for_update(no_key=True).get(pk=account.pk)
        account.elsewhere.all().delete()
        ElsewhereHolding.objects.bulk_create(rows)
