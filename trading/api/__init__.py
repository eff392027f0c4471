"""Strategies, bots and the running desk over the API."""

from trading.api.bots import (
    BotCloseView,
    BotPauseView,
    BotPerformanceView,
    BotStartView,
    BotStatusView,
    BotStopView,
    BotsView,
    BotView,
)
from trading.api.events import ChainView, EventsView
from trading.api.live import (
    BlockReasonsView,
    BlocksView,
    CancelView,
    FillsView,
    KillSwitchView,
    OrdersView,
    PortfolioView,
    PositionsView,
    RiskBudgetView,
)
from trading.api.portfolio import HistoryView, ReportView
from trading.api.reconciliation import DriftResolveView, DriftsView, ReconcileHistoryView, ReconcileView
from trading.api.strategies import StrategiesView

__all__ = [
    "BlockReasonsView",
    "BlocksView",
    "BotCloseView",
    "BotPauseView",
    "BotPerformanceView",
    "BotStartView",
    "BotStatusView",
    "BotStopView",
    "BotView",
    "BotsView",
    "CancelView",
    "ChainView",
    "DriftResolveView",
    "DriftsView",
    "EventsView",
    "FillsView",
    "HistoryView",
    "KillSwitchView",
    "OrdersView",
    "PortfolioView",
    "PositionsView",
    "ReconcileHistoryView",
    "ReconcileView",
    "ReportView",
    "RiskBudgetView",
    "StrategiesView",
]
