"""Bots and what came of them: runs, orders, fills, positions and risk.

Prices, quantities and money are exact. `trading.services` writes these rows, and nothing else does.
"""

from trading.models.bots import EXTERNAL, Bot, BotRun, BotState, DesiredStatus, Mode
from trading.models.days import BotDay, WalletDay
from trading.models.fields import amount_field
from trading.models.foreign_orders import ForeignOrder
from trading.models.orders import OPEN, Fill, Order, OrderStatus
from trading.models.positions import EquityPoint, Position, PositionSnapshot
from trading.models.risk import AllocationStatus, BlockEvent, KillSwitch, RiskAllocation, RiskBudget

__all__ = [
    "EXTERNAL",
    "OPEN",
    "AllocationStatus",
    "BlockEvent",
    "Bot",
    "BotDay",
    "BotRun",
    "BotState",
    "DesiredStatus",
    "EquityPoint",
    "Fill",
    "ForeignOrder",
    "KillSwitch",
    "Mode",
    "Order",
    "OrderStatus",
    "Position",
    "PositionSnapshot",
    "RiskAllocation",
    "RiskBudget",
    "WalletDay",
    "amount_field",
]
