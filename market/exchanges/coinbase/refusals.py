"""What Coinbase's refusals mean, by `vocabulary/coinbase_errors.py`."""

from __future__ import annotations

from typing import get_args

from market.exchanges.base import RefusalKind
from market.exchanges.vocabulary.coinbase_errors import NEW_ORDER, PREVIEW

DUPLICATE = NEW_ORDER.find_words("duplicate")[0]
UNTOLD = ("", *NEW_ORDER.find_words("unsettled"), *PREVIEW.find_words("unsettled"))
"""The venue says no, and not why: nothing is concluded from it."""
REASONS = {**PREVIEW.words, **NEW_ORDER.words}


KINDS: tuple[RefusalKind, ...] = get_args(RefusalKind)


def classify_refusal(reason: str) -> RefusalKind:
    """`lasting` where nothing is known of it, nor of its twin: then the same order is not sent over and over."""
    return take_kind(REASONS.get(reason) or REASONS.get(reason.removeprefix("PREVIEW_"), "lasting"))


def take_kind(meaning: str) -> RefusalKind:
    """What a refusal is where the order itself is not asked for."""
    return next((kind for kind in KINDS if kind == meaning), "lasting")
