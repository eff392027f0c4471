"""Backtests and sweeps: pages under /backtests/, API under /api/v1/, WebSockets under /ws/."""

from django.urls import URLPattern

app_name = "backtests"

urlpatterns: list[URLPattern] = []

api_urlpatterns: list[URLPattern] = []

websocket_urlpatterns: list[URLPattern] = []
