"""In a checkout's own process: writes COUNT fills like the newest one, each with its event, at seeded random times that are PACE
seconds apart on average. Prints for each the key of its row, and when its transaction began."""

from __future__ import annotations

import json
import random
import sys
import time


def write_fills(count: int, pace: float, seed: int) -> None:
    import django

    django.setup()
    from django.db import transaction
    from django.utils import timezone

    from core.events import News, events_record
    from trading.models import Fill

    chance, model = random.Random(seed), Fill.objects.latest("pk")
    due = time.time() + 1.0
    for number in range(count):
        due += chance.expovariate(1.0 / pace)
        time.sleep(max(0.0, due - time.time()))
        pushed = time.time()
        with transaction.atomic():
            model.pk, model.trade_id, model.ts = None, f"bench-{seed}-{pushed}-{number}", timezone.now()
            model.save(force_insert=True)
            told = {"side": model.side, "symbol": model.symbol, "qty": str(model.quantity), "fill_price": str(model.price)}
            events_record([News("fill", "bench", told)], bot=model.bot.bot_id)
        print(json.dumps({"key": f"fill-{model.pk}", "pushed": pushed}), flush=True)


if __name__ == "__main__":
    from operations.embedded import services_for_command

    with services_for_command(["stream"]):
        write_fills(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
