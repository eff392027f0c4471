"""Accounts and their keys; wallets and their bookings."""

from wallets.services.accounts import (
    ADDRESSES,
    account_check,
    account_create,
    account_endpoint,
    account_secret_set,
    account_update,
    secrets_rotate,
)
from wallets.services.bookings import fill_booking
from wallets.services.movements import movement_book, movements_take
from wallets.services.reporting import reporting_currency_set
from wallets.services.values import values_ensure
from wallets.services.wallets import (
    ledger_opening_from_venue,
    replay_books_open,
    wallet_archive,
    wallet_create,
    wallet_deposit,
    wallet_rename,
)

__all__ = [
    "ADDRESSES",
    "account_check",
    "account_create",
    "account_endpoint",
    "account_secret_set",
    "account_update",
    "fill_booking",
    "ledger_opening_from_venue",
    "movement_book",
    "movements_take",
    "replay_books_open",
    "reporting_currency_set",
    "secrets_rotate",
    "values_ensure",
    "wallet_archive",
    "wallet_create",
    "wallet_deposit",
    "wallet_rename",
]
