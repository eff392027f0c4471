"""As whom PostgreSQL runs when we are root, because PostgreSQL refuses to be root.

It becomes `nobody`, and keeps only the capability of passing closed folders, so that no folder has to be opened for it:
everything under var/ stays closed to every other user of the machine. Where a system does not grant that, it is put into a user
namespace of its own: there it is nobody to itself, and has no right but that of the owner of our files.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from operations.embedded.errors import CannotStart
from operations.embedded.process import prctl

PR_SET_KEEPCAPS = 8
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
SECBIT_KEEP_CAPS = 1 << 4
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
CLONE_NEWUSER = 0x10000000
# What PostgreSQL's programs ask of each other before they start one.
PROBE = "import os, sys; sys.exit(not all(os.access(path, os.X_OK) for path in sys.argv[1:]))"


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Data(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


@dataclass(frozen=True, slots=True)
class ServerUser:
    """Who owns PostgreSQL's files on the disk, and how a process that is about to become another program turns into that user."""

    uid: int
    gid: int
    enter: Callable[[], None]


def find_user(program: Path, folder: Path) -> ServerUser | None:
    """Whom PostgreSQL can run as: somebody who reaches `program`, and owns `folder` from now on. None if that is the user we are.
    Raises CannotStart where we are root and can be nobody else."""
    if os.geteuid() != 0:
        return None
    for user in (as_nobody(), ServerUser(os.geteuid(), os.getegid(), enter_namespace)):
        if give_folder(folder, user) and can_reach(user, program, folder):
            return user
    raise CannotStart(
        f"PostgreSQL refuses to run as root, and this system lets it be nobody else: as `nobody` it cannot reach {program} and "
        f"{folder}, and it gets no user namespace. Start as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


def as_nobody() -> ServerUser:
    try:
        user = pwd.getpwnam("nobody")
    except KeyError as error:
        raise CannotStart(
            "PostgreSQL does not run as root, and there is no user `nobody` here. Start as another user, or set DATABASE_URL."
        ) from error
    return ServerUser(user.pw_uid, user.pw_gid, lambda: become_user(user))


def give_folder(folder: Path, user: ServerUser) -> bool:
    """Whether `folder` could be made that user's own."""
    try:
        os.chown(folder, user.uid, user.gid)
    except OSError:
        return False
    return True


def can_reach(user: ServerUser, *paths: Path) -> bool:
    """Whether a program that runs as `user` may pass all folders on the way to `paths`. Only another program can tell: rights may
    be lost where one begins."""
    command = [sys.executable, "-I", "-S", "-c", PROBE, *map(str, paths)]
    try:
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=user.enter, check=False)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def become_user(user: pwd.struct_passwd) -> None:
    """Turns this process, which is about to become another program, into `user` for good."""
    # By the first of these, access() minds the capability too, as open() does: initdb and postgres look for each other by it.
    if not prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS):
        prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    keep_only(CAP_DAC_OVERRIDE)


def keep_only(capability: int) -> None:
    """Drops every capability except this one, and hands it on through exec. If that is refused, the server does without."""
    mask = 1 << capability
    data = (_Data * 2)(_Data(mask, mask, mask), _Data(0, 0, 0))
    if ctypes.CDLL(None).capset(ctypes.byref(_Header(CAPABILITY_VERSION_3, 0)), data) == 0:
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def enter_namespace() -> None:
    """Puts this process into a user namespace in which nobody has a name: it is not root to itself, files that are ours stay ours,
    and the program that it becomes has no capability."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
