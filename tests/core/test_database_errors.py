"""What is said of a database error: what happened and its code, and nobody's data."""

from __future__ import annotations

import pytest
from django.db import Error as DatabaseError
from django.db import connection, transaction

from core.database_errors import describe_database_error
from market.models import VenueStream

pytestmark = pytest.mark.django_db


def test_the_message_and_its_code_are_said() -> None:
    with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")
    assert describe_database_error(caught.value) == "DataError: division by zero (22012)"


def test_the_values_of_a_row_are_not_said() -> None:
    VenueStream.objects.create(venue="binance", environment="secret")
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        VenueStream.objects.create(venue="binance", environment="secret")
    assert "secret" in str(caught.value)
    said = describe_database_error(caught.value)
    assert said.startswith("IntegrityError: duplicate key value")
    assert said.endswith("(23505)")
    assert "secret" not in said


def test_what_no_server_said_is_said_in_one_line() -> None:
    assert describe_database_error(DatabaseError("no connection\nafter 30 s")) == "Error: no connection"
    assert describe_database_error(DatabaseError()) == "Error"
