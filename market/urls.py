"""Market data: pages under /market/, API under /api/v1/market/."""

from django.urls import URLPattern

app_name = "market"

urlpatterns: list[URLPattern] = []

api_urlpatterns: list[URLPattern] = []
