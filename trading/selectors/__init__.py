"""Reading the running desk: for pages, the API and the sockets alike, in a constant number of queries each."""

from trading.selectors.allotment import Allotment, allotment_with
from trading.selectors.bots import BotRow, bot_get, bot_json, bot_rows, bots_matching, bots_page, status_json
from trading.selectors.effects import ACTIONS, bot_effects
from trading.selectors.events import (
    Link,
    decision_chain,
    event_json,
    events_matching,
    events_page,
    link_json,
)
from trading.selectors.filters import Filter, PageOf
from trading.selectors.freshness import Prices, prices_json, prices_state
from trading.selectors.live import Holdings, Portfolio, desk_portfolio, portfolio_json, wallet_mode
from trading.selectors.orders import (
    block_json,
    block_reasons,
    blocks_matching,
    blocks_page,
    fill_json,
    fills_matching,
    fills_page,
    foreign_orders,
    order_get,
    order_json,
    orders_matching,
    orders_page,
    orders_unknown,
)
from trading.selectors.performance import bot_performance, equity_curve, run_json, runs_of, sales_summary
from trading.selectors.risk import budget_free, budget_json, budget_share, kill_switch, risk_budgets, switch_json
from trading.selectors.status import STATUSES, BotStatus, bot_status, streams_by_feed
from trading.selectors.valuation import Valued, position_json, positions_open, positions_valued

__all__ = [
    "ACTIONS",
    "STATUSES",
    "Allotment",
    "BotRow",
    "BotStatus",
    "Filter",
    "Holdings",
    "Link",
    "PageOf",
    "Portfolio",
    "Prices",
    "Valued",
    "allotment_with",
    "block_json",
    "block_reasons",
    "blocks_matching",
    "blocks_page",
    "bot_effects",
    "bot_get",
    "bot_json",
    "bot_performance",
    "bot_rows",
    "bot_status",
    "bots_matching",
    "bots_page",
    "budget_free",
    "budget_json",
    "budget_share",
    "decision_chain",
    "desk_portfolio",
    "equity_curve",
    "event_json",
    "events_matching",
    "events_page",
    "fill_json",
    "fills_matching",
    "fills_page",
    "foreign_orders",
    "kill_switch",
    "link_json",
    "order_get",
    "order_json",
    "orders_matching",
    "orders_page",
    "orders_unknown",
    "portfolio_json",
    "position_json",
    "positions_open",
    "positions_valued",
    "prices_json",
    "prices_state",
    "risk_budgets",
    "run_json",
    "runs_of",
    "sales_summary",
    "status_json",
    "streams_by_feed",
    "switch_json",
    "wallet_mode",
]
