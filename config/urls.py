"""Every address of the desk: pages, admin, API, health, metrics."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.negotiation import DefaultContentNegotiation

from access.urls import api_urlpatterns as access_api
from access.views import PasswordView, SignInView
from backtests.urls import api_urlpatterns as backtests_api
from backtests.urls import bot_urlpatterns
from market.urls import api_urlpatterns as market_api
from operations import views
from operations.api import HealthLiveView, HealthReadyView
from operations.metrics import metrics
from trading.urls import api_urlpatterns as trading_api
from wallets.urls import api_urlpatterns as wallets_api

api = [
    *access_api,
    *backtests_api,
    *market_api,
    *trading_api,
    *wallets_api,
    path("schema/", SpectacularAPIView.as_view(content_negotiation_class=DefaultContentNegotiation), name="schema"),
    path("docs/", views.api_docs, name="docs"),
    path("health/live", HealthLiveView.as_view(), name="health_live"),
    path("health/ready", HealthReadyView.as_view(), name="health_ready"),
]

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("sign-in/", SignInView.as_view(), name="sign_in"),
    path("password/", PasswordView.as_view(), name="password"),
    path("sign-out/", auth_views.LogoutView.as_view(), name="sign_out"),
    path("backtests/", include("backtests.urls")),
    path("market/", include("market.urls")),
    path("", include("trading.urls")),
    path("bots/", include((bot_urlpatterns, "comparison"))),
    path("wallets/", include("wallets.urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", include(api)),
    path("metrics", metrics, name="metrics"),
    path("favicon.ico", views.show_icon, name="favicon"),
]

# Under /api/ these answer in the API's own shape, elsewhere with a page.
handler400, handler404, handler500 = "config.errors.answer_400", "config.errors.answer_404", "config.errors.answer_500"
