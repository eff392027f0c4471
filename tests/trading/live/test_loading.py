"""Many bots are loaded together."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.errors import Unreadable
from tests.trading.making import candles, paper_wallet, replay_bot
from trading.models import Bot, BotState
from trading.services.bot_loading import bot_load, bots_load, positions_ensure
from trading.services.bots import bot_start
from trading.services.loaded_bot import LoadedBot

pytestmark = pytest.mark.django_db


@pytest.fixture
def bot_ids() -> list[int]:
    candles()
    wallet = paper_wallet()
    bots = [bot_start(bot_id=replay_bot(wallet, name=f"bot {number}").bot_id) for number in range(6)]
    bots_load([bot.pk for bot in bots])  # the first time makes the rows of their positions
    return [bot.pk for bot in bots]


def statements(bot_ids: list[int]) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert all(isinstance(one, LoadedBot) for one in bots_load(bot_ids).values())
    return len(asked)


def test_many_bots_are_loaded_by_as_many_statements_as_one(bot_ids: list[int]) -> None:
    assert statements(bot_ids) == statements(bot_ids[:1])


def test_what_is_loaded_together_is_what_is_loaded_alone(bot_ids: list[int]) -> None:
    for bot_id, together in bots_load(bot_ids).items():
        assert isinstance(together, LoadedBot)
        alone = bot_load(bot_id)
        for name in ("bot", "run", "config", "limits", "schedule", "budgets", "positions", "instruments", "version", "orders"):
            assert getattr(together, name) == getattr(alone, name), name
        assert together.trader.dump() == alone.trader.dump()


def test_one_whose_memory_cannot_be_read_does_not_keep_the_others_from_theirs(bot_ids: list[int]) -> None:
    BotState.objects.filter(pk=bot_ids[2]).update(book=b"of another time")
    found = bots_load(bot_ids)
    assert all(isinstance(one, LoadedBot) for one in found.values())
    assert [bot_id for bot_id, one in found.items() if isinstance(one, LoadedBot) and one.unreadable] == [bot_ids[2]]
    with pytest.raises(Unreadable, match="cannot be read"):
        bot_load(bot_ids[2])


def test_two_that_make_the_same_position_at_once_have_one(bot_ids: list[int]) -> None:
    bot = Bot.objects.get(pk=bot_ids[0])
    first, second = (positions_ensure(bot, ["NEW-BTC"], {}) for _ in range(2))
    assert first["NEW-BTC"].pk == second["NEW-BTC"].pk
