"""Movements: money that comes to an account or leaves it by other ways than trading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

MovementKind = Literal["deposit", "withdrawal", "conversion", "dust", "transfer", "reward", "rebate", "other"]
"""`dust`: small amounts that were turned into one asset. `transfer`: to or from another wallet or portfolio of the same owner at
the venue. `other` is a word of the venue that the desk does not know: it is shown, and nothing is concluded from it."""
MovementState = Literal["pending", "done", "failed", "other"]
"""`failed` also stands for what was cancelled, refused or taken back. `other` is as above."""


@dataclass(frozen=True, slots=True)
class MovementLeg:
    """What the account has more of an asset (less, below zero), before the fee."""

    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement, as the venue tells it. `reference` is its id there, unique within the account."""

    reference: str
    kind: MovementKind
    state: MovementState
    time: datetime
    """When it began: by this the venue lists it."""
    moved_at: datetime | None
    """When the balance changed; None: not yet, or the venue does not say."""
    legs: tuple[MovementLeg, ...]
    fee: Decimal = Decimal(0)
    """On top of the legs, in `fee_asset`."""
    fee_asset: str = ""
    network: str = ""
    address: str = ""
    """Where it went to, or came in."""
    txid: str = ""
    """Of the chain, or whatever the venue writes in its place."""
    words: str = ""
    """The venue's own words for its kind and state."""
    elsewhere: str = ""
    """The other wallet at the venue whose money it was, such as funding; empty: it was the one that orders are paid from."""
