"""Who listens: WebSocket paths and their consumers."""

from channels.routing import URLRouter

from access.sockets import SignIn
from backtests.urls import websocket_urlpatterns as backtests_sockets
from config.backpressure import with_backpressure
from market.urls import websocket_urlpatterns as market_sockets
from trading.urls import websocket_urlpatterns as trading_sockets

websocket_application = with_backpressure(SignIn(URLRouter([*backtests_sockets, *market_sockets, *trading_sockets])))
