"""Whether the desk answers, for orchestrators: without sign-in, and never counted."""

from __future__ import annotations

from django.core.cache import cache
from django.db import DatabaseError, connection
from redis.exceptions import RedisError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint
from core.shapes import FLAG, choice_shape, name_object

LIVE = name_object("Alive", {"status": "ok"}, status=choice_shape(["ok"]))
READY = name_object(
    "Readiness",
    {"status": "ok", "database": True, "broker": True},
    status=choice_shape(["ok", "unavailable"]),
    database=FLAG,
    broker=FLAG,
)


class HealthView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()


class HealthLiveView(HealthView):
    @describe_endpoint(summary="Whether the process answers", scope=None, answer=LIVE)
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class HealthReadyView(HealthView):
    @describe_endpoint(
        summary="Whether database and broker answer",
        description="503 names the one that does not.",
        scope=None,
        answer=READY,
        also={503: READY},
    )
    def get(self, request: Request) -> Response:
        checks = {"database": database_answers(), "broker": broker_answers()}
        ready = all(checks.values())
        return Response({"status": "ok" if ready else "unavailable", **checks}, status=200 if ready else 503)


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
