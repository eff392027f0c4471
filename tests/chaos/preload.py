"""What every child process of the chaos suite starts with, loaded once by the fork server: Django, the venues' libraries, and the
compiled engine. Nothing here opens a connection or starts a thread, so that no child inherits one.
"""

from __future__ import annotations

import django

django.setup()

import trading.live.worker  # noqa: E402, F401
from engine.warm import warm_live  # noqa: E402
from tests.chaos.strategies import register  # noqa: E402

warm_live()
register()
