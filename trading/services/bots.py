"""The life of bots: they are made, changed, started, paused, stopped, closed, deleted. What a person wants is written here; the
stream workers make it so, and what they did is in the runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from secrets import token_hex
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from access.limits import require_reach, require_unlimited
from access.people import Person, signed_in_user
from access.rights import REAL_MONEY, require_right
from core.errors import Conflict, Invalid, NotFound, Unreadable
from core.events import News, events_record
from core.fields import Fields, show_value
from core.push import push_message
from core.text import utc_text
from core.venues import venue_key
from engine.strategies import registry
from market.rounding import exact_decimal
from market.selectors import suggest_symbols, symbols_recorded, symbols_traded
from market.services import instrument_ensure
from trading.models import EXTERNAL, OPEN, Bot, BotRun, BotState, KillSwitch, Mode, Order, Position
from trading.models import DesiredStatus as Want
from trading.services.bot_loading import trader_make
from trading.services.budgets import budget_settle, budgets_ensure
from trading.services.carry_over import books_sum
from trading.services.runs import rules_find
from trading.setup.config import RunConfig, parse_config
from trading.setup.limits import parse_limits, read_limits, read_schedule
from wallets.models import Wallet
from wallets.selectors import wallet_balances, wallet_reach, wallets_of_bots
from wallets.services import replay_books_open

CHANGEABLE = ("name", "config", "wallet_id", "limits", "schedule", "replay", "live_allowed", "mode")
FASTEST = 1_000_000.0


def bot_create(
    *,
    config: Any,
    name: str,
    mode: str,
    wallet_id: str,
    limits: Any = None,
    schedule: Any = None,
    replay: Any = None,
    live_allowed: bool = False,
    user: Person = None,
    from_backtest: str = "",
) -> Bot:
    """A stopped bot; `Invalid` with every faulty field. `wallet_id` is the wallet's public one."""
    require_right(user, "trading.add_bot")
    given = {"name": name, "config": config, "mode": mode, "wallet_id": wallet_id, "limits": limits, "schedule": schedule}
    columns = bot_columns_read(given | {"replay": replay, "live_allowed": live_allowed})
    real_money_check(user, columns)
    require_reach(user, bot="", **wallet_reach(columns["wallet"]))
    bot = Bot(bot_id=token_hex(6), from_backtest=from_backtest, created_by=signed_in_user(user), **columns)
    try:
        with transaction.atomic():
            bot.save()
            bot_change_record(bot, "created", user)
    except IntegrityError:
        raise Invalid.at("name", f"There is a bot named {bot.name} already. Choose another name.") from None
    return bot


def real_money_check(user: Person, columns: Mapping[str, Any]) -> None:
    """A bot whose settings let it trade real money is for people with the right to it alone, whichever setting they touch."""
    if columns["mode"] == Mode.LIVE or columns["live_allowed"]:
        require_right(user, REAL_MONEY, scope="admin")


def bot_columns_read(given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a bot from untrusted input; `Invalid` with every fault at its field."""
    form = Fields(given)
    name = form.text("name", longest=80)
    if not name:
        form.fault("name", "is required.")
    mode = form.choice("mode", "paper", Mode.values)
    config = gather_faults(form, "config", lambda: parse_config(given.get("config")))
    limits, schedule = read_limits(form.section("limits")), read_schedule(form.section("schedule"))
    replay = read_replay(form.section("replay"))
    wallet = read_wallet(form, mode, config)
    live_allowed = form.flag("live_allowed")
    form.refuse("The bot has fields that cannot be used.")
    assert config
    assert wallet
    return {
        "name": name,
        "config": config.to_json(),
        "strategy": config.strategy,
        "venue": config.venue,
        "symbols": ",".join(config.symbols),
        "interval": config.interval,
        "mode": mode,
        "wallet": wallet,
        "live_allowed": live_allowed,
        "limits": limits.to_json(),
        "schedule": schedule.to_json(),
        "replay": replay,
    }


def gather_faults(form: Fields, name: str, read: Any) -> Any:
    """What `read` returns, or None where it raises `Invalid`: its faults go to the form then, under `name`."""
    try:
        return read()
    except Invalid as error:
        for field, messages in (error.fields or {name: [str(error)]}).items():
            for message in messages:
                form.fault(field if field.split(".")[0] == name else f"{name}.{field}", message)
        return None


def read_wallet(form: Fields, mode: str, config: RunConfig | None) -> Wallet | None:
    """The wallet that the bot is to trade with; faults, also those of how it fits mode and configuration, go to the form."""
    wallet_id = form.text("wallet_id", longest=16)
    wallet = wallets_of_bots().filter(wallet_id=wallet_id).first() if wallet_id else None
    if wallet is None:
        form.fault(
            "wallet_id", f"There is no wallet {wallet_id}." if wallet_id else "is required: the wallet that the bot trades with."
        )
        return None
    if config is None:
        return None
    if not config.venue:
        form.fault("config.venue", "is required.")
    check_symbols(form, mode, config)
    if len({symbol.split("-")[1] for symbol in config.symbols}) > 1:
        form.fault("config.symbols", "A bot trades symbols of one quote currency: its cash is in that.")
    external = mode in EXTERNAL
    if external != (wallet.kind == Wallet.Kind.EXCHANGE):
        form.fault("wallet_id", f"Mode {mode} needs {'an exchange' if external else 'a paper'} wallet; {wallet.name} is not one.")
    elif external and wallet.account:
        key = venue_key(wallet.account.venue, wallet.account.environment)
        if key != config.venue or (mode == Mode.LIVE) != (wallet.account.environment == Mode.LIVE):
            form.fault("wallet_id", f"{wallet.name} is a wallet at {key}: not for a bot of mode {mode} at {config.venue}.")
    else:
        check_currency(form, mode, config, wallet)
    return wallet


def check_symbols(form: Fields, mode: str, config: RunConfig) -> None:
    """What the venue does not trade, or has no candles of for a replay. Where it has not been asked yet, nobody knows."""
    recorded = mode == Mode.REPLAY
    known = symbols_recorded(venue=config.venue) if recorded else symbols_traded(venue=config.venue)
    for symbol in config.symbols if known else ():
        if symbol not in known:
            what = (
                f"There are no candles of {symbol} at {config.venue}." if recorded else f"{config.venue} does not trade {symbol}."
            )
            form.fault("config.symbols", f"{what}{suggest_symbols(symbol, known)}")


def check_currency(form: Fields, mode: str, config: RunConfig, wallet: Wallet) -> None:
    """A wallet that is known to have nothing of the currency that the bot spends. A replay is given its cash."""
    held = wallet_balances(wallet=wallet)
    quote = config.symbols[0].split("-")[1]
    if mode == Mode.REPLAY or quote in held or (wallet.kind == Wallet.Kind.EXCHANGE and not held):
        return
    has = f"it has {', '.join(sorted(held)[:8])}" if held else "it is empty"
    put = "Put some in" if wallet.kind == Wallet.Kind.PAPER else "Buy or deposit some at the venue"
    form.fault(
        "wallet_id",
        f"{wallet.name} has no {quote}, in which {config.symbols[0]} is paid: {has}. {put}, choose a symbol that is paid in what "
        "it has, or another wallet.",
    )


def read_replay(form: Fields) -> dict[str, Any]:
    """{"start", "end", "speed"}: the span of candles, and how many times faster than the clock they come; 0 is as fast as
    possible."""
    start, end = form.moment("start"), form.moment("end")
    speed = float(form.decimal("speed", 0, high=str(FASTEST)))
    if start and end and end <= start:
        form.fault("end", "must be after start.")
    form.close()
    return {
        "start": utc_text(start) if start else None,
        "end": utc_text(end) if end else None,
        "speed": speed,
    }


def bot_get(bot_id: str) -> Bot:
    bot = Bot.objects.select_related("wallet__account", "run").filter(bot_id=bot_id, archived_at=None).first()
    if bot is None:
        raise NotFound(f"There is no bot {bot_id}.")
    return bot


def bot_reach(bot_id: str, user: Person) -> Bot:
    """The bot, for somebody who acts on it; `NotFound`, `Forbidden`."""
    bot = bot_get(bot_id)
    require_reach(user, bot=bot.bot_id, **wallet_reach(bot.wallet))
    return bot


def bot_update(*, bot_id: str, changes: Mapping[str, Any], user: Person = None) -> Bot:
    """Changes a stopped bot. `Conflict` while it runs or holds orders; `Invalid` at what cannot be used."""
    require_right(user, "trading.change_bot")
    bot = bot_reach(bot_id, user)
    if unknown := sorted(set(changes) - set(CHANGEABLE)):
        raise Invalid(
            "There are fields that cannot be changed.", fields={name: [f"Known are {', '.join(CHANGEABLE)}."] for name in unknown}
        )
    if bot.wanted != Want.STOPPED or Order.objects.filter(bot=bot, status__in=OPEN).exists():
        raise Conflict(f"{bot.name} runs or has open orders. Stop it first.")
    present = {name: getattr(bot, name) for name in ("name", "config", "limits", "schedule", "replay", "live_allowed", "mode")}
    columns = bot_columns_read(present | {"wallet_id": bot.wallet.wallet_id} | dict(changes))
    real_money_check(user, columns)
    require_reach(user, **wallet_reach(columns["wallet"]))
    held = list(Position.objects.filter(bot=bot).exclude(quantity=0))
    positions = [one for one in held if not one.dust]
    if held and columns["wallet"] != bot.wallet and not positions:
        raise Conflict(f"{bot.name} has dust left in {bot.wallet.name}, which stays there. Make another bot for another wallet.")
    if positions and (
        columns["wallet"] != bot.wallet or not {one.symbol for one in positions} <= set(columns["symbols"].split(","))
    ):
        raise Conflict(
            f"{bot.name} holds {', '.join(one.symbol for one in positions)}. Close it before changing its wallet or symbols."
        )
    try:
        with transaction.atomic():
            for column, value in columns.items():
                setattr(bot, column, value)
            bot.save()
            bot_change_record(bot, "changed", user, changed=sorted(changes))
    except IntegrityError:
        raise Invalid.at("name", f"There is a bot named {columns['name']} already. Choose another name.") from None
    return bot


def bot_delete(*, bot_id: str, user: Person = None) -> None:
    """Takes the bot off the desk; its orders and fills stay in the books. `Conflict` while it runs, has orders or holds
    something."""
    require_right(user, "trading.delete_bot")
    bot = bot_reach(bot_id, user)
    if bot.wanted != Want.STOPPED or Order.objects.filter(bot=bot, status__in=OPEN).exists():
        raise Conflict(f"{bot.name} runs or has open orders. Stop it first.")
    if Position.objects.filter(bot=bot, dust=False).exclude(quantity=0).exists():
        raise Conflict(f"{bot.name} holds positions. Close it first.")
    with transaction.atomic():
        Bot.objects.filter(pk=bot.pk).update(archived_at=timezone.now(), name=f"{bot.name[:60]} ({bot.bot_id})")
        bot_change_record(bot, "deleted", user)


def bot_start(*, bot_id: str, user: Person = None) -> Bot:
    """Starts a new run, or goes on after a pause. `Conflict` while the kill switch is on; `Invalid` where the bot may not trade."""
    bot = bot_reach(bot_id, user)
    require_right(user, REAL_MONEY if bot.mode == Mode.LIVE else "trading.change_bot")
    if KillSwitch.objects.filter(killed=True).exists():
        raise Conflict("The kill switch is on. Arm the desk again first.")
    if bot.wanted == Want.RUNNING:
        return bot
    with transaction.atomic():
        # Compare and set: of two people who press Start, one starts it.
        if bot.wanted == Want.PAUSED:
            Bot.objects.filter(pk=bot.pk, wanted=Want.PAUSED).update(wanted=Want.RUNNING)
        elif Bot.objects.filter(pk=bot.pk, wanted=Want.STOPPED).update(wanted=Want.RUNNING):
            run_begin(bot)
        bot_change_record(bot, "started", user)
    return bot_get(bot_id)


def run_begin(bot: Bot) -> BotRun:
    """A run with the venue's rules as they are now, and a new trader that takes over the bot's cash and positions, from the
    snapshot of the run before or, where that is of another version, from the books. A replay begins with nothing each time."""
    trading_check(bot)
    config = parse_config(bot.config)
    if bot.run and bot.run.ended_at is None:
        raise Conflict(f"{bot.name} is still stopping. Wait until its orders are settled.")
    for symbol in config.symbols:
        instrument_ensure(venue=bot.venue, symbol=symbol)
    config = replace(config, rules=rules_find(config))
    budgets_ensure(bot, parse_limits(bot.limits), config.symbols[0].split("-")[1])
    run = BotRun.objects.create(
        run_id=token_hex(8),
        bot=bot,
        mode=bot.mode,
        config=config.to_json(),
        limits=bot.limits,
        code_hash=registry.get_strategy(bot.strategy).code_hash(),
    )
    if bot.mode == Mode.REPLAY:
        replay_begin(run, config)
    trader = trader_make(config, external=bot.external)
    if bot.mode != Mode.REPLAY and (state := BotState.objects.filter(bot=bot).select_related("run").first()):
        before = trader_make(parse_config(state.run.config), external=state.run.mode in EXTERNAL)
        try:
            before.load(bytes(state.book))
            trader.carry(before)
        except Unreadable:
            trader.take_over(*books_sum(bot))
    BotState.objects.update_or_create(
        bot=bot, defaults={"run": run, "version": 0, "time": None, "opened": None, "book": trader.dump()}
    )
    Bot.objects.filter(pk=bot.pk).update(run=run)
    bot.run = run
    return run


def replay_begin(run: BotRun, config: RunConfig) -> None:
    """Gives the run its books. What a replay before it could not sell, because it failed, is forgotten: it was made up."""
    fees = (exact_decimal(config.fees.maker), exact_decimal(config.fees.taker))
    quote = config.symbols[0].split("-")[1]
    run.books = replay_books_open(run_id=run.run_id, like=run.bot.wallet, quote=quote, cash=config.cash, fees=fees)
    run.save(update_fields=["books"])
    for position in Position.objects.filter(bot=run.bot).exclude(quantity=0):
        budget_settle(budgets_ensure(run.bot, parse_limits(run.bot.limits), quote), use=-position.cost)
        Position.objects.filter(pk=position.pk).update(quantity=0, cost=0, opened_at=None)


def trading_check(bot: Bot) -> None:
    """Raises `Invalid` with what keeps the bot from trading."""
    if bot.mode == Mode.LIVE and not settings.LIVE_TRADING:
        raise Invalid.at("mode", "The desk does not trade live: set LIVE_TRADING=1 and start it anew.")
    if bot.mode == Mode.LIVE and not bot.live_allowed:
        raise Invalid.at("live_allowed", "This bot may not trade live yet. Switch it on in its settings.")
    account = bot.wallet.account
    if bot.external and (account is None or not account.has_secret):
        raise Invalid.at("wallet_id", "The wallet's exchange account has no key.")
    if account is not None and account.refused_reason:
        raise Invalid.at("wallet_id", f"The account's key is not used: {account.refused_reason}")


def bot_pause(*, bot_id: str, user: Person = None) -> Bot:
    """Makes no new entries and cancels resting ones; exits go on."""
    require_right(user, "trading.change_bot")
    bot = bot_reach(bot_id, user)
    with transaction.atomic():
        if not Bot.objects.filter(pk=bot.pk, wanted=Want.RUNNING).update(wanted=Want.PAUSED):
            raise Conflict(f"{bot.name} is {bot.wanted}: only a running bot can be paused.")
        bot_change_record(bot, "paused", user)
    return bot_get(bot_id)


def bot_stop(*, bot_id: str, user: Person = None) -> Bot:
    """Cancels its open orders; its positions stay as they are, with nothing to protect them."""
    require_right(user, "trading.change_bot")
    bot = bot_reach(bot_id, user)
    with transaction.atomic():
        Bot.objects.filter(pk=bot.pk).update(wanted=Want.STOPPED)
        bot_change_record(bot, "stop", user)
    return bot_get(bot_id)


def bot_close(*, bot_id: str, user: Person = None) -> Bot:
    """Cancels its open orders, sells its positions at market, then stops it. `Conflict` unless it runs."""
    require_right(user, "trading.change_bot")
    bot = bot_reach(bot_id, user)
    with transaction.atomic():
        if not Bot.objects.filter(pk=bot.pk, wanted__in=[Want.RUNNING, Want.PAUSED]).update(wanted=Want.CLOSING):
            raise Conflict(f"{bot.name} is {bot.wanted}. Start it, then close it: a stopped bot sends no orders.")
        bot_change_record(bot, "close", user)
    return bot_get(bot_id)


def read_kill_switch(form: Fields) -> tuple[bool, str]:
    """Whether to kill, and why. What is no plain true or false kills nothing and arms nothing."""
    killed, reason = form.take("killed"), form.text("reason")
    if not isinstance(killed, bool):
        form.fault("killed", f"must be true or false; got {show_value(killed)}.")
    form.close()
    return killed is True, reason


def kill_switch_set(*, killed: bool, reason: str = "", user: Person = None) -> KillSwitch:
    """On: from this commit on no order is sent, every bot is stopped, and all open orders are to be cancelled; those that were not
    sent yet never will be. Positions stay. Off: bots stay stopped until a person starts them."""
    require_right(user, "trading.change_killswitch")
    if not killed:
        require_unlimited(user)
    who = user.get_username() if user else "the desk"
    with transaction.atomic():
        switch, _ = KillSwitch.objects.update_or_create(
            pk=1, defaults={"killed": killed, "reason": reason[:200], "changed_by": who, "changed_at": timezone.now()}
        )
        stopped = cancelled = 0
        if killed:
            stopped = Bot.objects.exclude(wanted=Want.STOPPED).update(wanted=Want.STOPPED)
            cancelled = Order.objects.filter(status__in=OPEN).update(cancel_requested=True)
        what = "The kill switch is on: no order is sent." if killed else "The desk is armed again."
        payload = {
            "killed": killed,
            "message": what,
            "reason": reason[:200],
            "by": who,
            "bots_stopped": stopped,
            "orders_cancelled": cancelled,
        }
        events_record([News("alert", "kill_switch", payload)])
        transaction.on_commit(partial(push_message, "desk", "changed"))
    return switch


def bot_change_record(bot: Bot, what: str, user: Person, **more: Any) -> None:
    """Writes an event, and wakes the stream workers once that is committed."""
    payload = {"name": bot.name, "change": what, "by": user.get_username() if user else "the desk", "mode": bot.mode, **more}
    events_record([News("bot_status", "person", payload)], bot=bot.bot_id, run_id=bot.run.run_id if bot.run else "")
    transaction.on_commit(partial(push_message, "desk", "changed", bot=bot.bot_id))
