"""Bots, orders, fills, positions, risk: the running desk."""

from trading.moved import keep_old_names

keep_old_names()
