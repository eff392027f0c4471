"""Wiring: settings, addresses, ASGI, Celery, and the one map from domain error to answer. No app imports it."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
