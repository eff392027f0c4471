"""Signing in, with guessing held up, and another password."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from access import sign_in
from access.audit import audit_record


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class SignInView(LoginView):
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        wait = sign_in.attempt_wait(request, request.POST.get("username", ""))
        if wait is None:
            return super().post(request, *arguments, **named)
        answer = render(request, "registration/throttled.html", {"wait": wait}, status=429)
        answer.headers["Retry-After"] = str(wait)
        return answer

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_valid(form)
        user = form.get_user()
        assert isinstance(user, User)
        sign_in.remember_browser(self.request, response, user)
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        if "password" in form.cleaned_data:
            sign_in.failure_note(self.request, self.request.POST.get("username", ""))
        return super().form_invalid(form)


class PasswordView(PasswordChangeView):
    """For everyone who is signed in. This session goes on; all others of the person, and all tokens, end by it."""

    template_name = "registration/password.html"
    success_url = reverse_lazy("home")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        answer = super().form_valid(form)
        audit_record(self.request.user, "change password")
        messages.success(self.request, "Your password is changed. Other sessions and all your API tokens have ended.")
        return answer
