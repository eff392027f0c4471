"""Compiles what running bots need while the desk is prepared, so that bots trade soon after it opens."""

from __future__ import annotations

import os
import subprocess
import sys

from core.env import PROJECT
from operations.embedded.layout import VarFolder


def compile_ahead(layout: VarFolder) -> int:
    """Starts compiling if this machine has not done so yet. Answers the handle that it lives by, or 0: it ends when no process has
    that handle open any more, however those processes ended."""
    from engine.warm import live_is_compiled

    if live_is_compiled():
        return 0
    theirs, ours = os.pipe()
    with (layout.log / "engine.log").open("ab") as log:
        subprocess.run(
            [sys.executable, "-m", "operations.embedded.compiling"],
            cwd=PROJECT,
            env=os.environ | {"QUARTERDECK_VAR": str(layout.var)},
            stdin=theirs,
            stdout=log,
            stderr=log,
            start_new_session=True,
            check=True,
        )
    os.close(theirs)
    return ours


if __name__ == "__main__":
    # It is not our child: the desk becomes another program meanwhile, which would not know that it has a child to wait for.
    if os.fork() == 0:
        os.execv(sys.executable, [sys.executable, "-m", "engine.warm", "live"])  # noqa: S606
