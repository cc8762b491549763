"""The variance of seeds, shared by the pairs of a column (P pairs, S seeds, G groups).

Few seeds say little about the spread of seeds. A pair whose mean square of seeds is small by chance
gets a large t, and with many pairs one of them does: at 5 seeds and 8 equal rows two-way random
effects, with Holm's correction, find a difference in up to 14% of the studies. Pairs of the same
column have similar spreads, so that one borrows from the others: empirical Bayes, after Smyth
(Statistical Applications in Genetics and Molecular Biology 2004). In contrast to Smyth a variance
is only ever raised, and the prior has at most 8 degrees of freedom, as pairs are not independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.core.outcomes import Contrast, Part
from harness.stats.power import smallest_detectable
from harness.stats.spread import ROUNDING, combined, share_of_seeds
from harness.stats.student import t_test

#: With fewer pairs (four rows have six) the prior is too rough, and Holm's correction holds alone.
LEAST_PAIRS = 10
#: Of the prior. The moments of many dependent pairs would give too many.
MOST_PRIOR_DF = 8.0


@dataclass(frozen=True, slots=True)
class Prior:
    """What the pairs have in common: a variance, worth `df` degrees of freedom."""

    variance: float
    df: float


def share_seed_variance(contrasts: Sequence[Contrast]) -> list[Contrast]:
    """All pairs of a column with moderated standard errors, df, intervals and p, in their order.

    A second call changes nothing.

    It concerns pairs that two-way random effects have tested (with a `spread` and a p), on one test
    set or in a mean over data sets, where at least 10 have the same seeds, items and groups. A mean
    square of seeds below the variance of the prior is moved towards it, and its degrees of freedom
    are added; one above stays as it is, as a row may differ from the others. Everything else is
    returned as it came.

    Raises ValueError if a contrast was adjusted before.
    """
    if any(c.p_adjusted is not None for c in contrasts):
        raise ValueError("variances are shared before a family is adjusted")
    out = list(contrasts)
    for members, prior in _sharing(contrasts):
        for i in members:
            out[i] = _moderated(contrasts[i], prior)
    return out


def shares_seed_variance(contrasts: Sequence[Contrast]) -> bool:
    """Whether pairs of this column share the variance of seeds, before or after they were adjusted
    in a family. It asks for what `share_seed_variance` asks for, which changes none of it.
    """
    return bool(_sharing(contrasts))


def _sharing(contrasts: Sequence[Contrast]) -> list[tuple[list[int], Prior]]:
    """The pairs that share, as indices, with the prior that they have in common."""
    alike: dict[tuple[int, int, int], list[int]] = {}
    for i, c in enumerate(contrasts):
        if c.spread is not None and c.p is not None:
            alike.setdefault((c.seeds, c.items, c.groups), []).append(i)
    found = []
    for members in alike.values():
        if len(members) < LEAST_PAIRS:
            continue
        seeds = [spread.seeds for i in members if (spread := contrasts[i].spread)]
        prior = fit_prior([part.variance for part in seeds], seeds[0].df)
        if prior.df > 0:
            found.append((members, prior))
    return found


def fit_prior(variances: Sequence[float], df: float) -> Prior:
    """The prior of `variances`, all with `df` degrees of freedom.

    Its degrees of freedom come from the moments of the logarithms (Smyth 2004, section 6.2), at
    most 8. Its variance is the median of `variances` over the median of chi-squared/df: one noisy
    row, which is in many pairs, does not move it. Variances of zero say nothing of a scale and are
    left out.
    """
    from scipy.special import chdtri, polygamma

    # Seeds with equal means have no variance but rounding, whose logarithm is no scale either.
    smallest = ROUNDING * max(variances, default=0.0)
    positive = np.array([v for v in variances if v > smallest])
    if len(positive) < 2:
        return Prior(0.0, 0.0)
    excess = float(np.log(positive).var(ddof=1)) - float(polygamma(1, df / 2))
    prior_df = min(MOST_PRIOR_DF, 2 * inverse_trigamma(excess)) if excess > 0 else MOST_PRIOR_DF
    return Prior(float(np.median(positive)) * df / float(chdtri(df, 0.5)), prior_df)


def inverse_trigamma(y: float) -> float:
    """The x > 0 whose trigamma is `y` > 0, by Newton's method (Smyth 2004, appendix)."""
    from scipy.special import polygamma

    x = 0.5 + 1 / y
    for _ in range(50):
        value = float(polygamma(1, x))
        step = value * (1 - value / y) / float(polygamma(2, x))
        x += step
        if abs(step) < 1e-12 * x:
            break
    return x


def moderate(seeds: Part, prior: Prior) -> Part:
    """The part of the seeds, raised towards the prior where it is below, or as it is."""
    if seeds.variance >= prior.variance:
        return seeds
    df = prior.df + seeds.df
    return Part((prior.df * prior.variance + seeds.df * seeds.variance) / df, df)


def _moderated(c: Contrast, prior: Prior) -> Contrast:
    own = c.spread
    assert own is not None
    seeds = moderate(own.seeds, prior)
    if seeds is own.seeds:
        return c
    spread = replace(own, seeds=seeds)
    v = combined(spread)
    t = t_test(c.difference, v.variance**0.5, v.df)
    return replace(
        c, low=t.low, high=t.high, p=t.p, se=t.standard_error, df=t.df,
        smallest_detectable=smallest_detectable(t.standard_error, t.df),
        share_seeds=share_of_seeds(spread),
    )  # fmt: skip
