"""Moments of cost basis: microseconds since 1970."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.times import EPOCH


def to_microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_microseconds(ts: int) -> datetime:
    return EPOCH + timedelta(microseconds=ts)
