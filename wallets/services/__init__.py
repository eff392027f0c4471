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
from wallets.services.chain_readings import watch_read
from wallets.services.lots import cost_rule_add, cost_rule_delete, told_costs_import
from wallets.services.movement_fetch import movements_fetch, movements_read
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
from wallets.services.watches import (
    LONGEST_ADDRESS,
    endpoint_create,
    endpoint_place_set,
    endpoint_read,
    token_trust,
    watch_ask,
    watch_create,
    watch_form_read,
)

__all__ = [
    "ADDRESSES",
    "LONGEST_ADDRESS",
    "account_check",
    "account_create",
    "account_endpoint",
    "account_secret_set",
    "account_update",
    "cost_rule_add",
    "cost_rule_delete",
    "endpoint_create",
    "endpoint_place_set",
    "endpoint_read",
    "fill_booking",
    "ledger_opening_from_venue",
    "movement_book",
    "movements_fetch",
    "movements_read",
    "movements_take",
    "replay_books_open",
    "reporting_currency_set",
    "secrets_rotate",
    "token_trust",
    "told_costs_import",
    "values_ensure",
    "wallet_archive",
    "wallet_create",
    "wallet_deposit",
    "wallet_rename",
    "watch_ask",
    "watch_create",
    "watch_form_read",
    "watch_read",
]
