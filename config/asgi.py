"""HTTP and WebSockets, for daphne."""

import gc
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402  (after Django is set up)

from config.bodies import limit_bodies, with_uploads  # noqa: E402
from config.routing import websocket_application  # noqa: E402

limit_bodies()
application = ProtocolTypeRouter({"http": with_uploads(django_application), "websocket": websocket_application})

# What is loaded by now stays. Otherwise the garbage collector would walk through all of it while every client waits.
gc.collect()
gc.freeze()
