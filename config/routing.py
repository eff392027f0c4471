"""Who listens: WebSocket paths and their consumers."""

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from backtests.urls import websocket_urlpatterns as backtests_sockets

websocket_application = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(backtests_sockets)))
