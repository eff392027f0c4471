"""The running desk in the admin: bots, what came of them, risk, events."""

from trading.admin import bots, records, risk

__all__ = ["bots", "records", "risk"]
