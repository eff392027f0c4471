"""Market data: pages under /market/, API under /api/v1/market/."""

from django.urls import URLPattern, path

from market import api, views

app_name = "market"

urlpatterns: list[URLPattern] = [
    path("", views.series_list, name="list"),
    path("series/<int:pk>/", views.series_detail, name="detail"),
    path("series/<int:pk>/candles.json", views.series_candles, name="candles"),
    path("series/<int:pk>/delete/", views.series_delete, name="delete"),
    path("import/", views.import_new, name="import"),
    path("imports/", views.imports, name="imports"),
    path("imports/<int:pk>/", views.import_detail, name="import_detail"),
]

api_urlpatterns: list[URLPattern] = [
    path("market/symbols", api.SymbolsView.as_view(), name="market_symbols"),
    path("market/candles", api.CandlesView.as_view(), name="market_candles"),
    path("market/imports", api.ImportsView.as_view(), name="market_imports"),
]
