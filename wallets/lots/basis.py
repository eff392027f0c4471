"""The cost basis of wallets, reckoned from their ledgers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import QuerySet

from market.past_prices import PriceHistory
from wallets.lots.holding import TaxYear
from wallets.lots.inventory import Inventory
from wallets.lots.reading import read_changes, read_costs, read_rules
from wallets.lots.store import Place
from wallets.lots.types import Disposal, LotRule, LotScope, from_units, to_units
from wallets.models import Movement, Wallet, WalletBalance
from wallets.selectors import reporting_currency
from wallets.valuation import money_of, price_environment

MINUTE = 60_000_000
ALL_WALLETS = "all wallets"


class StoredPrices:
    """The past prices of one environment, by stored candles. Ask in the order of time: no close is newer than its minute."""

    def __init__(self, environment: str, currency: str, assets: Iterable[str]) -> None:
        self.history = PriceHistory(environment, currency, assets)
        self.newest: dict[str, tuple[int, Decimal | None]] = {}

    def price_at(self, asset: str, ts: int) -> Decimal | None:
        minute = ts // MINUTE
        if asset not in self.newest or self.newest[asset][0] != minute:
            self.newest[asset] = minute, self.history.price_at(asset, minute * MINUTE // 1000)
        return self.newest[asset][1]


@dataclass(frozen=True, slots=True)
class CostBasis:
    """Of wallets whose lots may have to do with one another, at a moment. `disposals` in the order of time."""

    currency: str
    wallets: dict[int, Wallet]
    inventory: Inventory
    disposals: list[Disposal]


@dataclass(frozen=True, slots=True)
class LotDifference:
    """Lots that are not what the books have. `wallet`: its name, or ALL_WALLETS. What is short counts below zero on both sides."""

    wallet: str
    asset: str
    lots: Decimal
    balance: Decimal


def basis_of_wallet(wallet: Wallet, until: datetime | None = None) -> CostBasis:
    """Its lots at a moment, or now, with those of all wallets that it may take lots from."""
    rules = read_rules()
    alone = wallet.kind == Wallet.Kind.REPLAY or (
        all(rule.scope is LotScope.WALLET for rule in rules) and not has_transfers(wallet)
    )
    return compute_basis([wallet] if alone else wallets_together(wallet), rules, until=until)


def has_transfers(wallet: Wallet) -> bool:
    """Whether lots may have come from another wallet, or gone to one."""
    named = wallet.movements.exclude(txid="").values("txid")
    return Movement.objects.filter(txid__in=named).exclude(wallet=wallet).exists()


def basis_of_year(money: str, year: TaxYear) -> list[CostBasis]:
    """What all wallets of one kind of money sold in a tax year, by where their prices come from."""
    rules, apart = read_rules(), defaultdict(list)
    for wallet in list_wallets():
        if money_of(wallet) == money:
            apart[price_environment(wallet)].append(wallet)
    return [compute_basis(wallets, rules, year=year) for wallets in apart.values()]


def wallets_together(wallet: Wallet) -> list[Wallet]:
    """Those with the same kind of money and the same prices, itself among them."""
    kind = money_of(wallet), price_environment(wallet)
    return [one for one in list_wallets() if (money_of(one), price_environment(one)) == kind]


def list_wallets() -> QuerySet[Wallet]:
    """Archived ones too: what they sold was sold. Books of replays are with their runs."""
    return Wallet.objects.exclude(kind=Wallet.Kind.REPLAY).select_related("account").order_by("pk")


def compute_basis(
    wallets: Sequence[Wallet], rules: Sequence[LotRule], *, until: datetime | None = None, year: TaxYear | None = None
) -> CostBasis:
    """Reads the ledgers once, as a stream. Keeps the disposals of the year, where one is given, and else none."""
    keys, currency = [wallet.pk for wallet in wallets], reporting_currency()
    assets = WalletBalance.objects.filter(wallet__in=keys).values_list("asset", flat=True).distinct()
    prices = StoredPrices(price_environment(wallets[0]), currency, assets)
    inventory, kept = Inventory(currency, prices, rules, read_costs(keys, currency)), []
    for change in read_changes(keys, until):
        found = inventory.apply(change)
        if year:
            kept += [one for one in found if year.start <= one.disposed < year.end]
    if year:
        short = (one.disposal for _, one in inventory.store.list_shortages())
        kept += [one for one in short if one and year.start <= one.disposed < year.end]
    kept.sort(key=lambda one: (one.disposed, one.transaction))
    return CostBasis(currency, {wallet.pk: wallet for wallet in wallets}, inventory, kept)


def check_lots(basis: CostBasis) -> list[LotDifference]:
    """Where the open lots of now are not the balances: nowhere, in a sound desk."""
    store, currency = basis.inventory.store, basis.currency
    sums: defaultdict[Place, int] = defaultdict(int)
    for wallet, link, lot in store.list_lots():
        if not link:
            sums[wallet, lot.asset] += lot.quantity
    for place, shortage in store.list_shortages():
        sums[place] -= shortage.quantity
    booked: defaultdict[Place, int] = defaultdict(int)
    for row in WalletBalance.objects.filter(wallet__in=basis.wallets).exclude(asset=currency):
        booked[store.find_place(row.wallet_id, row.asset)] += to_units(row.amount - row.unbooked)
    return [
        LotDifference(name_owner(basis, place[0]), place[1], from_units(sums[place]), from_units(booked[place]))
        for place in sorted({*sums, *booked})
        if sums[place] != booked[place]
    ]


def name_owner(basis: CostBasis, wallet: int) -> str:
    return basis.wallets[wallet].name if wallet else ALL_WALLETS
