"""The vendored scripts are the ones we looked at: an updated package must not change unseen what runs in a trader's browser."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

KNOWN = {
    "vendor/lightweight-charts/lightweight-charts.js": (
        b"Lightweight Charts\xe2\x84\xa2 v5.1.0",
        "756b0ba9f58930226d6b8b9d47ad310448ab85d799ea1f7c2c02304777c10b52",
    ),
    "drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js": (
        b'PACKAGE_VERSION:"5.33.1"',
        "050bc415ee7048dcd881682678f720264e7da5e373f7461d7c58c755305255f7",
    ),
    "django_htmx/htmx-2.min.js": (b"2.0.10", "71ea67185bfa8c98c39d31717c6fce5d852370fcdfd129db4543774d3145c0de"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_vendored_script_is_the_known_release_to_the_byte(name: str) -> None:
    version, digest = KNOWN[name]
    found = finders.find(name)
    assert found is not None
    content = Path(found).read_bytes()
    assert version in content
    assert hashlib.sha256(content).hexdigest() == digest
