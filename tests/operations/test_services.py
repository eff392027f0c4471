"""The tests run on the real services."""

import pytest
from django.core.cache import cache
from django.db import connection


@pytest.mark.django_db
@pytest.mark.services
def test_the_tests_run_on_postgresql_and_a_broker() -> None:
    cache.set("here", 1)
    assert cache.get("here") == 1
    assert connection.vendor == "postgresql"
