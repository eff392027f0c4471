"""Who listens: WebSocket paths and their consumers."""

from typing import Any

from channels.routing import URLRouter
from django.urls import re_path

from access.sockets import SignIn
from backtests.urls import websocket_urlpatterns as backtests_sockets
from config.backpressure import with_backpressure
from core.sockets import refuse_unknown
from market.urls import websocket_urlpatterns as market_sockets
from trading.urls import websocket_urlpatterns as trading_sockets

# An ASGI application is no view to the types, and is one to Channels.
nowhere: Any = refuse_unknown
routes = [*backtests_sockets, *market_sockets, *trading_sockets, re_path("", nowhere)]
websocket_application = with_backpressure(SignIn(URLRouter(routes)))
