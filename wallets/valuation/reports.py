"""Values, JSON-ready."""

from __future__ import annotations

from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from core.fields import EXACT
from core.text import decimal_text
from market.price_book import AssetPrice, PairPrice
from wallets.models import Wallet
from wallets.valuation.worth import Holding, Worth

PLACES = Decimal("1e-8")
PRICE = Context(prec=12)
"""A price that was multiplied and divided has no more digits to tell."""


def value_text(value: Decimal) -> str:
    """To eight places."""
    return decimal_text(EXACT.quantize(value, PLACES))


def worth_report(worth: Worth) -> dict[str, Any]:
    return {
        "currency": worth.currency,
        "value": value_text(worth.value),
        "estimated": list(worth.estimated),
        "unpriced": list(worth.unpriced),
    }


def value_report(wallet: Wallet, worth: Worth, at: datetime) -> dict[str, Any]:
    """A wallet's worth with all of its parts."""
    return {
        "wallet": wallet.wallet_id,
        "at": at,
        **worth_report(worth),
        "holdings": [holding_report(one) for one in worth.holdings],
    }


def holding_report(one: Holding) -> dict[str, Any]:
    return {
        "asset": one.asset,
        "amount": decimal_text(one.amount),
        "value": None if one.value is None else value_text(one.value),
        **price_report(one.price),
    }


def price_report(one: AssetPrice) -> dict[str, Any]:
    return {
        "price": None if one.price is None else decimal_text(PRICE.plus(one.price)),
        "price_state": one.state,
        "price_age_s": None if one.price is None else round(one.age.total_seconds(), 3),
        "path": [pair_report(pair) for pair in one.path],
    }


def pair_report(one: PairPrice) -> dict[str, Any]:
    return {"symbol": one.symbol, "price": decimal_text(one.price), "venue": one.venue, "source": one.source, "at": one.at}
