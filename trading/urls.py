"""Strategies over the API."""

from django.urls import URLPattern, path

from trading import api

app_name = "trading"

urlpatterns: list[URLPattern] = []

api_urlpatterns: list[URLPattern] = [path("strategies", api.StrategiesView.as_view(), name="strategies")]
