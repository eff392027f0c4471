"""API tokens."""

from django.urls import URLPattern, path

from access import api

app_name = "access"

urlpatterns: list[URLPattern] = []

api_urlpatterns = [
    path("auth/tokens", api.TokensView.as_view(), name="api_tokens"),
    path("auth/tokens/<int:token_id>", api.TokenView.as_view(), name="api_token"),
]
