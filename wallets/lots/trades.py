"""What a trade is for cost basis: each asset that is more or less by it, at its value in the reporting currency, fees included."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from wallets.lots.types import Amounts, Change, share_of

Worth: TypeAlias = Callable[[str, int], "int | None"]
"""What units of an asset are worth, in units of the reporting currency; None where nobody knows."""


class Flow(NamedTuple):
    """Above zero an acquisition that cost `value`; below zero a disposal for `value`. `fee`: it was paid, not traded."""

    asset: str
    amount: int
    value: int | None
    fee: bool = False


def trade_flows(change: Change, currency: str, worth: Worth) -> list[Flow]:
    """A fee adds to what the base cost, or lessens what it was sold for: see `pair_flows`."""
    legs = change.traded
    if len(legs) != 2 or (legs[0][1] > 0) == (legs[1][1] > 0):
        return basket_flows(change, currency, worth)
    base, other = legs if legs[0][0] != currency else legs[::-1]
    return pair_flows(base, other, change.fees, worth)


def pair_flows(base: tuple[str, int], other: tuple[str, int], fees: Amounts, worth: Worth) -> list[Flow]:
    """Both sides are worth the same: what the quote is worth, or else the base. A fee in an asset of the trade is a part of that
    leg, at the trade's own price; in another one (or where it is more than the leg) it is a disposal of that one, at its value."""
    (base_name, base_amount), (other_name, other_amount) = base, other
    sign = 1 if base_amount > 0 else -1
    value = worth(other_name, abs(other_amount))
    if value is None:
        value = worth(base_name, abs(base_amount))
    base_value = other_value = value
    flows = []
    for asset, paid in fees:
        if asset == base_name and keeps_side(base_amount, paid):
            base_amount -= paid
            continue
        if asset == other_name and keeps_side(other_amount, paid):
            cost = None if value is None else share_of(value, paid, abs(other[1]))
            other_amount -= paid
            other_value = add_values(other_value, cost, sign)
        else:
            cost = worth(asset, paid)
            flows.append(Flow(asset, -paid, cost if cost is None else abs(cost), fee=True))
        base_value = add_values(base_value, cost, sign)
    return [Flow(base_name, base_amount, base_value), Flow(other_name, other_amount, other_value), *flows]


def keeps_side(amount: int, paid: int) -> bool:
    """Whether something of the leg is left on its side. A rebate may be as much as what was sold, or more."""
    return (amount - paid) * amount > 0


def basket_flows(change: Change, currency: str, worth: Worth) -> list[Flow]:
    """A trade of other than two assets, such as a sweep of dust. The value is that of the side with the last leg, or else that of
    the other one. Each leg has its share by what it is worth, and each fee is a disposal of its own."""
    legs = change.traded
    bought = next((amount > 0 for asset, amount in legs if asset != currency), legs[0][1] > 0)
    base, other = [leg for leg in legs if (leg[1] > 0) == bought], [leg for leg in legs if (leg[1] > 0) != bought]
    order = (base, other) if legs[-1] in base else (other, base)
    value = next((known for side in order if side and (known := side_worth(side, worth)) is not None), None)
    base_value, fees = value, []
    for asset, paid in change.fees:
        cost = worth(asset, paid)
        base_value = add_values(base_value, cost, 1 if bought else -1)
        fees.append(Flow(asset, -paid, cost if cost is None else abs(cost), fee=True))
    return [*share_flows(base, base_value, worth), *share_flows(other, value, worth), *fees]


def side_worth(side: Amounts, worth: Worth) -> int | None:
    values = [worth(asset, abs(amount)) for asset, amount in side]
    return None if None in values else sum(value for value in values if value is not None)


def share_flows(side: Amounts, value: int | None, worth: Worth) -> list[Flow]:
    """What each is worth of the whole; unknown, where that of one of several is not known."""
    if len(side) == 1:
        return [Flow(asset, amount, value) for asset, amount in side]
    left, flows = side_worth(side, worth), []
    for asset, amount in side:
        share, weight = None, worth(asset, abs(amount))
        if value is not None and left and weight is not None:
            share = share_of(value, weight, left)
            value, left = value - share, left - weight
        flows.append(Flow(asset, amount, share))
    return flows


def add_values(total: int | None, more: int | None, sign: int) -> int | None:
    return None if total is None or more is None else total + sign * more
