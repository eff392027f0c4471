"""Lots: bought by entries, turned into trades by exits."""

from __future__ import annotations

from engine.book import SEPARATE, Book, inlined, ordinal, record_fill
from engine.matching import buy_price, sell_price, use_volume, within_volume
from engine.protections import close_trade

WHOLE = 1e-12
"""A rest below this share of a quantity is rounding noise."""


@inlined
def lot_to_join(book: Book, s: int, order: int, rung: int) -> int:
    """The row of the lot that a purchase adds to, -1 for a new one. A lot queued to be sold takes nothing in."""
    for row in range(book.state[0].lots):
        lot = book.lots[row]
        if lot.symbol != s or lot.exit >= 0:
            continue
        if lot.order == order or (book.setup[0].mode != SEPARATE and rung < 0 and lot.rung < 0):
            return row
    return -1


@inlined
def open_lot(book: Book, s: int, t: int, order: int, take: float, rung: int, reason: int) -> int:
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
    lot.entry_ordinal = ordinal(book, s, t)
    lot.highest = 0.0
    lot.inside_at = -1
    lot.take = take
    lot.order = order
    lot.rung = rung
    lot.reason = reason
    lot.exit = -1
    book.symbols[s].lots += 1
    if rung >= 0:
        book.rungs[rung].lot = lot.id
    return int(row)


@inlined
def buy(
    book: Book,
    s: int,
    t: int,
    raw: float,
    ceiling: float,
    quantity: float,
    maker: bool,
    inside: bool,
    order: int,
    reason: int,
    rung: int,
    take: float,
) -> None:
    """Pay for `quantity` at `raw` (a taker: plus slippage, at most `ceiling`) and put it into a lot."""
    price, rate = raw, book.setup[0].maker
    if not maker:
        price, rate = min(buy_price(book, s, t, raw, quantity), ceiling), book.setup[0].taker
    fee = quantity * price * rate
    slippage = quantity * (price - raw)
    cash = book.state[0].cash - quantity * price - fee
    # The quantity was computed from the cash; multiplied back it may miss by a rounding.
    book.state[0].cash = 0.0 if -book.setup[0].dust <= cash < 0.0 else cash
    use_volume(book, s, t, quantity)
    row = lot_to_join(book, s, order, rung)
    if row < 0:
        row = open_lot(book, s, t, order, take, rung, reason)
        book.lots[row].born_inside = inside and not maker
    add_to_lot(book, row, t, price, quantity, fee, slippage, inside)
    record_fill(book, order, s, t, price, quantity, fee, slippage, maker)


@inlined
def add_to_lot(book: Book, row: int, t: int, price: float, quantity: float, fee: float, slippage: float, inside: bool) -> None:
    lot = book.lots[row]
    # Exactly `price` for the first fill: a level computed from it is compared with prices as given.
    lot.price += (price - lot.price) * (quantity / (lot.quantity + quantity))
    lot.quantity += quantity
    lot.fees += fee
    lot.slippage += slippage
    lot.highest = max(lot.highest, lot.price)
    if inside:
        lot.inside_at = t
    book.symbols[lot.symbol].position += quantity


@inlined
def close_part(book: Book, row: int, t: int, price: float, part: float, fee: float, slippage: float, reason: int) -> None:
    """Turn `part` of a lot into a trade; an emptied lot is left for `drop_sold`."""
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
        lot.quantity -= part
        lot.fees -= entry_fee
        lot.slippage -= entry_slippage


@inlined
def count_trade(book: Book, profit_ratio: float) -> None:
    """What Kelly sizing knows of the past."""
    state = book.state[0]
    state.closed += 1
    if profit_ratio > 0.0:
        state.wins += 1
        state.win_returns += profit_ratio
    else:
        state.loss_returns -= profit_ratio


@inlined
def drop_sold(book: Book, s: int) -> None:
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


@inlined
def is_for_sale(book: Book, row: int, s: int, exit_order: int, settled_at: int, lot_id: int) -> bool:
    """Whether a sale takes from this lot: of symbol `s`, queued for `exit_order` (-1: not queued), not bought inside
    candle `settled_at` (-1: whenever), and `lot_id` if that is not -1."""
    lot = book.lots[row]
    if lot.symbol != s or lot.exit != exit_order:
        return False
    return bool((lot_id < 0 or lot.id == lot_id) and (settled_at < 0 or lot.inside_at != settled_at))


@inlined
def for_sale(book: Book, s: int, exit_order: int, settled_at: int, lot_id: int) -> float:
    total = 0.0
    for row in range(book.state[0].lots):
        if is_for_sale(book, row, s, exit_order, settled_at, lot_id):
            total += book.lots[row].quantity
    return total


@inlined
def sell(
    book: Book,
    s: int,
    t: int,
    raw: float,
    floor: float,
    wanted: float,
    maker: bool,
    capped: bool,
    order: int,
    reason: int,
    exit_order: int,
    settled_at: int,
    lot_id: int,
) -> float:
    """Sell up to `wanted` of the lots that `is_for_sale` names, oldest first, at `raw` (a taker: less slippage, at least `floor`).

    One fill; a trade for each lot it takes from. Returns the quantity sold.
    """
    available = for_sale(book, s, exit_order, settled_at, lot_id)
    quantity = min(wanted, available)
    if capped:
        quantity = within_volume(book, s, t, quantity)
    if quantity <= 0.0:
        return 0.0
    price, rate = raw, book.setup[0].maker
    if not maker:
        price, rate = max(sell_price(book, s, t, raw, quantity), floor), book.setup[0].taker
    fee = quantity * price * rate
    slippage = quantity * (raw - price)
    book.state[0].cash += quantity * price - fee
    use_volume(book, s, t, quantity)
    everything = quantity >= available * (1.0 - WHOLE)
    left = quantity
    for row in range(book.state[0].lots):
        if left <= 0.0 and not everything:
            break
        if not is_for_sale(book, row, s, exit_order, settled_at, lot_id):
            continue
        held = book.lots[row].quantity
        part = held if everything or left >= held * (1.0 - WHOLE) else left
        left = left - part if left - part > quantity * WHOLE else 0.0
        close_part(book, row, t, price, part, fee * part / quantity, slippage * part / quantity, reason)
    book.symbols[s].position -= quantity
    drop_sold(book, s)
    record_fill(book, order, s, t, price, quantity, fee, slippage, maker)
    return quantity


@inlined
def claim_lots(book: Book, s: int, order: int, settled_at: int) -> float:
    """Queue all lots of the symbol that are not queued yet for `order`. Returns their quantity."""
    total = 0.0
    for row in range(book.state[0].lots):
        if is_for_sale(book, row, s, -1, settled_at, -1):
            book.lots[row].exit = order
            total += book.lots[row].quantity
    return total
