"""The running desk in the admin: bots, their orders and fills, risk, events."""

from trading.admin import bots, days, records, risk

__all__ = ["bots", "days", "records", "risk"]
