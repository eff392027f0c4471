"""DATABASE_URL and REDIS_URL, as managed services give them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.exceptions import ImproperlyConfigured
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import ConnectionError as NoConnection

from config.addresses import database_settings, redis_address, redis_prefix
from core.broker import broker_address

URL = "postgresql://desk:p%40ss@db:5432/trading"


def test_the_number_of_the_database_is_honoured_by_all() -> None:
    address = redis_address("redis://:secret@host:6380/7?health_check_interval=15")
    assert address.url == "redis://:secret@host:6380/7?health_check_interval=15"
    assert address.celery == "redis://:secret@host:6380/7"
    assert redis_address("redis://host").celery == "redis://host/0"
    assert redis_address("unix:///run/a%20b/redis.sock?db=3").celery == "redis+socket:///run/a%20b/redis.sock?virtual_host=3"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sentinel://host:26379/0", "Sentinel and Redis Cluster are not supported: name the address of one server"),
        ("redis+cluster://host:6379", "Sentinel and Redis Cluster are not supported"),
        ("redis+sentinel://:hidden@host/mymaster/0", "Sentinel and Redis Cluster are not supported"),
        ("redis://:hidden@host/first", "number of a database"),
        ("redis://:hidden@host:port/0", "cannot be read"),
        ("redis://:hidden@host/0?health_check_interval=often", "cannot be read"),
        ("redis://:hidden@host/0?socket_timeout=1", "cannot have socket_timeout"),
        ("redis://:hidden@host/0?ssl_cert_reqs=none", "rediss://"),
        ("rediss://:hidden@host/0?ssl_cert_reqs=CERT_NONE", "required, optional, none"),
        ("rediss://:hidden@host/0?ssl_ca_certs=/nowhere/ca.pem", "a file that is not there"),
    ],
)
def test_what_cannot_be_honoured_is_refused_with_its_remedy_and_without_the_password(url: str, says: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL") as refusal:
        redis_address(url)
    assert says in str(refusal.value)
    assert "hidden" not in str(refusal.value)


def test_desks_have_names_of_their_own_in_redis() -> None:
    """Also where a file of variables was copied for a second one, and only the database changed in it."""
    names = {redis_prefix(secret, database) for secret in ("one", "two") for database in ("desk", "staging")}
    assert len(names) == 4
    assert redis_prefix("one", "desk") in names


@pytest.mark.parametrize(
    ("url", "pooled", "threshold", "cursors"),
    [(URL, False, 1, True), (URL, True, None, False), (f"{URL}?prepare_threshold=none", False, None, False)],
)
def test_behind_a_transaction_pooler_there_are_neither_plans_nor_cursors(
    url: str, pooled: bool, threshold: int | None, cursors: bool
) -> None:
    found = database_settings(url, connections=8, pooled=pooled)
    assert found["OPTIONS"]["prepare_threshold"] == threshold
    assert found["DISABLE_SERVER_SIDE_CURSORS"] is not cursors
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["NAME"]) == ("desk", "p@ss", "db", "trading")


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for localhost that has signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate, private = tmp_path / "ca.pem", tmp_path / "key.pem"
    certificate.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private.write_bytes(key.private_bytes(*pem))
    return certificate, private


@contextmanager
def secure_redis(certificate: Path, key: Path) -> Iterator[int]:
    """The tests' Redis behind TLS; gives its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener, context), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def serve(listener: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=join, args=(client, context), daemon=True).start()


def join(client: socket.socket, context: ssl.SSLContext) -> None:
    """Hands each question on and its answer back, which are short here."""
    with suppress(OSError), context.wrap_socket(client, server_side=True) as secure:
        server: Any = Redis.from_url(broker_address()).connection_pool.get_connection()
        server.connect()
        plain = server._sock
        while asked := secure.recv(65_536):
            plain.sendall(asked)
            secure.sendall(plain.recv(65_536))


def reaches_redis(url: str) -> bool:
    address = redis_address(url)
    with Redis.from_url(address.url) as redis:
        return bool(redis.ping())


def reaches_celery(url: str) -> bool:
    address = redis_address(url)
    app = Celery(broker=address.celery)
    app.conf.broker_use_ssl = address.tls or None
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, interval_start=0)
        channel: Any = broker.default_channel
        return bool(channel.client.ping())


@pytest.mark.parametrize("reaches", [reaches_redis, reaches_celery])
def test_a_certificate_that_nobody_vouches_for_is_refused_by_each(reaches: Any, authority: tuple[Path, Path]) -> None:
    with secure_redis(*authority) as port:
        with pytest.raises((NoConnection, OperationalError), match="CERTIFICATE_VERIFY_FAILED"):
            reaches(f"rediss://localhost:{port}/0")
        with pytest.raises((NoConnection, OperationalError), match="CERTIFICATE_VERIFY_FAILED"):
            reaches(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={authority[0]}")  # it is another's
        assert reaches(f"rediss://localhost:{port}/0?ssl_ca_certs={authority[0]}")
        assert reaches(f"rediss://localhost:{port}/0?ssl_cert_reqs=none")
