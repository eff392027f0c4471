"""What can go wrong between us and a chain."""

from __future__ import annotations


class ChainError(Exception):
    """A node did not answer, answered wrongly, or speaks for another chain. Another one may do better."""


class TipMoved(ChainError):
    """The chain went on, or back, while it was read: what was read is not of one moment."""
