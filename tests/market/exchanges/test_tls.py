"""Coinbase's own client accepts any certificate; ours talks to nobody without a valid one."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import websockets
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from market.exchanges.base import Retryable
from tests.market.exchanges.venues import Desk


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stranger")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "stranger.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + signed.public_bytes(Encoding.PEM))
    return path


@pytest.fixture
async def stranger(certificate: Path) -> AsyncIterator[tuple[str, list[Any]]]:
    """(the address of a server with that certificate, what it received)."""
    heard: list[Any] = []

    async def listen(socket: Any) -> None:
        async for message in socket:
            heard.append(message)  # noqa: PERF401

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async with websockets.serve(listen, "127.0.0.1", 0, ssl=context) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"wss://127.0.0.1:{port}", heard


async def test_a_stranger_is_told_nothing(desk: Desk, stranger: tuple[str, list[Any]]) -> None:
    address, heard = stranger
    exchange = await desk.connect("coinbase", ws=address, ws_user=address)
    for stream in (exchange.market_stream(["BTC-USD"], []), exchange.user_stream()):
        async with aclosing(stream) as events:
            with pytest.raises(Retryable, match="SSLCert"):
                await anext(events)
    assert heard == []
