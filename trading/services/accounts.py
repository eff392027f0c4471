"""Exchange accounts in use are tested on a schedule: the rights of a key may have changed at the venue, or the key be gone."""

from __future__ import annotations

import logging

from django.db.models import Exists, OuterRef

from core.events import News, events_record
from wallets.connection import account_test
from wallets.models import ExchangeAccount, Wallet

logger = logging.getLogger(__name__)


def accounts_check() -> None:
    """Tests every account that a wallet trades with; a key that is refused from now on is an alert."""
    used = Wallet.objects.filter(account=OuterRef("pk"), archived=False)
    for account in ExchangeAccount.objects.filter(Exists(used)).exclude(secret=b""):
        before = account.refused_reason
        outcome = account_test(account=account)
        if not outcome.works:
            logger.warning("%s", outcome)
        if account.refused_reason and account.refused_reason != before:
            account_alert(account, f"The key of {account.name} is not used any more: {account.refused_reason}")


def account_alert(account: ExchangeAccount, message: str) -> None:
    events_record([News("alert", "account", {"message": message, "account": account.name})])
