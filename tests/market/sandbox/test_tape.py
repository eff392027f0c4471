"""The tape: the same seed gives the same day, and played candles come back as they went in."""

from __future__ import annotations

from decimal import Decimal
from itertools import islice, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from market.sandbox.events import Event
from market.sandbox.exchange import SandboxExchange
from market.sandbox.history import MINUTE, SandboxCandle
from market.sandbox.instruments import BINANCE, BINANCE_FEES, COINBASE
from market.sandbox.orders import OrderTicket
from market.sandbox.tape import Tape, of_candles
from market.sandbox.walk import PriceWalk

D = Decimal
START = 1_700_000_000_000 - 1_700_000_000_000 % MINUTE
LISTED = {"binance": BINANCE, "coinbase": COINBASE}
CENTS = st.integers(1, 10**7).map(lambda cents: D(cents) / 100)


@st.composite
def candles(draw: st.DrawFn) -> list[SandboxCandle]:
    minutes = draw(st.lists(st.integers(0, 500), min_size=1, max_size=20, unique=True).map(sorted))
    rows = []
    for minute in minutes:
        low, *middle, high = sorted(draw(st.tuples(CENTS, CENTS, CENTS, CENTS)))
        open_, close = draw(st.permutations(middle))
        volume = draw(st.integers(1, 10**9).map(lambda lots: D(lots) / 100_000))
        rows.append(SandboxCandle(START + minute * MINUTE, open_, high, low, close, volume))
    return rows


@settings(max_examples=50, deadline=None)
@given(rows=candles())
def test_candles_come_back_exactly(rows: list[SandboxCandle]) -> None:
    exchange = SandboxExchange("binance", BINANCE, BINANCE_FEES, seed=1, clock=lambda: 0)
    tape = Tape(
        of_candles("binance", "BTC-USDT", rows, lot=D("0.00001")),
        lambda t: exchange.trade(t.symbol, t.price, t.qty, buyer_is_maker=t.buyer_is_maker, time=t.time),
        start=START,
    )
    tape.step(501 * MINUTE)
    assert tape.over
    back = exchange.history("BTC-USDT").candles("1m", limit=100)
    assert [(c.time, c.open, c.high, c.low, c.close, c.volume) for c in back] == [
        (c.time, c.open, c.high, c.low, c.close, c.volume) for c in rows
    ]


def day(seed: int, strides: list[int]) -> list[Event]:
    """All events of a venue in a minute in which an account places orders."""
    heard: list[Event] = []
    walk = PriceWalk(LISTED, seed)
    tape: Tape

    exchange = SandboxExchange("binance", BINANCE, BINANCE_FEES, seed=seed, clock=lambda: tape.now)
    tape = Tape(
        (tick for tick in walk.ticks(START, 50) if tick.venue == "binance"),
        lambda t: exchange.trade(t.symbol, t.price, t.qty, buyer_is_maker=t.buyer_is_maker, time=t.time),
        start=START,
    )
    exchange.open_account("a", {"USDT": D(100_000), "BTC": D(2)})
    exchange.listen(heard.append)
    for index, stride in enumerate(strides):
        price = exchange.book("BTC-USDT").made_up.bid - index
        exchange.place("a", OrderTicket("BTC-USDT", "buy", "limit", qty=D("0.01"), limit=price))
        exchange.place("a", OrderTicket("BTC-USDT", "sell", "market", qty=D("0.02")))
        tape.step(stride)
    return heard


def test_the_same_seed_gives_the_same_day() -> None:
    strides = [7000, 20_000, 13_000, 20_000]
    first, again, other = (list(map(repr, day(seed, strides))) for seed in (3, 3, 4))
    assert len(first) > 3000
    assert first == again != other


def test_history_leads_up_to_where_the_walk_begins_and_venues_agree() -> None:
    walk = PriceWalk(LISTED, 9)
    past = walk.past(START, 300)
    for (venue, symbol), rows in past.items():
        assert [row.time for row in rows] == [START + (index - 300) * MINUTE for index in range(300)]
        [item] = [item for item in LISTED[venue] if item.symbol == symbol]
        assert rows[-1].close == item.price
        assert all(row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high for row in rows)
        assert all(before.close == row.open for before, row in pairwise(rows))
    ticks = list(islice(walk.ticks(START, 10), 2000))
    assert [tick.time for tick in ticks] == sorted(tick.time for tick in ticks)
    last = {(tick.venue, tick.symbol): tick.price for tick in ticks}
    assert abs(last["binance", "BTC-USDT"] / last["coinbase", "BTC-USD"] - 1) < D("0.002")
