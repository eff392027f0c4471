"""The only door to the channel layer. A push is at most once: it carries ids and a small payload, facts are rows."""

from __future__ import annotations

import logging
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def push(group: str, kind: str, **payload: Any) -> None:
    """Tell every page that listens to `group`. A channel layer that is down costs the push, never the caller's work."""
    layer = get_channel_layer()
    if layer is None:
        return
    try:
        async_to_sync(layer.group_send)(group, {"type": "pushed", "kind": kind, "payload": payload})
    except (RedisError, OSError):
        logger.warning("push %s to %s was lost: the channel layer does not answer", kind, group)
