"""The form of a bot: a configuration's, with wallet and mode, risk limits, schedule and replay beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from django.http import QueryDict

from core.errors import Invalid
from engine.types import INTERVALS
from trading.models import Bot
from trading.setup.forms import ConfigForm, Part, SingleInput
from trading.setup.inputs import EXITS, LIMITS, MONEY, PROTECTIONS, SIZING, Input
from trading.setup.limits import DAYS

NAME = Input("name", "Name", "What the desk calls it. No two bots share one.", "text")
INTERVAL = Input(
    "interval", "Interval", "It decides at the close of each candle.", "choice", choices=tuple((i, i) for i in INTERVALS)
)
CASH = Input("cash", "Cash", "Quote currency of the wallet that it may trade with.", default="1000", low=0)
COSTS = MONEY[1:]
RISK = (
    Input("risk.budget", "At risk at most", "Positions and entries on their way, in quote. Empty: its cash.", low=0),
    Input("risk.daily_loss", "Daily loss", "No entries for the rest of the UTC day once this is lost. Empty: no limit.", low=0),
    Input("risk.symbol_exposure", "In one symbol", "At cost, in quote. Empty: no limit.", low=0),
    Input("risk.open_orders", "Open orders", "At most so many at once.", "integer", 100, 1, 1_000),
    Input("risk.orders_per_minute", "Orders a minute", "More are not sent.", "integer", 60, 1, 6_000),
    Input("risk.price_band", "Price band", "An order’s price may be so far from the last price.", "ratio", 0.1, 0, 1),
    Input(
        "risk.price_age", "Price age", "An older price counts as none: no order is sent.", default=30, low=1, high=86_400, unit="s"
    ),
)
SCHEDULE = (
    Input("schedule.from", "Entries from (UTC)", "Empty: at any time. Exits always go on.", "clock"),
    Input("schedule.to", "Entries until (UTC)", "Before the first time of day: over midnight.", "clock"),
)
REPLAY = (
    Input("replay.start", "From (UTC)", "Empty: from the first candle.", "moment"),
    Input("replay.end", "To (UTC)", "Not included. Empty: to the last candle.", "moment"),
    Input("replay.speed", "Speed", "Times as fast as it was. 0: as fast as it goes.", default=0, low=0, unit="×"),
)
APART = ("risk", "schedule", "replay", "name")
"""What is not part of the configuration."""


class BotForm(ConfigForm):
    """`days`: on which entries are allowed."""

    inputs: ClassVar[tuple[Input, ...]] = (
        INTERVAL,
        CASH,
        *COSTS,
        *SIZING,
        *EXITS,
        *LIMITS[:3],
        *PROTECTIONS,
        *RISK,
        *SCHEDULE,
        *REPLAY,
        NAME,
    )
    thing: ClassVar[str] = "bot"
    market = Part(INTERVAL)
    money = Part(CASH, *COSTS)
    limits = Part(*LIMITS[:3])
    risk = Part(*RISK)
    schedule = Part(*SCHEDULE)
    replay = Part(*REPLAY)
    name = SingleInput(NAME)
    days: tuple[str, ...] = DAYS

    @classmethod
    def of_post(cls, data: QueryDict) -> Self:
        form = super().of_post(data)
        form.days = tuple(day for day in DAYS if day in data.getlist("days"))
        return form

    @classmethod
    def of_config(cls, config: Mapping[str, Any], *, cloned_from: str = "") -> Self:
        form = super().of_config({"interval": "1m", **config}, cloned_from=cloned_from)
        form.values = {**form.values, **{name: str(config[name]) for name in ("wallet_id", "mode") if config.get(name)}}
        return form

    @classmethod
    def of_bot(cls, bot: Bot) -> Self:
        """Filled with a bot as it is."""
        sections = {"risk": bot.limits, "schedule": bot.schedule, "replay": bot.replay}
        form = cls.of_config({**bot.config, **sections, "name": bot.name, "mode": bot.mode, "wallet_id": bot.wallet.wallet_id})
        form.days = tuple(bot.schedule.get("days", DAYS))
        form.values = {**form.values, **({"live_allowed": "on"} if bot.live_allowed else {})}
        return form

    def config(self) -> dict[str, Any]:
        """The strategy's part, as the parser of configurations reads it."""
        return {name: value for name, value in super().config().items() if name not in APART}

    def given_section(self, section: str) -> dict[str, Any]:
        return {
            one.key.partition(".")[2]: value
            for one in self.inputs
            if one.key.startswith(f"{section}.") and (value := self.given_text(one))
        }

    def settings(self) -> dict[str, Any]:
        """What `services.bot_create` takes beside the configuration."""
        schedule = self.given_section("schedule") | ({} if self.days == DAYS else {"days": list(self.days)})
        return {
            "name": self.values.get("name", "").strip(),
            "mode": self.values.get("mode", ""),
            "wallet_id": self.values.get("wallet_id", ""),
            "limits": self.given_section("risk"),
            "schedule": schedule,
            "replay": self.given_section("replay") if self.values.get("mode") == "replay" else {},
            "live_allowed": self.values.get("live_allowed") == "on",
        }

    def given_all(self) -> dict[str, Any]:
        """As `services.bot_create` takes it."""
        return {"config": self.config(), **self.settings()}

    def refuse(self, error: Invalid) -> None:
        """The service speaks of limits where the form says risk: the configuration has limits of its own."""
        fields: dict[str, list[str]] = {}
        for name, texts in error.fields.items():
            section, _, rest = name.partition(".")
            fields[rest if section == "config" and rest else f"risk.{rest}" if section == "limits" else name] = list(texts)
        super().refuse(Invalid(str(error), fields=fields))
