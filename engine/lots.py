"""Lots: bought by entries, turned into trades by exits."""

from __future__ import annotations

from typing import NamedTuple

from engine.book import SEPARATE, KernelBook, KernelFill, inline_kernel, ordinal_at, record_fill
from engine.matching import buy_price, drop_noise, round_money, sell_price, subtract_part, use_volume, within_volume
from engine.protections import close_trade

WHOLE = 1e-12
"""A rest below this share of a quantity is rounding noise."""


class FillPrice(NamedTuple):
    """Where an order meets the market. A taker pays slippage on `raw`, and no worse a price than `bound`."""

    t: int
    raw: float
    bound: float
    maker: bool
    inside: bool
    """Whether it is inside the candle, after its open."""


class Origin(NamedTuple):
    """What a lot remembers of the order that bought it. `rung` is -1 for none; `take` is a rung's own price, 0 for none."""

    order: int
    reason: int
    rung: int
    take: float


class Sale(NamedTuple):
    """What an order sells: up to `wanted`; `capped`: no more than the candle's volume allows."""

    order: int
    reason: int
    wanted: float
    capped: bool


class LotChoice(NamedTuple):
    """The lots that a sale takes from: of `symbol`, queued for `exit_order` (-1: not queued), not bought inside candle
    `settled_at` (-1: whenever), and `lot_id` if that is not -1."""

    symbol: int
    exit_order: int
    settled_at: int
    lot_id: int


@inline_kernel
def queued_lots(s: int, exit_order: int) -> LotChoice:
    """The symbol's lots that are queued for an order, -1: those that are queued for none."""
    return LotChoice(s, exit_order, -1, -1)


@inline_kernel
def settled_lots(s: int, t: int) -> LotChoice:
    """The symbol's lots that are not queued and were not bought inside candle `t`."""
    return LotChoice(s, -1, t, -1)


@inline_kernel
def lot_to_join(book: KernelBook, s: int, order: int, rung: int) -> int:
    """The row of the lot that a purchase adds to, -1 for a new one. A lot queued to be sold takes nothing in."""
    for row in range(book.state[0].lots):
        lot = book.lots[row]
        if lot.symbol != s or lot.exit >= 0:
            continue
        if lot.order == order or (book.setup[0].mode != SEPARATE and rung < 0 and lot.rung < 0):
            return row
    return -1


@inline_kernel
def open_lot(book: KernelBook, s: int, t: int, origin: Origin) -> int:
    row = book.state[0].lots
    book.state[0].lots += 1
    lot = book.lots[row]
    lot.id = book.state[0].next_lot
    book.state[0].next_lot += 1
    lot.symbol = s
    lot.quantity = 0.0
    lot.price = 0.0
    lot.fees = 0.0
    lot.slippage = 0.0
    lot.profit = 0.0
    lot.paid = 0.0
    lot.entry = t
    lot.entry_ordinal = ordinal_at(book, s, t)
    lot.highest = 0.0
    lot.inside_at = -1
    lot.take = origin.take
    lot.order = origin.order
    lot.rung = origin.rung
    lot.reason = origin.reason
    lot.exit = -1
    book.symbols[s].lots += 1
    if origin.rung >= 0:
        book.rungs[origin.rung].lot = lot.id
    return int(row)


@inline_kernel
def buy_lot(book: KernelBook, s: int, fill_price: FillPrice, quantity: float, origin: Origin) -> None:
    """Pay for `quantity` and put it into a lot."""
    t, raw, maker = fill_price.t, fill_price.raw, fill_price.maker
    price, rate = raw, book.setup[0].maker
    if not maker:
        price, rate = min(buy_price(book, s, t, raw, quantity), fill_price.bound), book.setup[0].taker
    fee = pay_purchase(book, quantity * price, quantity * price * rate)
    fill = KernelFill(t, price, quantity, fee, quantity * (price - raw), maker)
    use_volume(book, s, t, quantity)
    row = lot_to_join(book, s, origin.order, origin.rung)
    if row < 0:
        row = open_lot(book, s, t, origin)
        book.lots[row].born_inside = fill_price.inside and not maker
    add_to_lot(book, row, fill, fill_price.inside)
    record_fill(book, origin.order, s, fill)


@inline_kernel
def pay_purchase(book: KernelBook, cost: float, fee: float) -> float:
    """Take both out of the cash. Returns the fee as it was paid: where amounts have a last place, what is missing comes off it."""
    fee = round_money(book, fee)
    cash = round_money(book, book.state[0].cash - round_money(book, cost) - fee)
    # The quantity was computed from the cash; multiplied back it may miss by a rounding.
    if -book.setup[0].dust <= cash < 0.0:
        if book.setup[0].money > 0.0:
            fee = round_money(book, fee + cash)
        cash = 0.0
    book.state[0].cash = cash
    return fee


@inline_kernel
def earn_sale(book: KernelBook, value: float, fee: float) -> float:
    """Put what a sale brings into the cash. Returns the fee as it was paid."""
    fee = round_money(book, fee)
    book.state[0].cash = round_money(book, book.state[0].cash + (round_money(book, value) - fee))
    return fee


@inline_kernel
def add_to_lot(book: KernelBook, row: int, fill: KernelFill, inside: bool) -> None:
    lot = book.lots[row]
    # Exactly the price for the first fill: a level computed from it is compared with prices as given.
    lot.price += (fill.price - lot.price) * (fill.quantity / (lot.quantity + fill.quantity))
    step = book.symbols[lot.symbol].lot
    lot.quantity = drop_noise(lot.quantity + fill.quantity, step)
    lot.fees += fill.fee
    lot.slippage += fill.slippage
    lot.highest = max(lot.highest, lot.price)
    if inside:
        lot.inside_at = fill.t
    book.symbols[lot.symbol].position = drop_noise(book.symbols[lot.symbol].position + fill.quantity, step)


@inline_kernel
def sell_part(book: KernelBook, row: int, fill: KernelFill, part: float, reason: int) -> None:
    """Sell `part` of the lot in `fill`, with its share of that one's costs, as a trade."""
    t, price = fill.t, fill.price
    fee, slippage = fill.fee * part / fill.quantity, fill.slippage * part / fill.quantity
    lot = book.lots[row]
    share = part / lot.quantity
    entry_price = lot.price
    entry_fee = lot.fees * share
    entry_slippage = lot.slippage * share
    profit = part * (price - entry_price) - entry_fee - fee
    paid = part * entry_price + entry_fee
    profit_ratio = profit / paid
    trade = book.trades[book.state[0].trades]
    book.state[0].trades += 1
    trade.symbol = lot.symbol
    trade.entry_index = lot.entry
    trade.exit_index = t
    trade.entry_price = entry_price
    trade.exit_price = price
    trade.quantity = part
    trade.fees = entry_fee + fee
    trade.slippage = entry_slippage + slippage
    trade.profit = profit
    trade["return"] = profit_ratio
    trade.entry_reason = lot.reason
    trade.exit_reason = reason
    count_trade(book, profit_ratio)
    lot.profit += profit
    lot.paid += paid
    lot.sold_at = t
    lot.sold_for = reason
    if share >= 1.0:
        lot.quantity = 0.0
    else:
        lot.quantity = subtract_part(lot.quantity, part, book.symbols[lot.symbol].lot)
        lot.fees -= entry_fee
        lot.slippage -= entry_slippage


@inline_kernel
def count_trade(book: KernelBook, profit_ratio: float) -> None:
    """What Kelly sizing knows of the past."""
    state = book.state[0]
    state.closed += 1
    if profit_ratio > 0.0:
        state.wins += 1
        state.win_returns += profit_ratio
    else:
        state.loss_returns -= profit_ratio


@inline_kernel
def drop_sold(book: KernelBook, s: int) -> None:
    """Close the ranks of the lots that are left, in the order they were opened."""
    kept = 0
    for row in range(book.state[0].lots):
        lot = book.lots[row]
        if lot.quantity <= 0.0:
            if book.setup[0].guarded and lot.paid > 0.0:
                close_trade(book, row)
            book.symbols[lot.symbol].lots -= 1
            if lot.rung >= 0:
                book.rungs[lot.rung].lot = -1
            continue
        if kept != row:
            book.lots[kept] = lot
        kept += 1
    book.state[0].lots = kept
    if book.symbols[s].lots == 0:
        book.symbols[s].position = 0.0


@inline_kernel
def is_for_sale(book: KernelBook, row: int, chosen: LotChoice) -> bool:
    lot = book.lots[row]
    if lot.symbol != chosen.symbol or lot.exit != chosen.exit_order:
        return False
    return bool((chosen.lot_id < 0 or lot.id == chosen.lot_id) and (chosen.settled_at < 0 or lot.inside_at != chosen.settled_at))


@inline_kernel
def for_sale(book: KernelBook, chosen: LotChoice) -> float:
    """Their quantity."""
    total = 0.0
    for row in range(book.state[0].lots):
        if is_for_sale(book, row, chosen):
            total += book.lots[row].quantity
    return drop_noise(total, book.symbols[chosen.symbol].lot)


@inline_kernel
def sell_lots(book: KernelBook, chosen: LotChoice, fill_price: FillPrice, sale: Sale) -> float:
    """Sell of the chosen lots, oldest first. One fill; a trade for each lot it takes from. Returns the quantity sold."""
    s, t, raw = chosen.symbol, fill_price.t, fill_price.raw
    available = for_sale(book, chosen)
    quantity = min(sale.wanted, available)
    if sale.capped:
        quantity = within_volume(book, s, t, quantity)
    if quantity <= 0.0:
        return 0.0
    price, rate = raw, book.setup[0].maker
    if not fill_price.maker:
        price, rate = max(sell_price(book, s, t, raw, quantity), fill_price.bound), book.setup[0].taker
    fee = earn_sale(book, quantity * price, quantity * price * rate)
    fill = KernelFill(t, price, quantity, fee, quantity * (raw - price), fill_price.maker)
    use_volume(book, s, t, quantity)
    everything = quantity >= available * (1.0 - WHOLE)
    left = quantity
    for row in range(book.state[0].lots):
        if left <= 0.0 and not everything:
            break
        if not is_for_sale(book, row, chosen):
            continue
        held = book.lots[row].quantity
        part = held if everything or left >= held * (1.0 - WHOLE) else left
        left = left - part if left - part > quantity * WHOLE else 0.0
        sell_part(book, row, fill, part, sale.reason)
    book.symbols[s].position = subtract_part(book.symbols[s].position, quantity, book.symbols[s].lot)
    drop_sold(book, s)
    record_fill(book, sale.order, s, fill)
    return quantity


@inline_kernel
def claim_lots(book: KernelBook, order: int, chosen: LotChoice) -> float:
    """Queue the chosen lots for `order`. Returns their quantity."""
    total = 0.0
    for row in range(book.state[0].lots):
        if is_for_sale(book, row, chosen):
            book.lots[row].exit = order
            total += book.lots[row].quantity
    return drop_noise(total, book.symbols[chosen.symbol].lot)
