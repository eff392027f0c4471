"""The admin site: the cockpit, in the desk's own frame."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from operations.state import desk_state


class QuarterdeckAdminSite(admin.AdminSite):
    site_header = site_title = "Quarterdeck"
    index_title = "Admin"
    # The desk's own navigation leads everywhere, so Django's sidebar and theme switch are left out.
    enable_nav_sidebar = False

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The desk's state, then the records. HTMX asks for the state only."""
        if request.headers.get("HX-Request"):
            return TemplateResponse(request, "desk/_state.html", desk_state())
        return super().index(request, {**desk_state(), **(extra_context or {})})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """One sign-in page for the whole desk. Somebody who comes here signed in lacks the permission."""
        if request.user.is_authenticated:
            raise PermissionDenied
        target = request.GET.get("next", reverse("admin:index"))
        return redirect(f"{reverse('sign_in')}?{urlencode({'next': target})}")
