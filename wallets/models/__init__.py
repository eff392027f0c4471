"""Exchange accounts and their keys; wallets, their double-entry ledger, the balances that are its sums, and what differs from the
venue's."""

from wallets.models.accounts import Environment, ExchangeAccount
from wallets.models.chains import (
    ChainEndpoint,
    ChainHolding,
    ChainReading,
    ChainToken,
    ChainTransaction,
    ChainTransfer,
    ChainWatch,
)
from wallets.models.drifts import Drift, ReconciliationRun
from wallets.models.elsewhere import ElsewhereHolding
from wallets.models.fields import money_field
from wallets.models.ledger import LedgerEntry, LedgerTransaction
from wallets.models.lots import CostRule, ToldCost
from wallets.models.movements import Movement, MovementCursor, MovementLeg
from wallets.models.reporting import Reporting
from wallets.models.values import ValueSnapshot
from wallets.models.wallets import Wallet, WalletBalance

__all__ = [
    "ChainEndpoint",
    "ChainHolding",
    "ChainReading",
    "ChainToken",
    "ChainTransaction",
    "ChainTransfer",
    "ChainWatch",
    "CostRule",
    "Drift",
    "ElsewhereHolding",
    "Environment",
    "ExchangeAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "Movement",
    "MovementCursor",
    "MovementLeg",
    "ReconciliationRun",
    "Reporting",
    "ToldCost",
    "ValueSnapshot",
    "Wallet",
    "WalletBalance",
    "money_field",
]
