"""What wallets, venues and the desk are worth: now and in the past."""

from wallets.valuation.desk import DeskWorth, VenueWorth, sum_desk
from wallets.valuation.history import ValueStep, values_between
from wallets.valuation.money import LIVE, PAPER, TESTNET, money_of, price_environment
from wallets.valuation.worth import Books, Holding, Worth, open_books, value_wallet, value_wallets

__all__ = [
    "LIVE",
    "PAPER",
    "TESTNET",
    "Books",
    "DeskWorth",
    "Holding",
    "ValueStep",
    "VenueWorth",
    "Worth",
    "money_of",
    "open_books",
    "price_environment",
    "sum_desk",
    "value_wallet",
    "value_wallets",
    "values_between",
]
