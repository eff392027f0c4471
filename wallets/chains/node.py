"""One node of a chain over HTTP: JSON-RPC in batches, or plain addresses. What it answers is bounded in time, size and number."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from wallets.chains.errors import ChainError

SECONDS = 10.0
"""For one answer, from the first word to the last."""
READING_SECONDS = 90.0
"""For one reading."""
MOST_BYTES = 16 << 20
MOST_REQUESTS = 600
"""In one reading."""
BATCH = 100
PIECE = 1 << 16
WORDS = 160
"""Characters of a node's own words that are repeated."""
Call = tuple[str, Sequence[Any]]


class CallRefused(ChainError):
    """The node refused one call, or has nothing of that name; others stand."""


class Node:
    """`clock` in seconds, for tests. Redirects are not followed: they would lead the question to somebody whom nobody chose."""

    def __init__(self, url: str, *, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.url, self.host = url.rstrip("/"), host_of(url)
        self.seconds, self.clock, self.left, self.ends = seconds, clock, MOST_REQUESTS, clock() + READING_SECONDS
        self.session = requests.Session()
        self.session.trust_env = False

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def call(self, method: str, *params: Any) -> Any:
        """The result of one call; `CallRefused` where the node says why not."""
        (answer,) = self.call_all([(method, params)])
        if isinstance(answer, CallRefused):
            raise answer
        return answer

    def call_all(self, calls: Sequence[Call]) -> list[Any]:
        """The results in the calls' order, a `CallRefused` in place of each that was refused."""
        found: list[Any] = []
        for start in range(0, len(calls), BATCH):
            found += self.call_batch(calls[start : start + BATCH])
        return found

    def call_batch(self, calls: Sequence[Call]) -> list[Any]:
        asked = [{"jsonrpc": "2.0", "id": id, "method": name, "params": list(given)} for id, (name, given) in enumerate(calls, 1)]
        answers = self.ask("POST", self.url, json=asked if len(asked) > 1 else asked[0])
        listed = answers if isinstance(answers, list) else [answers]
        by_id = {one.get("id"): one for one in listed if isinstance(one, dict) and type(one.get("id")) is int}
        if len(listed) == 1 and len(asked) > 1 and not by_id:
            raise ChainError(f"{self.host} refuses the batch: {error_words(listed[0])}")
        return [self.read_answer(by_id.get(one["id"])) for one in asked]

    def read_answer(self, answer: Any) -> Any:
        if not isinstance(answer, dict):
            raise ChainError(f"{self.host} left out an answer.")
        if answer.get("error") is not None:
            return CallRefused(f"{self.host} says: {error_words(answer)}")
        if "result" not in answer:
            raise ChainError(f"{self.host} answers with neither result nor error.")
        return answer["result"]

    def get(self, path: str) -> Any:
        """JSON below the node's address."""
        return self.ask("GET", f"{self.url}/{path}")

    def get_text(self, path: str) -> str:
        return self.fetch("GET", f"{self.url}/{path}").decode("utf-8", "replace").strip()

    def ask(self, method: str, url: str, **options: Any) -> Any:
        body = self.fetch(method, url, **options)
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise ChainError(f"{self.host} answers with what is no JSON.") from None

    def fetch(self, method: str, url: str, **options: Any) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise ChainError(f"{self.host} was asked {MOST_REQUESTS} times in one reading, which is the most.")
        if self.clock() > self.ends:
            raise ChainError(f"{self.host} takes longer than {READING_SECONDS:g} s for one reading.")
        deadline = self.clock() + self.seconds
        try:
            with self.session.request(
                method,
                url,
                timeout=self.seconds,
                stream=True,
                allow_redirects=False,
                headers={"Accept-Encoding": "identity"},
                **options,
            ) as answer:
                body = self.read_body(answer, deadline)
        except (requests.RequestException, OSError, ValueError) as error:
            # The error's own words may hold the whole address, which may hold a key.
            raise ChainError(f"{self.host} does not answer ({type(error).__name__}).") from None
        if answer.status_code == requests.codes.not_found:
            raise CallRefused(f"{self.host} has nothing there.")
        if answer.status_code != requests.codes.ok:
            raise ChainError(f"{self.host} answers with status {answer.status_code}.")
        return body

    def read_body(self, answer: requests.Response, deadline: float) -> bytes:
        body = bytearray()
        for piece in answer.iter_content(PIECE):
            body += piece
            if len(body) > MOST_BYTES:
                raise ChainError(f"{self.host} answers with more than {MOST_BYTES >> 20} MB.")
            if self.clock() > deadline:
                raise ChainError(f"{self.host} takes longer than {self.seconds:g} s for an answer.")
        return bytes(body)


def host_of(url: str) -> str:
    """What of an address may be shown: the rest may be a key."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname or '?'}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return "?"


def error_words(answer: Any) -> str:
    """A node's own words on what is wrong, for one line, whatever it sent."""
    error = answer.get("error") if isinstance(answer, dict) else answer
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else ("", error)
    told = " ".join("".join(one if one.isprintable() else " " for one in str(message)[:WORDS]).split())
    return f"{told} ({code})" if isinstance(code, int) else told or "nothing"
