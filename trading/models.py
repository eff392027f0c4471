"""Bots and what came of them: runs, orders, fills, positions and risk.

Prices, quantities and money are exact. `trading.services` writes these rows, and nothing else does.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from wallets.models import Wallet


def amount_field(**options: Any) -> models.DecimalField[Any, Any]:
    """A price, quantity or sum of money."""
    return models.DecimalField(max_digits=38, decimal_places=18, **options)


class Mode(models.TextChoices):
    REPLAY = "replay"
    PAPER = "paper"
    TESTNET = "testnet"
    LIVE = "live"


EXTERNAL = (Mode.TESTNET, Mode.LIVE)
"""Modes whose orders a venue executes. In the others the engine does, by the rules of the backtest."""


class DesiredStatus(models.TextChoices):
    """What a person wants of a bot; what it does is computed (`selectors.bots`)."""

    RUNNING = "running"
    PAUSED = "paused", "paused: no entries, exits go on"
    CLOSING = "closing", "closing: sells what it holds, then stops"
    STOPPED = "stopped"


class Bot(models.Model):
    bot_id = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=80, unique=True)
    config = models.JSONField(help_text="As of a backtest: strategy, parameters, symbols, interval, cash, sizing, exits, limits.")
    strategy = models.CharField(max_length=64)
    venue = models.CharField(max_length=32)
    symbols = models.CharField(max_length=1024, help_text="With commas between.")
    interval = models.CharField(max_length=4)
    mode = models.CharField(max_length=8, choices=Mode)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="bots")
    live_allowed = models.BooleanField(default=False, help_text="The bot's own switch for mode live; the desk's is LIVE_TRADING.")
    limits = models.JSONField(default=dict, help_text="Its risk limits: see trading.setup.limits.")
    schedule = models.JSONField(default=dict, blank=True, help_text="When entries are allowed: see trading.setup.limits.")
    replay = models.JSONField(default=dict, blank=True, help_text="Mode replay: start, end, and speed (0: as fast as it goes).")
    wanted = models.CharField(max_length=8, choices=DesiredStatus, default=DesiredStatus.STOPPED)
    run = models.ForeignKey("BotRun", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    from_backtest = models.CharField(max_length=16, blank=True, help_text="run_id of the backtest that it was made from.")
    archived_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["wanted"], name="bot_wanted", condition=~Q(wanted="stopped"))]
        permissions = [("trade_live", "Can let bots trade real money")]

    def __str__(self) -> str:
        return self.name

    @property
    def symbol_list(self) -> list[str]:
        return self.symbols.split(",")

    @property
    def external(self) -> bool:
        """Whether a venue executes its orders."""
        return self.mode in EXTERNAL


class BotRun(models.Model):
    """One life of a bot, from a start to the stop."""

    run_id = models.CharField(max_length=16, unique=True)
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="runs")
    mode = models.CharField(max_length=8, choices=Mode)
    books = models.OneToOneField(
        Wallet, on_delete=models.PROTECT, null=True, blank=True, related_name="replay", help_text="Of a replay: its own."
    )
    config = models.JSONField()
    limits = models.JSONField(default=dict)
    code_hash = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(
        max_length=32, blank=True, help_text="stopped, closed, partly_closed (see left), failed, finished (a replay)"
    )
    error = models.TextField(blank=True)
    left = models.JSONField(
        default=list, blank=True, help_text="What was still held, or open, when it ended: how much, its worth, and why."
    )
    history_from = models.DateTimeField(null=True, help_text="Open time of the first candle that its strategy was given.")
    decides_from = models.DateTimeField(null=True, help_text="Open time of the first candle at whose close it decided.")
    decided_at = models.DateTimeField(null=True, help_text="Open time of the last candle at whose close it decided.")
    evaluated_at = models.DateTimeField(null=True, help_text="When that was, by our clock.")
    evaluation_ms = models.FloatField(null=True)
    evaluations = models.BigIntegerField(default=0)
    equity = amount_field(null=True, help_text="At the last close, in quote.")
    progress = models.FloatField(null=True, help_text="Of a replay: 0 to 1.")
    held_reason = models.CharField(
        max_length=200, blank=True, help_text="Why it does not decide at present: stale prices, recovery."
    )

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.run_id


class BotState(models.Model):
    """The engine's snapshot of a bot, written in the same transaction as what follows from it. `version` is compared and set: of
    two processes that have loaded one bot, the second one's write fails."""

    bot = models.OneToOneField(Bot, on_delete=models.CASCADE, primary_key=True, related_name="state")
    run = models.ForeignKey(BotRun, on_delete=models.CASCADE, related_name="+")
    version = models.BigIntegerField(default=0)
    time = models.BigIntegerField(null=True, help_text="Open time, in ms, of the last candle whose close was taken in.")
    opened = models.BigIntegerField(null=True, help_text="Open time, in ms, of the candle whose open was taken in.")
    book = models.BinaryField()
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"version {self.version}"


class OrderStatus(models.TextChoices):
    PENDING = "pending"
    SUBMITTED = "submitted", "submitted: unknown until the venue answers"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


OPEN = (OrderStatus.PENDING, OrderStatus.SUBMITTED, OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)


class Order(models.Model):
    """What we told the venue, or are about to. `number` is the engine's own within the run."""

    order_id = models.CharField(max_length=16, unique=True)
    client_order_id = models.CharField(max_length=36, unique=True)
    venue_order_id = models.CharField(max_length=64, blank=True)
    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="orders")
    run = models.ForeignKey(BotRun, on_delete=models.PROTECT, related_name="orders")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="orders")
    number = models.IntegerField()
    mode = models.CharField(max_length=8, choices=Mode)
    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=4, choices=[("buy", "buy"), ("sell", "sell")])
    type = models.CharField(max_length=10)
    quantity = amount_field()
    limit = amount_field(null=True, blank=True)
    stop = amount_field(null=True, blank=True)
    reason = models.CharField(max_length=20, help_text="Why the engine made it: entry_signal, stop_loss, ...")
    status = models.CharField(max_length=16, choices=OrderStatus, default=OrderStatus.PENDING)
    status_reason = models.CharField(max_length=200, blank=True, help_text="What the venue, or we, said to it.")
    filled_quantity = amount_field(default=Decimal(0))
    average_price = amount_field(null=True, blank=True)
    fees = amount_field(default=Decimal(0), help_text="In quote.")
    reference_price = amount_field(null=True, blank=True, help_text="The price that it was decided at.")
    correlation_id = models.CharField(max_length=32, db_index=True)
    trigger_id = models.CharField(max_length=64, blank=True, help_text="The candle or tick that it was decided on.")
    cancel_requested = models.BooleanField(default=False)
    attempts = models.IntegerField(default=0, help_text="How often it was, or may have been, sent.")
    decided_at = models.DateTimeField(help_text="The market's time of the decision.")
    created_at = models.DateTimeField(default=timezone.now)
    submitted_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="order_once_a_decision"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="order_quantity_positive"),
            models.CheckConstraint(condition=Q(filled_quantity__gte=0), name="order_filled_not_negative"),
        ]
        indexes = [
            models.Index(
                fields=["status", "id"],
                name="order_open",
                condition=Q(status__in=["pending", "submitted", "accepted", "partially_filled"]),
            ),
            models.Index(fields=["bot", "-id"], name="order_by_bot"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity.normalize():f} {self.symbol} ({self.client_order_id})"


class Fill(models.Model):
    """One execution. Append-only, but for a fee whose worth becomes known later; applying it a second time changes nothing. Where
    two orders of one account met, both have one of the same trade id, each on its side."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="fills")
    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="fills")
    account = models.CharField(max_length=40, help_text="Where trade ids count: the exchange account, or the run on paper.")
    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    trade_id = models.CharField(max_length=64)
    side = models.CharField(max_length=4)
    price = amount_field()
    quantity = amount_field()
    cost = amount_field(help_text="price x quantity, in quote.")
    fee = amount_field(null=True, help_text="In quote, at the time of the fill; empty: its worth is not known.")
    fee_paid = amount_field(help_text="As the venue took it.")
    fee_asset = models.CharField(max_length=16)
    fee_valued = models.CharField(
        max_length=120, blank=True, help_text="How a fee in another asset was valued: the prices; unvalued: there was none."
    )
    maker = models.BooleanField()
    profit = amount_field(null=True, help_text="Of a sale: against the position's average cost, fees of both sides included.")
    correlation_id = models.CharField(max_length=32)
    ts = models.DateTimeField(help_text="The venue's time.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["account", "venue", "symbol", "trade_id", "side"], name="fill_once")]
        indexes = [
            models.Index(fields=["bot", "-id"], name="fill_by_bot"),
            models.Index(fields=["bot", "ts"], name="fill_by_bot_time"),
            models.Index(fields=["venue", "bot"], name="fill_unvalued", condition=Q(fee__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.quantity.normalize():f} {self.symbol} at {self.price.normalize():f}"


class DaySums(models.Model):
    """What the fills of a day (UTC, by the venue's time) come to. The database keeps these sums as fills are written (migration
    0011), so that a year of them is read at once; those of replays are not in them. Money in quote unless said otherwise."""

    mode = models.CharField(max_length=8, choices=Mode)
    day = models.DateField()
    venue = models.CharField(max_length=32)
    currency = models.CharField(max_length=16, help_text="The quote of its symbols.")
    sales = models.IntegerField(help_text="Fills that sold.")
    won = models.IntegerField(help_text="Sales with a profit above zero.")
    realised = amount_field(help_text="Profit of the sales, fees of both sides included.")
    fees = amount_field(help_text="As far as their worth is known.")
    unvalued = models.IntegerField(help_text="Fills whose fee has no known worth.")

    class Meta:
        abstract = True


class BotDay(DaySums):
    """Of a bot, in a symbol, by a strategy."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="days")
    strategy = models.CharField(max_length=64, help_text="That of the runs.")
    symbol = models.CharField(max_length=32)
    best = amount_field(null=True, help_text="The highest profit of a single sale.")
    worst = amount_field(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bot", "mode", "venue", "symbol", "strategy", "day"], name="bot_day_once")]
        indexes = [models.Index(fields=["mode", "day"], name="bot_day_by_day")]

    def __str__(self) -> str:
        return f"{self.symbol} on {self.day}"


class WalletDay(DaySums):
    """Of a wallet, by the asset that fees were taken in."""

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="days")
    fee_asset = models.CharField(max_length=16)
    paid = amount_field(help_text="Fees as the venue took them, in the fee's asset.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "mode", "venue", "currency", "fee_asset", "day"], name="wallet_day_once")
        ]
        indexes = [models.Index(fields=["mode", "day"], name="wallet_day_by_day")]

    def __str__(self) -> str:
        return f"{self.venue} on {self.day}"


class Position(models.Model):
    """A bot's position in a symbol: the sum of its fills. `cost`: what the present quantity was bought for, fees included."""

    bot = models.ForeignKey(Bot, on_delete=models.PROTECT, related_name="positions")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="positions")
    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    quantity = amount_field(default=Decimal(0))
    cost = amount_field(default=Decimal(0))
    realised = amount_field(default=Decimal(0), help_text="Profit of what was sold, after fees, in quote.")
    fees = amount_field(default=Decimal(0))
    dust = models.BooleanField(default=False, help_text="Too little for the venue to take an order for: no position.")
    opened_at = models.DateTimeField(null=True)
    exit_blocked = models.CharField(
        max_length=300, blank=True, help_text="Why it cannot be sold although it should be; empty where that is not so."
    )
    exit_blocked_at = models.DateTimeField(null=True, help_text="Since when.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["symbol"]
        constraints = [models.UniqueConstraint(fields=["bot", "symbol"], name="position_once")]

    def __str__(self) -> str:
        return f"{self.quantity.normalize():f} {self.symbol}"


class RiskBudget(models.Model):
    """How much may be at risk at once: of the whole desk, a wallet, a bot. `claimed` for orders on their way, `used` by positions
    (at cost). A trigger refuses claims beyond the limit, whatever the code does (migration 0002)."""

    scope = models.CharField(max_length=8, choices=[("desk", "desk"), ("wallet", "wallet"), ("bot", "bot")])
    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, null=True, blank=True, related_name="risk_budgets")
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, null=True, blank=True, related_name="risk_budgets")
    mode = models.CharField(
        max_length=8, blank=True, help_text="The desk has one for each mode: paper money crowds out no real one."
    )
    currency = models.CharField(max_length=16, help_text="USD stands for every currency pegged to it.")
    limit = amount_field(null=True, help_text="Empty: none is set, so a bot may have its equity at risk.")
    claimed = amount_field(default=Decimal(0))
    used = amount_field(default=Decimal(0))
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(claimed__gte=0), name="budget_claimed_not_negative"),
            models.CheckConstraint(condition=Q(used__gte=0), name="budget_used_not_negative"),
            # Where real money is at risk, a person has said how much.
            models.CheckConstraint(
                condition=Q(limit__isnull=False) | Q(scope="bot") | ~Q(mode="live"), name="budget_limit_named_for_live"
            ),
            models.UniqueConstraint(fields=["mode", "currency"], condition=Q(scope="desk"), name="budget_once_a_desk_mode"),
            models.UniqueConstraint(fields=["wallet", "currency"], condition=Q(scope="wallet"), name="budget_once_a_wallet"),
            models.UniqueConstraint(fields=["bot", "currency"], condition=Q(scope="bot"), name="budget_once_a_bot"),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.mode or self.wallet or self.bot}"


class AllocationStatus(models.TextChoices):
    CLAIMED = "claimed"
    USED = "used"
    RELEASED = "released"
    EXPIRED = "expired"


class RiskAllocation(models.Model):
    """The claim of one entry order. `amount` was set aside; of it `open` still is, `used` is in what the order bought, and
    `released` has been given back: what was not needed, and what of the purchase has been sold since, oldest first."""

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="allocation")
    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="allocations")
    run = models.ForeignKey(BotRun, on_delete=models.CASCADE, related_name="allocations")
    symbol = models.CharField(max_length=32)
    trigger_id = models.CharField(max_length=64, blank=True, help_text="The candle or tick that it was decided on.")
    currency = models.CharField(max_length=16)
    open = amount_field(help_text="What is still set aside.")
    used = amount_field(default=Decimal(0), help_text="At cost, what the order bought and the bot still holds.")
    released = amount_field(default=Decimal(0), help_text="What has been given back.")
    amount = amount_field()
    status = models.CharField(max_length=8, choices=AllocationStatus, default=AllocationStatus.CLAIMED)
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, help_text="When the order was over.")
    released_at = models.DateTimeField(null=True, help_text="When the last of it was given back.")

    class Meta:
        ordering = ["-order_id"]
        indexes = [models.Index(fields=["bot", "id"], name="allocation_held", condition=Q(used__gt=0))]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.currency}: {self.status}"


class BlockEvent(models.Model):
    """An order that we did not send, and why."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="blocks")
    run_id = models.CharField(max_length=16)
    correlation_id = models.CharField(max_length=32, db_index=True)
    trigger_id = models.CharField(max_length=64, blank=True)
    symbol = models.CharField(max_length=32)
    side = models.CharField(max_length=4)
    qty = amount_field(null=True)
    price = amount_field(null=True)
    reason = models.CharField(max_length=32)
    detail = models.CharField(max_length=400)
    ts = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["bot", "-id"], name="block_by_bot"),
            models.Index(fields=["reason", "-id"], name="block_by_reason"),
            models.Index(fields=["ts", "reason"], name="block_by_time"),
            models.Index(fields=["run_id", "-id"], name="block_by_run"),
        ]

    def __str__(self) -> str:
        return f"{self.reason}: {self.side} {self.symbol}"


class EquityPoint(models.Model):
    """A bot's equity at a moment, written on a schedule."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="equity_points")
    run_id = models.CharField(max_length=16)
    ts = models.DateTimeField()
    equity = amount_field()
    cash = amount_field()

    class Meta:
        ordering = ["ts"]
        constraints = [models.UniqueConstraint(fields=["bot", "ts"], name="equity_once_a_moment")]

    def __str__(self) -> str:
        return f"{self.equity} at {self.ts:%Y-%m-%d %H:%M}"


class PositionSnapshot(models.Model):
    """A position at a moment, written beside the bot's equity."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="position_snapshots")
    run_id = models.CharField(max_length=16)
    ts = models.DateTimeField()
    symbol = models.CharField(max_length=32)
    quantity = amount_field()
    average_entry = amount_field(help_text="What a unit had cost, fees included, in quote.")
    price = amount_field()
    value = amount_field()
    unrealised = amount_field()

    class Meta:
        ordering = ["ts"]
        constraints = [models.UniqueConstraint(fields=["bot", "symbol", "ts"], name="snapshot_once_a_moment")]

    def __str__(self) -> str:
        return f"{self.quantity} {self.symbol} at {self.ts:%Y-%m-%d %H:%M}"


class ForeignOrder(models.Model):
    """An order at the venue that is not ours, or that we cannot place: a person decides what becomes of it."""

    class State(models.TextChoices):
        OPEN = "open", "open: nobody has decided"
        ADOPTED = "adopted"
        IGNORED = "ignored"
        GONE = "gone", "gone: no longer open at the venue"

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="foreign_orders")
    venue = models.CharField(max_length=32)
    symbol = models.CharField(max_length=32)
    venue_order_id = models.CharField(max_length=64)
    client_order_id = models.CharField(max_length=64, blank=True)
    side = models.CharField(max_length=4)
    type = models.CharField(max_length=10)
    quantity = amount_field(null=True)
    filled = amount_field()
    limit = amount_field(null=True)
    unread = models.CharField(max_length=200, blank=True, help_text="Why the venue's row could not be read; empty: it could.")
    raw = models.TextField(blank=True, help_text="The venue's row as it came, if it could not be read.")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    adopted_by = models.ForeignKey(Bot, on_delete=models.SET_NULL, null=True, blank=True, related_name="adopted_orders")
    seen_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["wallet", "venue_order_id"], name="foreign_order_once")]

    def __str__(self) -> str:
        return f"{self.side} {self.symbol} {self.venue_order_id}"


class KillSwitch(models.Model):
    """One row. While `killed`, no order is sent."""

    killed = models.BooleanField(default=False)
    reason = models.CharField(max_length=200, blank=True)
    changed_by = models.CharField(max_length=150, blank=True)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "kill switch"

    def __str__(self) -> str:
        return "killed" if self.killed else "armed"
