"""Runs PostgreSQL when we are root, because PostgreSQL refuses to be root.

It becomes `nobody`, and keeps only the capability of passing closed folders, so that no folder has to be opened for it:
everything under var/ stays closed to every other user of the machine.
"""

from __future__ import annotations

import ctypes
import os
import pwd

from operations.embedded.errors import CannotStart
from operations.embedded.process import prctl

PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _Data(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def server_user() -> pwd.struct_passwd | None:
    """The user that PostgreSQL runs as; None if that is the user we are."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("nobody")
    except KeyError as error:
        raise CannotStart(
            "PostgreSQL does not run as root, and there is no user `nobody` here. Start as another user, or set DATABASE_URL."
        ) from error


def become_user(user: pwd.struct_passwd) -> None:
    """Turns this process, which is about to become another program, into `user` for good."""
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
