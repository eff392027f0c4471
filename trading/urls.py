"""Strategies over the API."""

from django.urls import URLPattern

app_name = "trading"

urlpatterns: list[URLPattern] = []

api_urlpatterns: list[URLPattern] = []
