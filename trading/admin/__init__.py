"""The running desk in the admin: bots, their orders and fills, risk, events."""

from trading.admin import bots, records, risk

__all__ = ["bots", "records", "risk"]
