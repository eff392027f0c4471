"""How much of a Sharpe ratio luck explains: after many trials the best of them looks good even where none is.

Sharpe ratios here are per period, not per year: those of daily returns, with `days` of them. Moments are the population's;
`kurtosis` is 3 for normal returns.
"""

from __future__ import annotations

import math
from statistics import NormalDist

EULER = 0.57721566490153286
NORMAL = NormalDist()


def probabilistic_sharpe(sharpe: float, benchmark: float, days: int, skewness: float, kurtosis: float) -> float:
    """Probability that the true Sharpe ratio is above `benchmark`, given the one found over `days` returns.

    Z[(SR - SR*) sqrt(n - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)].
    Bailey & Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2). NaN for fewer than two days.
    """
    error = 1.0 - skewness * sharpe + (kurtosis - 1.0) / 4.0 * sharpe**2
    if days < 2 or not error > 0.0:
        return math.nan
    return NORMAL.cdf((sharpe - benchmark) * math.sqrt(days - 1) / math.sqrt(error))


def expected_maximum_sharpe(trials: int, variance: float) -> float:
    """The best Sharpe ratio to expect of `trials` strategies without any skill whose ratios have this variance.

    sqrt(V) ((1 - e) Z^-1[1 - 1 / N] + e Z^-1[1 - 1 / (N x exp(1))]), e the Euler-Mascheroni constant. One trial: 0.
    Bailey & Lopez de Prado (2014), The Deflated Sharpe Ratio, Journal of Portfolio Management 40(5).
    """
    if trials < 2:
        return 0.0
    best = (1.0 - EULER) * NORMAL.inv_cdf(1.0 - 1.0 / trials) + EULER * NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * best


def deflated_sharpe(sharpe: float, days: int, skewness: float, kurtosis: float, trials: int, variance: float) -> float:
    """Probability that the best of `trials` has skill: `probabilistic_sharpe` against `expected_maximum_sharpe`.

    `sharpe` and its moments are the chosen trial's; `variance` is that of all trials' Sharpe ratios, per period as well.
    Bailey & Lopez de Prado (2014). Trials that resemble each other count for less than their number: then this is too strict.
    """
    return probabilistic_sharpe(sharpe, expected_maximum_sharpe(trials, variance), days, skewness, kurtosis)
