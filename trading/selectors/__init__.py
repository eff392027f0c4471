"""Reading the running desk: for pages, the API and the sockets alike, in a constant number of queries each."""

from trading.selectors.bots import BotRow, bot_get, bot_json, bot_rows, bots, bots_page, status_json
from trading.selectors.effects import ACTIONS, bot_effects
from trading.selectors.events import (
    Link,
    chain,
    event_json,
    events,
    events_page,
    link_json,
)
from trading.selectors.filters import Filter, Page
from trading.selectors.freshness import Prices, prices_json, prices_state
from trading.selectors.live import Holdings, Portfolio, portfolio, portfolio_json, portfolio_of
from trading.selectors.orders import (
    block_json,
    block_reasons,
    blocks,
    blocks_page,
    fill_json,
    fills,
    fills_page,
    foreign_orders,
    order_get,
    order_json,
    orders,
    orders_page,
    orders_unknown,
)
from trading.selectors.performance import equity_curve, performance, run_json, runs_of, sales
from trading.selectors.risk import budget_free, budget_json, budget_share, kill_switch, risk_budgets, switch_json
from trading.selectors.status import STATUSES, Status, bot_status, streams_by_feed
from trading.selectors.valuation import Valued, position_json, positions_open, positions_valued

__all__ = [
    "ACTIONS",
    "STATUSES",
    "BotRow",
    "Filter",
    "Holdings",
    "Link",
    "Page",
    "Portfolio",
    "Prices",
    "Status",
    "Valued",
    "block_json",
    "block_reasons",
    "blocks",
    "blocks_page",
    "bot_effects",
    "bot_get",
    "bot_json",
    "bot_rows",
    "bot_status",
    "bots",
    "bots_page",
    "budget_free",
    "budget_json",
    "budget_share",
    "chain",
    "equity_curve",
    "event_json",
    "events",
    "events_page",
    "fill_json",
    "fills",
    "fills_page",
    "foreign_orders",
    "kill_switch",
    "link_json",
    "order_get",
    "order_json",
    "orders",
    "orders_page",
    "orders_unknown",
    "performance",
    "portfolio",
    "portfolio_json",
    "portfolio_of",
    "position_json",
    "positions_open",
    "positions_valued",
    "prices_json",
    "prices_state",
    "risk_budgets",
    "run_json",
    "runs_of",
    "sales",
    "status_json",
    "streams_by_feed",
    "switch_json",
]
