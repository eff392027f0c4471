"""The metrics of the trading desk, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

FAST = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0)

orders = Counter("orders", "Orders, by what became of them.", ["venue", "status"])
fills = Counter("fills", "Executions booked.", ["venue"])
blocked = Counter("trades_blocked", "Orders that we did not send.", ["reason"])
tick_seconds = Histogram("tick_processing_seconds", "One tick through all bots of its symbol.", buckets=(0.00005, 0.0002, *FAST))
evaluation_seconds = Histogram("bot_evaluation_seconds", "One closed candle through one bot.", buckets=FAST)
submit_seconds = Histogram(
    "order_submit_seconds",
    "From the frame received, or where none set it off from the order recorded, to the order sent.",
    ["venue"],
    buckets=(*FAST, 5.0, 30.0),
)
backlog = Gauge("bot_evaluation_backlog", "Decisions waiting for their turn.")
bot_pnl = Gauge("bot_pnl", "Profit of a bot, realised and not, in quote.", ["bot"])
connection_status = Gauge("websocket_connection_status", "1 while the venue's market stream is connected.", ["source"])
reconnections = Counter(
    "websocket_reconnections", "Attempts to open a lost market stream again: success or failure.", ["source", "status"]
)
ticks = Counter("market_ticks", "Prices heard.", ["venue"])
breaker_state = Gauge("circuit_breaker_state", "Of requests to a venue: 0 closed, 1 half open, 2 open.", ["venue"])
clock_offset = Gauge("exchange_clock_offset_seconds", "How far the venue's clock is ahead of ours.", ["venue"])
cache_hits = Counter("account_cache_hits", "Questions for an account's balances that the cache answered.")
cache_misses = Counter("account_cache_misses", "Questions for an account's balances that went to the venue.")
requests = Counter("exchange_requests", "Requests to venues, by their outcome.", ["venue", "code"])
