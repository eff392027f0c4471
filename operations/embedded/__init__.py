"""PostgreSQL and Valkey from wheels, and the processes of a desk: who starts them, who shares them, and how they end.

One *keeper* process for each var/ folder runs the two servers. Whoever needs them (a desk, a command, the tests) holds a shared
lock on var/run/users.lock, and the keeper ends when nobody holds it. The kernel drops the lock of a killed process, so nothing
has to be counted and nothing is left behind.
"""

from operations.embedded.command import services_for_command
from operations.embedded.errors import CannotStart
from operations.embedded.services import Services, start_services

__all__ = ["CannotStart", "Services", "services_for_command", "start_services"]
