"""Snapshots outlive a release: what an earlier build stored is loaded, stored again byte for byte, and goes on as it would have.

The snapshots and the digests were made by the engine as it was before its parts were renamed (commit 1a25f85), by the calls of
`paper` and `venue` there: lots, resting orders, a ladder, targets, orders at the venue, exits due and given up.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from dataclasses import astuple
from typing import Any

import pytest

from engine.live import OHLCV, SignalRow, Step, Trader, snapshot
from engine.types import Account, Exits, Fees, Protections, Rules

SYMBOLS = ["BTC-USD", "ETH-USD"]
ACCOUNT = Account(
    10_000.0,
    fees=Fees(0.001, 0.001),
    exits=Exits(stop_loss=0.05, take_profit=0.2, trailing_stop=0.06, max_candles=50),
    rules=(Rules(0.01, 0.001, 5.0), Rules(0.001, 0.01, 5.0)),
    protections=Protections(cooldown=2),
    order_ttl=20,
)
PAPER = (
    "c-pI0Dp9gB)=?_S%uQ9YGBh#(0v)BK)b!FkAlCxI%`ZsJOHEO-iY_TCP1Q+D%qdQd)lo{#D=ErMEsjsj$;mGVNrPpT@=9})Qj3a#s*Qk(l8aIkOTc;!fV`"
    "6Y9GEdcUS4WNNjyZkl9j2BQW;QNW<JPX15+~t6H60gpkQ%jZc=^@$T%gZ5NF-cU>7AFCD#xSFbil%QGPj4vRbLQ1ZWRXE0PW)ploSgI)s&zUs4Q~F3&H@&"
    "df^(3+5N4fSqbs3v^pzQF<y!O>`_II6%y3BOOSX!~z9#^NUhJRwd=+Cuf8G1Qg6KEh)}S0gC69=H%4Ya_LrF443HG?9lo;aL2#)%?@S}7M|;K4?8dr2^gU"
    "?6B?h9fO<xTQ7{Tn!G9<~=U0oYbAMRXV*h95$4kCR0rn7C5kwm0y1ux;Hm?Dmh#84A7-k^M0t|z(r_u*dh00Kcst)KD5T{?s!59ow9B?@l-"
    "5i)lVfI(wdbs}NFJZWTCNvuEPE-L*2Qw3J0HN%Uov#FS*pGTJ710Rgf3PPuDZpZs8Hata03^=cP<O!T5BnkdFWWO<4LF2-"
    "xXi~BVT{b!72ygLh651}XU~9ul7q*?Dv@>akq#S*GA6$LqvWtd4j2#%A{<_+8FH+d12qAt9@RUZP=1KR?Voj7d)`Di{QXw?V9rG}8-X-4ns))KHb0L"
)
VENUE = (
    "c-rlhO^6&t6vs0i6C`-"
    ">5D>%<s0k9K({xYw^lT5x6s|GJL5aEvj<f67v(q!%Y)|*tADNx3>mnEtg31a}{5ULn5`za_g5)B^Q$P`P!K<E<KmrjBdPs<`s=H=(YNvMw*PFgWS698)um"
    "0~>uX+)MsHlo4v|AP`DmfWUL^Z1!xv1zyjw2$kZMjw*6)T}1St5DNh{$q7-"
    "?oCP={R18c&QV)QLAS80R*d}ChFn@gwFbw8PWtg%^p9Kt>OWqLeCl4BYreYCm`Fo)<Rf~lY>f7cmj5@J(o=Kx~v(Rnio;fZPh%7?2aCvnmlmqxhIf_4o)4"
    "WZ;-|JI^bMHK?s82(+ywbz#F+uc!T7Q7Y39{$MffHw~2}xVDRg-GHnUOntszFF_nreRtl_&nVA?QbtrM6Gh!vz^NXnE`4*8-"
    "bG+Gk3I!IuC=Bd6U9U$lR16~4GH2&lM8mWl_Fgkd3i38*IutCWL_h-"
    "|Qs5FzNz&!WgDNL43}B8Gj*1&V#S&0pIS$OiZkx_RuU&QQmK`E0DIm;~RWAr&@#V;LLp$t3T1_(K0^p<JMMINhawrfBle{GNTA^x!o6-"
    "TLkxPPQ;wC46iU$+|c-~4D;V|f-"
    "G(8s9v`<)WHEOe_i`))K*Z=~~*R2P!8+Oo!LeMrqU_H`<P>Z^K2Aj$!&EKsCcGEST0RoDmN(HS?Kr&eU@l{H%A3|lr*a`tz8^$21ITZq(!anLy3hGv^FhH"
    "SY`t#P97*t8k=Xx08+Q;Ld$cm&Ya9<2&V=>Vsy`cXSD*8|=`c}O$ctJK}34OS%@Ykr)iU+t%=u*KLlS};1825r~uRCCuwi$%UucOhRKe|O^425HC_wSJoi"
    "2sA+CAD{h3|&(7?I4o3MF?!qYiA};JLXpy@6vuS-(JOQHzzM1UHBI77-5-"
    "Y+?kAbB%{F1c@wzr{<r^*UATSx%h@v}{QetRypB#`f%D%^?86U;T`V#G;@&R~{d)5C(#_9)`|+vT(Nes+x8I|=@apQj<tEk+9e=fa`aPUUNzBh#Lbk!C#J"
    "owDo}E5+c_IlY<GGb<uas`=!u+jZ<HOVMT)44X#;FR@*2lem8IC|a+lT8{ChuAA2&uyUxV64;rLk{(VZxYa%*Q=lyZd=#?cP`jE+>M1De>{bC}N||^51FE"
    "zn0m^gsaqkD)A)wIn%+Ko7Xo0V#tZ`>)(GzEQ^^Qz_NeZn@;A}OKEv{JuCay&VKaq3LeEv7@>>jljvCH^#~*Qu=U*|^z2O0Aq>^?5Wf1%*AJZf{85~yM@Z"
    "50*2y=Y{PTQ($Lgoy#qdq@2&R#lP2uThN@8~lBeM4|d4|-pbvRFC$4lj;m$R5%GUd**_q|Zh;-5clKep$=GS0tv{>WWI7JqW^-"
    "0!!XGG0FX&C>l7Oz)9ooJ#Tch4Re*1`%Ss-2"
)
WENT_ON = {
    "paper": "b489d8d36025eea4d1b469b035dc5658501ba7747d059e9464a4a6b0cf5c8905",
    "venue": "b54b9aa920d7d595a56820893f9ab28d3768a172c952f97ddeafeea6a4eec0ef",
}
"""SHA-256 of the steps of `go_on` and of the snapshot after them. That of paper was made again when levels came to stand on ticks,
and amounts to have a last place; that of a venue when the sale of everything came to be held like the exit that it replaces."""


def candles(first: float, second: float) -> dict[str, OHLCV]:
    return {
        "BTC-USD": OHLCV(first, first * 1.01, first * 0.99, first * 1.002, 50.0),
        "ETH-USD": OHLCV(second, second * 1.01, second * 0.99, second * 1.001, 80.0),
    }


def load_old(name: str) -> tuple[Trader, bytes]:
    external = name == "venue"
    more: dict[str, Any] = {"venue_stops": ("BTC-USD",)} if external else {}
    trader = Trader(ACCOUNT, SYMBOLS, 60_000, "lots", external=external, **more)
    data = zlib.decompress(base64.b85decode(VENUE if external else PAPER))
    trader.load(data)
    return trader, data


def go_on(trader: Trader) -> list[Step]:
    """Two candles more, fills and cancels of what the venue has, and a sale of everything."""
    prices = {"BTC-USD": 99.0, "ETH-USD": 9.6}
    steps = [
        trader.close(180_000, candles(100.0, 9.7), {"BTC-USD": SignalRow(), "ETH-USD": SignalRow(exit=True)}),
        trader.open(240_000, prices),
        trader.entries(prices),
    ]
    if trader.venue_orders:
        for order in trader.working():
            if order.number in trader.venue_orders.sent:
                price = 98.0 if order.symbol == "BTC-USD" else 9.5
                steps.append(trader.apply_fill(order.number, price, order.quantity / 4, 0.1, False, 240_000))
                steps.append(trader.apply_end(order.number, "cancelled"))
        steps.append(trader.apply_price("BTC-USD", 90.0, 240_000))
    steps.append(trader.close(240_000, candles(94.0, 9.0), {"BTC-USD": SignalRow(), "ETH-USD": SignalRow()}))
    steps.append(trader.sell_all())
    return steps


@pytest.mark.parametrize("name", ["paper", "venue"])
def test_an_old_snapshot_is_stored_again_byte_for_byte(name: str) -> None:
    trader, data = load_old(name)
    assert trader.dump() == data


@pytest.mark.parametrize("name", ["paper", "venue"])
def test_an_old_snapshot_goes_on_as_it_would_have(name: str) -> None:
    trader, _ = load_old(name)
    steps = go_on(trader)
    assert hashlib.sha256(repr([astuple(step) for step in steps]).encode() + trader.dump()).hexdigest() == WENT_ON[name]


def test_the_version_is_still_the_one_of_stored_snapshots() -> None:
    assert snapshot.VERSION == 1056049435
