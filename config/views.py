"""The front door and the health checks."""

from __future__ import annotations

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from redis.exceptions import RedisError


def home(request: HttpRequest) -> HttpResponse:
    return redirect("backtests:list")


def health_live(request: HttpRequest) -> JsonResponse:
    """200 while the process answers."""
    return JsonResponse({"status": "ok"})


def health_ready(request: HttpRequest) -> JsonResponse:
    """200 when database and broker answer, 503 naming the one that does not."""
    checks = {"database": database_answers(), "broker": broker_answers()}
    ready = all(checks.values())
    return JsonResponse({"status": "ok" if ready else "unavailable", **checks}, status=200 if ready else 503)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def broker_answers() -> bool:
    try:
        cache.get("health")
    except RedisError:
        return False
    return True
