"""A pooler in transaction mode, as PgBouncer and many managed services put one before PostgreSQL: each transaction of any client
runs in the one session of the server that there is."""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import SocketIO

import psycopg

NO_ENCRYPTION = (80877103, 80877104)  # SSLRequest, GSSENCRequest
TOLD = ("server_version", "client_encoding", "server_encoding", "standard_conforming_strings", "DateStyle", "TimeZone")


@contextmanager
def transaction_pooler(database_url: str) -> Iterator[int]:
    """Gives its port."""
    with psycopg.connect(database_url) as session, socket.create_server(("127.0.0.1", 0)) as listener:
        pooler = Pooler(session)
        threading.Thread(target=pooler.accept, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


class Pooler:
    def __init__(self, session: psycopg.Connection) -> None:
        self.greeting = greet_client(session)
        raw = socket.socket(fileno=os.dup(session.fileno()))
        raw.setblocking(True)
        self.server: SocketIO = raw.makefile("rwb", buffering=0)
        self.free = threading.Lock()

    def accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client: socket.socket) -> None:
        with suppress(OSError, EOFError), client, client.makefile("rwb", buffering=0) as line:
            while start_up(line) in NO_ENCRYPTION:
                line.write(b"N")
            line.write(self.greeting)
            while True:
                first = read_message(line)
                if first[:1] == b"X":
                    return
                with self.free:
                    self.run_transaction(line, first)

    def run_transaction(self, client: SocketIO, message: bytes) -> None:
        state = b""
        while state != b"I":
            self.server.write(message)
            if message[:1] in b"QS":
                state = self.hand_back(client)
            if state != b"I":
                message = read_message(client)

    def hand_back(self, client: SocketIO) -> bytes:
        """Every answer up to the one that says that the server is ready. Answers its state: I outside of a transaction."""
        while True:
            answer = read_message(self.server)
            client.write(answer)
            if answer[:1] == b"Z":
                return answer[5:6]


def greet_client(session: psycopg.Connection) -> bytes:
    """Welcome, what the server says of itself, a key to cancel by, and: ready."""
    told = [f"{name}\0{session.info.parameter_status(name)}\0".encode() for name in TOLD]
    parts = [(b"R", struct.pack("!i", 0)), *((b"S", text) for text in told), (b"K", struct.pack("!ii", 1, 1)), (b"Z", b"I")]
    return b"".join(kind + struct.pack("!i", len(body) + 4) + body for kind, body in parts)


def start_up(line: SocketIO) -> int:
    length, code = struct.unpack("!ii", read_exactly(line, 8))
    read_exactly(line, length - 8)
    return int(code)


def read_message(line: SocketIO) -> bytes:
    head = read_exactly(line, 5)
    return head + read_exactly(line, struct.unpack("!i", head[1:])[0] - 4)


def read_exactly(line: SocketIO, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = line.read(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data
