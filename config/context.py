"""What the frame around every page shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from access.rights import has_right, role_of
from access.scopes import scopes_of
from trading.parts import bar_state

THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation: a page that exists. The keys "g" and then `key` lead there."""

    label: str
    page: str
    icon: str
    key: str
    staff: bool = False


PLACES = (
    Place("Live", "trading:live", "live", "l"),
    Place("Bots", "trading:bots", "bots", "r"),
    Place("Overview", "home", "overview", "o"),
    Place("Backtests", "backtests:list", "backtests", "b"),
    Place("Market", "market:list", "market", "m"),
    Place("Wallets", "wallets:list", "wallets", "w"),
    Place("Portfolio", "trading:portfolio", "portfolio", "p"),
    Place("Admin", "admin:index", "admin", "a", staff=True),
)


def page_frame(request: HttpRequest) -> dict[str, Any]:
    """The theme (empty for the system's), the navigation, and the menu of the person who is signed in."""
    theme = request.COOKIES.get("theme", "")
    context: dict[str, Any] = {"theme": theme if theme in THEMES else ""}
    # An error page may be drawn before the middleware that finds the person has run.
    if not hasattr(request, "user") or not request.user.is_authenticated:
        return context
    # The database is asked only if a page has the frame.
    context["desk"] = SimpleLazyObject(bar_state)
    context["navigation"] = [item for place in PLACES if (item := navigation_item(place, request))]
    context["person_menu"] = person_menu(request)
    context["may_trade"] = "trade" in scopes_of(request.user)
    context["role"] = role_of(request.user)
    return context


def navigation_item(place: Place, request: HttpRequest) -> dict[str, Any] | None:
    if place.staff and not request.user.is_staff:
        return None
    url = reverse(place.page)
    current = request.path == url if url == "/" else request.path.startswith(url)
    return {"label": place.label, "url": url, "icon": place.icon, "key": place.key, "current": current}


def person_menu(request: HttpRequest) -> list[dict[str, str]]:
    entries = [("API documentation", "docs", "code")]
    if request.user.is_staff and has_right(request.user, "access.view_apitoken"):
        entries.append(("API tokens", "admin:access_apitoken_changelist", "key"))
    entries.append(("Change password", "password", "pencil"))
    return [{"label": label, "url": reverse(page), "icon": icon} for label, page, icon in entries]
