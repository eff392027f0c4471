"""Asks for the sign-in on every page and ends one that nobody uses, keeps answers out of caches, and turns domain errors into plain
answers."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import resolve
from rest_framework.response import Response

from access.sessions import session_extend
from config.errors import status_of
from core.errors import DomainError

# The API answers 401 itself. The others must work for people who are not signed in yet.
OPEN_PATHS = ("/sign-in/", "/static/", "/api/", "/health/", "/metrics", "/favicon.ico")


PROBES = ("/api/v1/health/live", "/api/v1/health/ready")


class HealthProbes:
    """Answers health checks before anything else: an orchestrator asks by address, without a host name that we know and without the
    headers of a proxy. They tell nothing that depends on who asks."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path not in PROBES:
            return self.get_response(request)
        answer: Response = resolve(request.path).func(request)
        answer.render()
        return answer


class SignInRequired:
    """Nobody sees a page without signing in. An HTMX request is told to load the whole sign-in page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated or request.path.startswith(OPEN_PATHS):
            return self.get_response(request)
        if request.headers.get("HX-Request"):
            page = urlsplit(request.headers.get("HX-Current-URL", "")).path or "/"
            return HttpResponse(status=401, headers={"HX-Redirect": f"/sign-in/?{urlencode({'next': page})}"})
        return redirect_to_login(request.get_full_path())


class SessionUse:
    """A session that is used goes on; one that nobody uses ends by itself (`access.sessions`)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        session_extend(request)
        return response


class NotStored:
    """Pages and answers of the API stay out of every cache, the browser's too: they are for one person, now."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response.headers["Cache-Control"] = "no-store"
        return response


class DomainErrors:
    """A domain error that a view does not catch becomes a page with the right status that says what to do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, DomainError):
            return None
        if not request.headers.get("HX-Request"):
            return render(request, "errors/domain.html", {"error": error}, status=status_of(error))
        answer = render(request, "errors/_fragment.html", {"error": error}, status=status_of(error))
        # Tells the page's script that the body is a toast, to be shown as it is.
        answer.headers["X-Fragment"] = "toast"
        return answer
