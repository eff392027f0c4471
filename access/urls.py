"""API tokens."""

from django.urls import URLPattern

app_name = "access"

urlpatterns: list[URLPattern] = []

api_urlpatterns: list[URLPattern] = []
