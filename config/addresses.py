"""DATABASE_URL and REDIS_URL, as Django, redis-py and Celery want them. What cannot be used stops the start, and no
message repeats an address, because it may hold a password."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from redis.connection import parse_url

REDIS_SCHEMES = ("redis", "rediss", "unix")
REDIS_OPTIONS = ("db", "client_name", "health_check_interval")
"""What may follow the question mark, besides `ssl_...`. Time-outs may not: each use in the desk has its own."""
CERTIFICATES = ("required", "optional", "none")
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")


def database_settings(url: str, *, connections: int, pooled: bool) -> dict[str, Any]:
    """A PostgreSQL address, `postgresql://user:password@host:port/name` or `...?host=/socket/folder`, as Django wants it.
    Statements that orders wait for are planned by the server once for each connection, when they are used a second time. A pooler
    that hands a server's connection from one client to another (`pooled`) cannot tell whose plan or cursor it is, so behind it
    there are none; `?prepare_threshold=none` says the same."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured(
            "DATABASE_URL must be a PostgreSQL address, postgresql://user:password@host:port/name; "
            "no other database is supported, because money must not be rounded."
        )
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host, often = options.pop("host", parts.hostname or ""), options.pop("prepare_threshold", "1")
    options["prepare_threshold"] = int(often) if often.isdigit() and not pooled else None
    if connections:
        options["pool"] = {"min_size": 0, "max_size": connections}
    return {
        "ENGINE": "django_prometheus.db.backends.postgresql",
        "NAME": parts.path.lstrip("/") or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": parts.port or "",
        "OPTIONS": options,
        # A restart or failover of the database leaves dead connections in the pool: each is looked at before it is handed out.
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": options["prepare_threshold"] is None,
    }


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """One database of one Redis. `url` is redis-py's, `celery` is Celery's, which wants what it needs for TLS apart."""

    url: str
    celery: str
    tls: dict[str, Any]


def redis_address(url: str) -> RedisAddress:
    """REDIS_URL read and checked."""
    parts = urlsplit(url)
    if parts.scheme not in REDIS_SCHEMES:
        raise ImproperlyConfigured(
            f"REDIS_URL must begin with redis://, rediss:// (TLS) or unix://, not with {parts.scheme}://. Sentinel and Redis "
            "Cluster are not supported: name the address of one server that takes writes, such as the primary's, or of a proxy."
        )
    check_query(parts.scheme, dict(parse_qsl(parts.query, keep_blank_values=True)))
    read: Any = parse_url
    try:
        known = read(url)
    except ValueError:
        raise ImproperlyConfigured("REDIS_URL cannot be read. It is redis://user:password@host:port/number.") from None
    number = known.get("db", 0)
    if parts.scheme == "unix":
        return RedisAddress(url, f"redis+socket://{parts.netloc}{parts.path}?virtual_host={number}", {})
    if not re.fullmatch(r"/?\d*", parts.path):
        raise ImproperlyConfigured("REDIS_URL ends with the number of a database: redis://host:port/0.")
    tls = {name: value for name, value in known.items() if name.startswith("ssl_")}
    if parts.scheme == "rediss":
        # Celery would connect without a look at the certificate, where it is told nothing.
        tls.setdefault("ssl_cert_reqs", "required")
    return RedisAddress(url, f"{parts.scheme}://{parts.netloc}/{number}", tls)


def check_query(scheme: str, given: dict[str, str]) -> None:
    """Raises ImproperlyConfigured for what follows the question mark and cannot be honoured."""
    for name, value in given.items():
        if name.startswith("ssl_") and scheme != "rediss":
            raise ImproperlyConfigured(f"REDIS_URL has {name}, and no TLS. Begin it with rediss://, or leave {name} out.")
        if not name.startswith("ssl_") and name not in REDIS_OPTIONS:
            raise ImproperlyConfigured(f"REDIS_URL cannot have {name}. After the ? may be ssl_..., {', '.join(REDIS_OPTIONS)}.")
        if name == "ssl_cert_reqs" and value not in CERTIFICATES:
            raise ImproperlyConfigured(f"ssl_cert_reqs of REDIS_URL must be one of {', '.join(CERTIFICATES)}.")
        if name in TLS_FILES and not Path(value).is_file():
            raise ImproperlyConfigured(f"{name} of REDIS_URL names a file that is not there: {value}")


def redis_prefix(secret: str, database: str) -> str:
    """What the names of this desk begin with in Redis. Another desk there has another secret or another database, so neither takes
    the other's tasks; the processes of one desk share both."""
    digest = hmac.new(secret.encode(), f"redis {database}".encode(), hashlib.sha256).hexdigest()
    return f"qd-{digest[:10]}"
