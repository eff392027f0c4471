"""Where everything of one var/ folder is."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from operations.embedded.errors import CannotStart

# The address of a unix socket has 108 bytes on Linux and 104 on macOS, with the closing zero.
SOCKET_PATH_MAX = 103
LONGEST_SOCKET_NAME = len("/postgres/.s.PGSQL.5432")


@dataclass(frozen=True)
class VarFolder:
    var: Path

    @property
    def run(self) -> Path:
        """The folder of locks and process ids."""
        return self.var / "run"

    @property
    def beats(self) -> Path:
        """The folder of the heartbeats of a desk's processes."""
        return self.run / "beats"

    @property
    def log(self) -> Path:
        return self.var / "log"

    @property
    def postgres(self) -> Path:
        return self.var / "postgres"

    @property
    def valkey(self) -> Path:
        return self.var / "valkey"

    @property
    def sockets(self) -> Path:
        """The folder of the sockets: var/run, or a short private folder if that path cannot be a socket's."""
        if can_hold_sockets(self.run):
            return self.run
        digest = hashlib.sha256(os.fsencode(self.var)).hexdigest()[:12]
        name = f"quarterdeck-{os.getuid()}-{digest}"
        short = Path(tempfile.gettempdir(), name)
        return short if can_hold_sockets(short) else Path("/tmp", name)  # noqa: S108

    @property
    def postgres_socket(self) -> Path:
        return self.sockets / "postgres"

    @property
    def valkey_socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def database_url(self) -> str:
        return f"postgresql://postgres@/postgres?host={quote(str(self.postgres_socket))}"

    @property
    def redis_url(self) -> str:
        return f"unix://{quote(str(self.valkey_socket))}"

    def make(self) -> None:
        """Makes the folders, for the owner's eyes only."""
        try:
            self.var.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CannotStart(f"{self.var} cannot be made: {error.strerror}. Set VAR to a folder of your own.") from error
        for folder in (self.run, self.log, self.postgres, self.valkey, self.sockets):
            private_folder(folder)


def can_hold_sockets(folder: Path) -> bool:
    """Whether the path is short enough, and none that PostgreSQL's clients would take for several."""
    return len(os.fsencode(folder)) + LONGEST_SOCKET_NAME <= SOCKET_PATH_MAX and "," not in str(folder)


def private_folder(folder: Path) -> None:
    """Makes `folder` ours alone, and refuses one that somebody else put there."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"{folder} cannot be made: {error.strerror}. Set VAR to a folder of your own.") from error
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise CannotStart(f"{folder} belongs to somebody else. Run as its owner, or set VAR to another folder.")
    folder.chmod(0o700)
