"""All settings, for every way of running. Each value an operator may change is read from the environment (see .env.example)."""

from __future__ import annotations

import base64
import os
import re
import secrets
import socket
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry
from whitenoise.compress import Compressor

from config.addresses import database_settings, redis_address, redis_prefix
from core import env
from core.venues import venue_key
from market.exchanges.registry import VENUES

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = env.var_folder()


def kept_secret(name: str, fresh: str) -> str:
    """What var/`name` holds, for the owner's eyes only. At the first start `fresh` is written there."""
    path = VAR / name
    VAR.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # The file gets its name only when it is whole: if several processes start at once, the first key stays, and all read it.
        with NamedTemporaryFile("w", dir=VAR) as file, suppress(FileExistsError):
            file.write(fresh)
            file.flush()
            os.link(file.name, path)
    return path.read_text()


def secret_key() -> str:
    """SECRET_KEY, or one that was made at random on the first start."""
    return env.read_text("SECRET_KEY") or kept_secret("secret_key", secrets.token_urlsafe(50))


def encryption_keys() -> dict[str, bytes]:
    """ENCRYPTION_KEYS by id, or one that was made at random on the first start. The first one seals. No message repeats a key."""
    given = env.read_text("ENCRYPTION_KEYS") or kept_secret(
        "encryption_keys", f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    )
    keys: dict[str, bytes] = {}
    for number, item in enumerate(given.split(","), start=1):
        name, _, text = item.strip().partition(":")
        try:
            key = base64.b64decode(text, altchars=b"-_" if set(text) & set("-_") else None, validate=True)
        except ValueError:
            key = b""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name) or name in keys or len(key) != 32:
            raise ImproperlyConfigured(
                f"ENCRYPTION_KEYS must be id:key with commas between, each id once, each key 32 bytes in base64; {number} is not."
            )
        keys[name] = key
    return keys


SECRET_KEY = secret_key()
ENCRYPTION_KEYS = encryption_keys()
DEBUG = env.read_flag("DEBUG", False)
HOST = env.read_text("HOST", "127.0.0.1")
PORT = env.read_integer("PORT", 8000, least=1)
ALLOWED_HOSTS = env.read_words("ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]", HOST, socket.gethostname()])
CSRF_TRUSTED_ORIGINS = env.read_words("CSRF_TRUSTED_ORIGINS", [])
HTTPS = env.read_flag("HTTPS", False)
# How many proxies of our own add to X-Forwarded-For; a caller's own word on where it calls from counts for nothing.
PROXIES = env.read_integer("PROXIES", 0, least=0)

INSTALLED_APPS = [
    "daphne",
    "config.apps.QuarterdeckAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "config.apps.QuarterdeckStaticFilesConfig",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_prometheus",
    "django_htmx",
    "csp",
    "axes",
    "config",
    "operations",
    "core",
    "access",
    "market",
    "wallets",
    "trading",
    "backtests",
]

MIDDLEWARE = [
    "config.middleware.HealthProbes",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.NotStored",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.middleware.SessionUse",
    "config.middleware.SignInRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.DomainErrors",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.page_frame",
            ]
        },
    }
]

# operations.embedded sets both when the operator has not: PostgreSQL and Valkey on unix sockets under var/. Only for commands
# that need neither are they left out; the dummy engine then refuses at once instead of waiting for a server that is not there.
DATABASE_URL = env.read_text("DATABASE_URL")
REDIS_URL = env.read_text("REDIS_URL", f"unix://{VAR}/none.sock")

DATABASES: dict[str, dict[str, Any]] = {"default": {"ENGINE": "django.db.backends.dummy"}}
if DATABASE_URL:
    pooled = env.read_flag("TRANSACTION_POOLER", False)
    DATABASES["default"] = database_settings(DATABASE_URL, connections=env.read_integer("DATABASE_POOL", 8), pooled=pooled)

# Cache, channel layer, queues and the desk's own figures share one database of Redis, and the prefix keeps other desks out.
REDIS = redis_address(REDIS_URL)
REDIS_PREFIX = env.read_text("REDIS_PREFIX") or redis_prefix(SECRET_KEY, DATABASES["default"].get("NAME", ""))
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS.url,
        "KEY_PREFIX": REDIS_PREFIX,
        # Nobody waits for a cache: requests are counted without it then.
        "OPTIONS": {"socket_timeout": 0.25, "socket_connect_timeout": 0.25, "retry": Retry(NoBackoff(), 0)},
    }
}
CHANNEL_LAYERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # redis-py 8 gives sockets a timeout by default, which would break a receive that waits idle.
        "CONFIG": {"hosts": [{"address": REDIS.url, "socket_timeout": None}], "prefix": REDIS_PREFIX},
    }
}

CELERY_BROKER_URL = REDIS.celery
CELERY_BROKER_USE_SSL = REDIS.tls or None
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": f"{REDIS_PREFIX}:"}
TASKS_REDIS_URL = REDIS.url
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_TRACK_STARTED = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "operations.schedules:PatientScheduler"
CELERY_TIMEZONE = "UTC"
# The database scheduler takes these over at its start. A message that no worker took in time is dropped: the next one follows.
CELERY_BEAT_SCHEDULE = {
    "find lost backtests": {"task": "backtests.tasks.runs_sweep_lost", "schedule": 10.0, "options": {"expires": 10}},
    "find lost chunks of sweeps": {"task": "backtests.tasks.sweeps_sweep_lost", "schedule": 10.0, "options": {"expires": 10}},
    "find lost imports": {"task": "market.tasks.imports_sweep_lost", "schedule": 10.0, "options": {"expires": 10}},
    "drive replays": {"task": "trading.tasks.replays_ensure", "schedule": 3.0, "options": {"expires": 3}},
    "write what wallets are worth": {"task": "wallets.tasks.values_ensure", "schedule": 300.0, "options": {"expires": 300}},
    "read watched wallets": {"task": "wallets.tasks.watches_read", "schedule": 300.0, "options": {"expires": 300}},
    "reconcile wallets": {"task": "trading.tasks.wallets_reconcile", "schedule": 900.0, "options": {"expires": 900}},
    "check exchange keys": {"task": "trading.tasks.accounts_check", "schedule": 3600.0, "options": {"expires": 3600}},
    "fetch movements": {"task": "wallets.tasks.movements_fetch_all", "schedule": 600.0, "options": {"expires": 600}},
    "delete orphaned files": {"task": "backtests.tasks.artifacts_sweep", "schedule": 3600.0, "options": {"expires": 3600}},
    "delete orphaned candles": {"task": "market.tasks.candles_sweep", "schedule": 3600.0, "options": {"expires": 3600}},
}

LANGUAGE_CODE = "en"
USE_I18N = False
DATE_FORMAT, TIME_FORMAT, DATETIME_FORMAT = "Y-m-d", "H:i", "Y-m-d H:i"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
_charts = find_spec("litecharts")
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *([("vendor/lightweight-charts", Path(_charts.origin).parent / "js")] if _charts and _charts.origin else []),
]
MEDIA_ROOT = Path(env.read_text("MEDIA_ROOT", str(VAR / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.storage.StaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")
# Uploads of candle files: beyond this they go to disk while they arrive, and beyond the limit they are refused.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
IMPORT_MAX_BYTES = env.read_integer("IMPORT_MAX_MB", 512, least=1) * 1024 * 1024
# Ten million candles are nineteen years of minutes.
IMPORT_MAX_ROWS = env.read_integer("IMPORT_MAX_ROWS", 10_000_000, least=1)
IMPORT_MAX_MEMORY = env.read_integer("IMPORT_MAX_MEMORY_MB", 4096, least=64) * 1024 * 1024
IMPORT_TIME_LIMIT_SECONDS = env.read_integer("IMPORT_TIME_LIMIT_SECONDS", 300, least=1)
# So long the API waits for a worker before it answers that an import is under way.
IMPORT_ANSWER_SECONDS = 2.0

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign_in"
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "access.addresses.client_address"
AXES_WHITELIST_CALLABLE = "access.sign_in.known_attempt"
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_VERBOSE = False

# A session ends so many minutes after a person's last own step: what a page fetches by itself keeps nobody signed in.
SESSION_ENGINE = "access.sessions"
SESSION_COOKIE_AGE = env.read_integer("SESSION_IDLE_MINUTES", 720, least=1) * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
# Of names below the desk's own. Whether a whole domain is put on the browsers' list is for its owner to say, so W021 is silent.
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "access.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["access.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "access.negotiation.AnswerInJSON",
    "DEFAULT_PARSER_CLASSES": ["access.parsers.DeskJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "access.openapi.DeskSchema",
    "EXCEPTION_HANDLER": "config.errors.api_error",
    "DEFAULT_THROTTLE_CLASSES": ["access.throttles.CallerThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "user": env.read_text("API_RATE", "6000/min"),
        "sign_in": "10/min",
        "sign_in_page": "20/min",
        "sign_in_name": "30/hour",
        "sign_in_known": "20/min",
        "wrong_token": "30/min",
    },
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Quarterdeck API",
    "VERSION": "1",
    "DESCRIPTION": "Research, backtest and run crypto trading bots. Times are ISO-8601 UTC; money and prices are decimal strings.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "OAS_VERSION": "3.1.0",
    "POSTPROCESSING_HOOKS": ["access.openapi.complete_document"],
}

# Open WebSockets of one API token in one web process.
SOCKETS_PER_TOKEN = env.read_integer("SOCKETS_PER_TOKEN", 32, least=1)
# Who may read /metrics besides people who are signed in: whoever has this token, and these addresses and networks.
METRICS_TOKEN = env.read_text("METRICS_TOKEN")
METRICS_FROM = env.read_networks("METRICS_FROM", ["127.0.0.0/8", "::1"])

# A run that has not shown a sign of life for this long is taken for lost (its worker died).
RUN_LOST_AFTER_SECONDS = env.read_integer("RUN_LOST_AFTER_SECONDS", 30, least=5)
RUN_TIME_LIMIT_SECONDS = env.read_integer("RUN_TIME_LIMIT_SECONDS", 600, least=1)

# Mode live needs this switch and the bot's own.
LIVE_TRADING = env.read_flag("LIVE_TRADING", False)
# What the desk is valued in until a person chooses another currency.
REPORTING_CURRENCY = env.read_asset("REPORTING_CURRENCY", "USD")
# Symbols whose prices are followed even when no bot trades them, by venue.
WATCHLIST: dict[str, list[str]] = {
    venue_key(venue.key, "sandbox"): list(venue.watchlist) for venue in VENUES.values() if venue.watchlist
}
# Seconds between two looks at orders without an answer, and between two comparisons of open orders with the venue's.
SWEEP_SECONDS = env.read_number("SWEEP_SECONDS", 1.0, least=0.01)
COMPARE_SECONDS = env.read_number("COMPARE_SECONDS", 30.0, least=0.1)
# From which value, in the wallet's currency, or share of the wallet a difference with the venue is an alert, and its bots hold.
DRIFT_ALERT = {
    "value": env.read_number("DRIFT_ALERT_VALUE", 10.0),
    "share": env.read_number("DRIFT_ALERT_SHARE", 0.001),
}
DRIFT_HOLD = {
    "value": env.read_number("DRIFT_HOLD_VALUE", 1000.0),
    "share": env.read_number("DRIFT_HOLD_SHARE", 0.05),
}
# A strategy that computes for so long at one close is interrupted, and its bot stopped.
STRATEGY_SECONDS = env.read_integer("STRATEGY_SECONDS", 10, least=1)
# In dollars, what may be at risk at once, of a wallet and of the desk, in modes without real money, until a person sets another
# limit. In other currencies there is none before that.
RISK_BUDGET = env.read_integer("RISK_BUDGET", 1_000_000, least=1)

# Nodes of chains, asked in turn, such as ethereum=https://node.example.org: those in the admin come before them, public ones after.
CHAIN_ENDPOINTS = env.read_lists("CHAIN_ENDPOINTS")

PROMETHEUS_EXPORT_MIGRATIONS = False

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.read_text("LOG_LEVEL", "INFO")},
    "loggers": {"daphne.http_protocol": {"level": "WARNING"}, "axes": {"level": "WARNING"}, "numba": {"level": "WARNING"}},
}
