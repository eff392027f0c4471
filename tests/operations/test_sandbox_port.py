"""The desk holds the port of its sandbox before anybody is told of it, and says when the sandbox does not answer."""

from __future__ import annotations

import socket
import subprocess
import sys
from typing import Any
from urllib.request import urlopen

import pytest

from market.sandbox.scenario import Scenario
from market.sandbox.server import running_sandbox
from operations.embedded.desk import bind_sandbox
from operations.state import check_sandbox
from tests.running import PROJECT, free_port
from wallets.models import ExchangeAccount


def test_the_port_is_held_and_a_second_desk_gets_another_one() -> None:
    with bind_sandbox(free_port()) as first, bind_sandbox(first.getsockname()[1]) as second:
        taken = first.getsockname()[1]
        assert second.getsockname()[1] != taken
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", taken))


def test_the_sandbox_serves_on_the_socket_that_it_is_given() -> None:
    with bind_sandbox(free_port()) as held:
        handle, port = held.fileno(), held.getsockname()[1]
        command = [sys.executable, "manage.py", "sandbox", "--fd", str(handle), "--json"]
        sandbox = subprocess.Popen(command, cwd=PROJECT, pass_fds=[handle], stdout=subprocess.PIPE)
        try:
            assert sandbox.stdout is not None
            assert f'"http://127.0.0.1:{port}"' in sandbox.stdout.readline().decode()
            with urlopen(f"http://127.0.0.1:{port}/api/v3/ping", timeout=20) as answer:
                assert answer.status == 200
        finally:
            sandbox.terminate()
            sandbox.wait(20)


@pytest.mark.django_db
def test_a_sandbox_that_has_died_is_told() -> None:
    assert check_sandbox() == []
    with running_sandbox(Scenario(speed=None, minutes=5)) as running:
        rest: Any = running.addresses["binance"]["rest"]
        ExchangeAccount.objects.create(name="Sandbox", venue="binance", environment="sandbox", rest=rest)
        assert [check.state for check in check_sandbox()] == ["up"]
    (fault,) = check_sandbox()
    assert fault.state == "down"
    assert rest in fault.detail
