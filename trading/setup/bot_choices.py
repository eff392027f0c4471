"""What the form of a bot offers: wallets with their venues and modes, the symbols of those venues, strategies, presets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from core.venues import venue_key
from engine.strategies import registry
from market.models import Instrument
from trading.models import Bot, DesiredStatus, Mode
from trading.setup.bot_form import BotForm
from trading.setup.limits import DAYS
from trading.setup.presets import PRESETS
from wallets.models import Wallet
from wallets.selectors import wallets_of_bots
from wallets.valuation import money_of

MODES = (
    ("paper", "Paper: real prices, made-up money"),
    ("replay", "Replay: recorded candles, made-up money"),
    ("testnet", "Testnet: orders to a test or sandbox market"),
    ("live", "Live: real money"),
)
MOST_SYMBOLS = 500


@dataclass(frozen=True, slots=True)
class WalletChoice:
    """`at`: the venue whose prices and symbols go with the wallet, such as binance or binance-sandbox."""

    wallet: Wallet
    at: str
    modes: Sequence[str]


def bot_form_context(form: BotForm, found: Bot | None = None) -> dict[str, Any]:
    """All that the form shows; `found` is the bot that it changes, None for a new one. Where the form names no wallet that there
    is, it is given one."""
    choices = [choice_of(wallet) for wallet in wallets_of_bots()]
    named = [one for one in choices if one.wallet.wallet_id == form.values.get("wallet_id")]
    chosen = named[0] if named else first_choice(choices, form)
    if chosen:
        form.values = {**form.values, "wallet_id": chosen.wallet.wallet_id, "venue": chosen.at}
    new = reverse("trading:bot_new")
    return {
        "form": form,
        "bot": found,
        "bot_runs": bool(found and (found.wanted != DesiredStatus.STOPPED or (found.run and not found.run.ended_at))),
        "action": reverse("trading:bot_edit", args=[found.bot_id]) if found else new,
        "strategy_action": new,
        "series": [],
        "wallets": choices,
        "modes": MODES,
        "days": DAYS,
        "symbols": symbol_choices(sorted({one.at for one in choices}), form),
        "strategies": registry.list_strategies(),
        "presets": PRESETS,
        "live_trading": settings.LIVE_TRADING,
    }


def choice_of(wallet: Wallet) -> WalletChoice:
    account = wallet.account
    if account is None:
        return WalletChoice(wallet, wallet.venue, [Mode.REPLAY, Mode.PAPER])
    return WalletChoice(wallet, venue_key(account.venue, account.environment), [money_of(wallet)])


def first_choice(choices: Sequence[WalletChoice], form: BotForm) -> WalletChoice | None:
    """The first one at the venue that the settings name, else the first one of all."""
    return next((one for one in choices if one.at == form.venue), next(iter(choices), None))


def symbol_choices(venues: Sequence[str], form: BotForm) -> list[dict[str, Any]]:
    """Instruments of these venues, and symbols of the form that are not among them."""
    known = Instrument.objects.filter(venue__in=venues).order_by("venue", "symbol")[:MOST_SYMBOLS]
    rows = [{"venue": one.venue, "symbol": one.symbol, "note": ""} for one in known]
    there = {(row["venue"], row["symbol"]) for row in rows}
    missing = [symbol for symbol in form.symbols if (form.venue, symbol) not in there]
    rows += [{"venue": form.venue, "symbol": symbol, "note": "not seen at this venue yet"} for symbol in missing]
    return [{**row, "ticked": row["venue"] == form.venue and row["symbol"] in form.symbols} for row in rows]
