"""One map from what went wrong to what a program (API), a person (page) and a command line are told."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from core.errors import DomainError, Forbidden, Invalid, NotFound

logger = logging.getLogger(__name__)

STATUS: dict[type[DomainError], int] = {Invalid: 400, NotFound: 404, Forbidden: 403}
AWAY: dict[type[Exception], str] = {
    OperationalError: "database",
    InterfaceError: "database",
    RedisError: "broker",
    BrokerError: "broker",
}
"""What a request may find gone, and what that is called."""
AGAIN_AFTER = 2
"""Seconds after which a caller may look whether it is back."""


def status_of(error: DomainError) -> int:
    """The HTTP status of a domain error. It is 409 if the request was fine but the state forbids it."""
    return next((code for kind, code in STATUS.items() if isinstance(error, kind)), 409)


def error_body(code: str, message: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "fields": fields or {}}}


def api_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: every error leaves in the one shape that API.md promises."""
    if isinstance(error, DomainError):
        return Response(error_body(error.code, str(error), error.fields), status=status_of(error))
    if away := next((word for kind, word in AWAY.items() if isinstance(error, kind)), None):
        logger.warning("a request is answered with 503: the %s does not answer: %s", away, error)
        told = error_body("unavailable", f"The {away} does not answer at present. Nothing was done; try again in a moment.")
        return Response(told, status=503, headers={"Retry-After": str(AGAIN_AFTER)})
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    response = exception_handler(error, context)
    if response is None or not isinstance(error, exceptions.APIException):
        return response
    if isinstance(error, exceptions.ValidationError):
        fields = response.data if isinstance(response.data, dict) else {"non_field_errors": response.data}
        message = "The request has fields that cannot be used."
        return Response(error_body("invalid", message, fields), status=status.HTTP_400_BAD_REQUEST, headers=response.headers)
    code = error.get_codes()
    response.data = error_body(code if isinstance(code, str) else "error", str(error.detail))
    return response


def answer_400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that Django itself refuses, before any view."""
    if is_of_api(request):
        return JsonResponse(error_body("invalid", "The request cannot be read."), status=400)
    return defaults.bad_request(request, exception)


def answer_404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """An address that nothing has."""
    if is_of_api(request):
        message = f"Nothing has the address {request.path[:200]}. /api/v1/docs/ lists those there are."
        return JsonResponse(error_body("not_found", message), status=404)
    return defaults.page_not_found(request, exception)


def answer_500(request: HttpRequest) -> HttpResponse:
    """A fault of ours; what it was is in the log alone."""
    if is_of_api(request):
        return JsonResponse(error_body("error", "The desk failed at this request. Its log says why."), status=500)
    return defaults.server_error(request)


def is_of_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
