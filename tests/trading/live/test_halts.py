"""What a venue says that it does not trade is said of the bot and of the venue, before an order meets it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from market.exchanges.base import InstrumentRules
from tests.trading.live.test_bot_runner import make_runner
from tests.trading.live.test_levels import SYMBOL, waiting_bot
from trading.live.bot_figures import report_figures
from trading.live.listing import VenueListing
from trading.models import BotRun
from trading.services.bot_loading import bot_load

pytestmark = pytest.mark.django_db
ONE = Decimal("0.01")
RULES = InstrumentRules(SYMBOL, "ETHBTC", "ETH", "BTC", ONE, ONE, None, None, None)


def test_a_symbol_in_maintenance_is_said_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = make_runner(bot_load(waiting_bot().pk))
    market: Any = Mock(tradable=None, key="binance-sandbox", explain_no_prices=lambda: "", find_price=lambda _: None)
    monkeypatch.setattr(runner.steps, "inputs", Mock(market=market, accounts=Mock(explain_not_ready=lambda _: "")))
    exchange = Mock(instruments=AsyncMock(side_effect=[[replace(RULES, trading=False)], [RULES]]))
    bots = Mock(runners={runner.bot_id: runner}, list_all=lambda: [runner])
    listing = VenueListing(exchange, market, bots, AsyncMock())

    def look() -> tuple[str, str]:
        report_figures([runner])
        return listing.describe_halts(), BotRun.objects.get(pk=runner.loaded_bot.run.pk).held_reason

    assert look() == ("", "")
    asyncio.run(listing.refresh())
    assert look() == (f"The venue does not trade {SYMBOL} at present.", f"binance-sandbox does not trade {SYMBOL} at present.")
    listing.refreshed_at = 0.0
    asyncio.run(listing.refresh())
    assert look() == ("", "")
