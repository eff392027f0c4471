"""Fees that could not be valued at their fills, once a price of that time has become known.

The fill gets its fee, and everything that has counted it as nothing is put right in the same statement: order, position, the
profit of what was sold since, budgets, and the bot's cash. What a purchase paid belongs to what it bought: each later sale has its
share of it, and the position the rest. The ledger has had the fee from the start, in the asset that it was taken in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F

from core.events import News
from core.text import decimal_text
from core.times import to_ms
from core.venues import venue_split
from market.exchanges.base import Execution
from market.past_prices import PriceHistory
from trading.models import Bot, Fill, Order
from trading.services.bot_loading import positions_ensure
from trading.services.fee_valuation import PLACES, FeeValuation, FeeWorth
from trading.services.fills import NOTHING, position_payload, round_share
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.step_writer import StepEffects
from trading.services.venue_steps import VenueStepWriter

AT_ONCE = 200
"""Fills that are looked at in one go, the newest first."""
STILL_UNVALUED = "SELECT 1 FROM trading_fill WHERE id = ANY(%s::bigint[]) AND fee IS NULL FOR UPDATE"


def bots_with_unvalued_fees(venue: str) -> list[int]:
    """The primary keys of the venue's bots with fills, in their present mode, whose fee has no known worth."""
    waiting = Fill.objects.filter(fee=None, venue=venue, order__mode=F("bot__mode"))
    return sorted(Bot.objects.filter(pk__in=waiting.values("bot")).values_list("pk", flat=True))


def fees_value(loaded_bot: LoadedBot, market: MarketNow) -> StepEffects:
    """Values what can be valued by now of the bot's fees. Doing it twice changes nothing more."""
    bot = loaded_bot.bot
    waiting = Fill.objects.filter(bot=bot, fee=None, order__mode=bot.mode).order_by("-id")[:AT_ONCE]
    found = value_fills(bot, list(waiting), market)
    if not found:
        return StepEffects()
    writer = VenueStepWriter(loaded_bot, market)
    for symbol in sorted({fill.symbol for fill, _ in found.values()}):
        symbol_book(writer, symbol, {pk: worth for pk, (fill, worth) in found.items() if fill.symbol == symbol})
    writer.batch.require("fees", STILL_UNVALUED, [list(found)], count=len(found))
    if not loaded_bot.unreadable:
        loaded_bot.trader.charge(float(sum(worth.value or NOTHING for _, worth in found.values())))
    return writer.finish()


def value_fills(bot: Bot, fills: Sequence[Fill], market: MarketNow) -> dict[int, tuple[Fill, FeeWorth]]:
    """By primary key, those of the fills whose fee has a worth now."""
    valuation = FeeValuation(bot.venue, market.time, market.memory)
    histories: dict[str, PriceHistory] = {}
    found = {}
    for fill in fills:
        worth = valuation.value_fee(fill.symbol, execution_of(fill))
        if worth.value is None:
            worth = value_by_candles(fill, histories)
        if worth.value is not None:
            found[fill.pk] = fill, worth
    return found


def value_by_candles(fill: Fill, histories: dict[str, PriceHistory]) -> FeeWorth:
    """By the last closes before the fill. `histories`: by quote, those that were read already."""
    quote = fill.symbol.split("-")[1]
    if quote not in histories:
        histories[quote] = PriceHistory(venue_split(fill.venue)[1], quote, {fill.fee_asset})
    price = histories[quote].price_at(fill.fee_asset, to_ms(fill.ts))
    if price is None:
        return FeeWorth(None)
    return FeeWorth((fill.fee_paid * price).quantize(PLACES), how=f"{fill.fee_asset}-{quote} {decimal_text(price)}, by candles")


def execution_of(fill: Fill) -> Execution:
    return Execution(fill.trade_id, fill.price, fill.quantity, fill.fee_paid, fill.fee_asset, fill.maker, fill.ts)


def symbol_book(writer: VenueStepWriter, symbol: str, worths: Mapping[int, FeeWorth]) -> None:
    """Puts right what the fees of these fills of one symbol have changed. `worths`: by the fill's primary key."""
    loaded_bot = writer.loaded_bot
    position = positions_ensure(loaded_bot.bot, [symbol], loaded_bot.positions)[symbol]
    since = Fill.objects.filter(bot=loaded_bot.bot, symbol=symbol, order__mode=loaded_bot.bot.mode, pk__gte=min(worths))
    fills = list(since.select_related("order").order_by("id"))
    late, orders = LateFees(worths, sold_shares(position.quantity, fills)), {fill.order_id: fill.order for fill in fills}
    for fill in fills:
        if late.take(fill):
            writer.batch.update(fill, "fee", "fee_valued", "profit")
        if fill.pk in worths:
            note_valued(writer, fill, orders[fill.order_id])
    position.cost += late.held
    position.realised -= late.realised
    position.fees += late.held + late.realised
    writer.books.claims.add_cost(symbol, late.held)
    writer.books.draw.settle(use=late.held)
    writer.batch.update(position, "cost", "realised", "fees", "updated_at")
    writer.effects.news.append(News("position_update", loaded_bot.bot.mode, position_payload(position)))


@dataclass(slots=True)
class LateFees:
    """Goes through a symbol's fills in their order. `shares`: of what was held, what each sale sold."""

    worths: Mapping[int, FeeWorth]
    shares: Mapping[int, Decimal]
    held: Decimal = NOTHING
    """Of the fees so far, what belongs to what is still held."""
    realised: Decimal = NOTHING
    """And to what was sold."""

    def take(self, fill: Fill) -> bool:
        """Whether it changes the fill."""
        worth = self.worths.get(fill.pk)
        own = NOTHING if worth is None else worth.value or NOTHING
        if worth is not None:
            fill.fee, fill.fee_valued = own, worth.how
        if fill.side == "buy":
            self.held += own
            return worth is not None
        part = self.held if self.shares[fill.pk] == 1 else round_share(self.held * self.shares[fill.pk])
        self.held -= part
        self.realised += part + own
        fill.profit = (fill.profit or NOTHING) - part - own
        return worth is not None or part != 0


def sold_shares(quantity: Decimal, fills: Sequence[Fill]) -> dict[int, Decimal]:
    """By the primary key of each sale, the share of the position that it sold. `quantity`: what is left after all of them."""
    shares = {}
    for fill in reversed(fills):
        in_base = fill.fee_paid if fill.fee_asset == fill.symbol.split("-")[0] else NOTHING
        if fill.side == "buy":
            quantity -= fill.quantity - in_base
            continue
        before = quantity + fill.quantity + in_base
        shares[fill.pk] = Decimal(1) if quantity <= 0 else (before - quantity) / before
        quantity = before
    return shares


def note_valued(writer: VenueStepWriter, fill: Fill, order: Order) -> None:
    """The order's fees, and the event."""
    fee, quote = fill.fee or NOTHING, fill.symbol.split("-")[1]
    order.fees += fee
    writer.batch.update(order, "fees")
    told = {
        "id": fill.pk,
        "order_id": order.order_id,
        "symbol": fill.symbol,
        "fee": decimal_text(fee),
        "fee_paid": decimal_text(fill.fee_paid),
        "fee_asset": fill.fee_asset,
        "fee_valued": fill.fee_valued,
        "profit": None if fill.profit is None else decimal_text(fill.profit),
        "detail": f"The fee of {decimal_text(fill.fee_paid)} {fill.fee_asset} is worth {decimal_text(fee)} {quote}.",
    }
    writer.effects.news.append(News("fee_valued", order.mode, told, fill.correlation_id))
