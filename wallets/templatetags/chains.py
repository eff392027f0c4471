"""Amounts as chains have them, to the last digit."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.html import format_html

from wallets.chains.amounts import amount_text, units_amount
from wallets.chains.registry import chain_get
from wallets.holdings import holding_text
from wallets.models import ChainHolding, ChainTransaction, ChainTransfer

register = template.Library()


@register.filter
def held(holding: ChainHolding) -> str:
    """What a watched wallet has of a token, rounded nowhere."""
    return grouped(holding_text(holding.units, holding.token))


@register.filter
def waiting(holding: ChainHolding) -> str:
    """What is on its way, as a change."""
    return signed(holding_text(holding.pending, holding.token), holding.pending)


@register.filter
def moved(transfer: ChainTransfer) -> str:
    """What the wallet had more or less of a token, as a change."""
    return signed(holding_text(transfer.units, transfer.token), transfer.units)


@register.filter
def fee_paid(transaction: ChainTransaction) -> str:
    """In the chain's coin; a dash where the wallet paid none."""
    if not transaction.fee:
        return "–"
    chain = chain_get(transaction.wallet.watch.chain)
    return f"{grouped(amount_text(units_amount(transaction.fee, chain.decimals)))} {chain.coin}"


def signed(text: str, units: Decimal) -> str:
    sign = "+" if units > 0 else "−"
    return format_html('<span class="nums {}">{}{}</span>', "up" if units > 0 else "down", sign, grouped(text.removeprefix("-")))


def grouped(text: str) -> str:
    """With thousands separators."""
    whole, dot, rest = text.partition(".")
    return f"{int(whole):,}{dot}{rest}" if whole.isdigit() else text
