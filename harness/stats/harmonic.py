"""Two rows compared in H = 2 b n / (b + n), the harmonic mean of base and new accuracy.

Delta method: H changes with b by 2 n^2/(b + n)^2 and with n by 2 b^2/(b + n)^2, and as H(2b, 2n) is
2 H(b, n) it is exactly the sum of b and n times these slopes. So the difference of two rows in H is
a mean over items of differences of correctness times slopes, with base and new as strata of one
benchmark, and the test is that of `mean_of_sets`: new seeds, each the same for base and new as both
are of one training, and new items of both. A t test on one H a seed would take the items as fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.core.outcomes import Contrast, Outcomes
from harness.stats.clusters import count_groups
from harness.stats.fixed_sets import SetOutcomes, SetsMean, mean_of_sets
from harness.stats.over_sets import ONE_GROUP
from harness.stats.paired_t import paired_t
from harness.stats.pairwise import LEAST_SEEDS, NO_COMMON_SEEDS, ONE_SEED, SIGN_FLIPS
from harness.stats.power import smallest_detectable
from harness.stats.sequential import common_seeds, on_seeds
from harness.stats.spread import scaled
from harness.stats.student import TTest

if TYPE_CHECKING:
    from harness.core.samples import FloatArray

TEST = "delta method on H, two-way random effects"
TEST_OF_SEEDS = "delta method on H, paired t over seeds"


@dataclass(frozen=True, slots=True)
class BaseNew:
    """One row on one data set: outcomes on base and on new classes, of the same trainings."""

    base: Outcomes
    new: Outcomes


def harmonic_mean(base: float, new: float) -> float:
    """2 b n / (b + n); 0 where both are 0."""
    return 2 * base * new / (base + new) if base + new else 0.0


def harmonic_contrast(
    a: Sequence[BaseNew],
    b: Sequence[BaseNew],
    *,
    name_a: str,
    name_b: str,
    estimand: str = "E2",
) -> Contrast:
    """H of row a minus H of row b, each of the means over the data sets (the same for both rows).

    On the seeds that both rows have everywhere. Fewer than five: no p; fewer than two: no interval.
    Deterministic rows: items alone are random. Under E1 (these items) only seeds are: a paired t
    test over them of the same linear form.

    Raises ValueError if the two rows do not have the same items.
    """
    for of_a, of_b in zip(a, b, strict=True):
        for one, other in ((of_a.base, of_b.base), (of_a.new, of_b.new)):
            if not np.array_equal(one.groups_N, other.groups_N):
                raise ValueError(f"{name_a} and {name_b} were not measured on the same items")
    sides = [o for row in (a, b) for s in row for o in (s.base, s.new)]
    seeds, items = common_seeds(sides), [o.groups_N for s in a for o in (s.base, s.new)]
    contrast = Contrast(
        a=name_a, b=name_b, difference=0.0, low=None, high=None, p=None, p_adjusted=None,
        seeds=len(seeds), items=sum(map(len, items)), groups=sum(map(count_groups, items)),
        estimand=estimand, test="none",
    )  # fmt: skip
    used = seeds or (None,)
    if seeds:
        a, b = ([_on(s, seeds) for s in row] for row in (a, b))
    contrast = replace(contrast, difference=_harmonic(a) - _harmonic(b))
    enough = seeds == (None,) or len(seeds) >= LEAST_SEEDS
    if not seeds or (len(seeds) < 2 and seeds != (None,)):
        return replace(contrast, note=ONE_SEED if seeds else NO_COMMON_SEEDS)
    if estimand == "E1":
        return _same_items(contrast, _sets(a, b, len(used)), enough=enough)
    if min(map(count_groups, items)) < 2:
        return replace(contrast, note=ONE_GROUP)
    found, t = _tested(_sets(a, b, len(used)))
    return replace(
        contrast, low=t.low, high=t.high, p=t.p if enough else None, test=TEST,
        se=t.standard_error, df=t.df, share_seeds=found.share_seeds, spread=found.spread,
        note="" if enough else "descriptive",
        smallest_detectable=(
            smallest_detectable(t.standard_error, t.df) if enough and t.standard_error else None
        ),
    )  # fmt: skip


def _same_items(contrast: Contrast, sets: Sequence[SetOutcomes], *, enough: bool) -> Contrast:
    d_S: FloatArray = np.sum([s.weight * s.x_SN.mean(axis=1) for s in sets], axis=0)
    if len(d_S) < 2:
        return replace(contrast, note="under E1 nothing is random here")
    paired = paired_t(d_S)
    if paired.t is None:
        p = paired.p_sign_flip if enough else None
        return replace(contrast, p=p, test=SIGN_FLIPS, note="the same in every seed")
    t = paired.t
    return replace(
        contrast, low=t.low, high=t.high, p=t.p if enough else None, test=TEST_OF_SEEDS,
        se=t.standard_error, df=t.df, share_seeds=1.0, note="" if enough else "descriptive",
        smallest_detectable=smallest_detectable(t.standard_error, t.df) if enough else None,
    )  # fmt: skip


def _tested(sets: Sequence[SetOutcomes]) -> tuple[SetsMean, TTest]:
    """`mean_of_sets` of values beyond 1: a slope may be up to 2. They are scaled to [-1, 1] first,
    where what no cluster contradicts has a variance of its own.
    """
    scale = max(1.0, *(float(np.abs(s.x_SN).max()) for s in sets))
    found = mean_of_sets([replace(s, x_SN=s.x_SN / scale) for s in sets], paired=True)
    t = found.t
    t = replace(
        t, mean=t.mean * scale, standard_error=t.standard_error * scale, low=t.low * scale,
        high=t.high * scale,
    )  # fmt: skip
    spread = None if found.spread is None else scaled(found.spread, scale**2)
    return replace(found, spread=spread), t


def _on(s: BaseNew, seeds: Sequence[int | None]) -> BaseNew:
    return BaseNew(on_seeds(s.base, seeds), on_seeds(s.new, seeds))


def _means(row: Sequence[BaseNew]) -> tuple[float, float]:
    base = float(np.mean([s.base.correct_SN.mean() for s in row]))
    return base, float(np.mean([s.new.correct_SN.mean() for s in row]))


def _harmonic(row: Sequence[BaseNew]) -> float:
    return harmonic_mean(*_means(row))


def _slopes(row: Sequence[BaseNew]) -> tuple[float, float]:
    """Of H in base and in new; where both are 0, those of equal accuracies."""
    base, new = _means(row)
    total = base + new
    return (0.5, 0.5) if total == 0 else (2 * new**2 / total**2, 2 * base**2 / total**2)


def _sets(a: Sequence[BaseNew], b: Sequence[BaseNew], n_seeds: int) -> list[SetOutcomes]:
    """Base and new of every data set. Each has half of a data set's weight, and twice the slope."""
    slopes_a, slopes_b = _slopes(a), _slopes(b)
    out: list[SetOutcomes] = []
    first = 0
    for of_a, of_b in zip(a, b, strict=True):
        for side, (x, y) in enumerate(((of_a.base, of_b.base), (of_a.new, of_b.new))):
            x_SN = 2 * (slopes_a[side] * _rows(x, n_seeds) - slopes_b[side] * _rows(y, n_seeds))
            _, cluster_N = np.unique(x.groups_N, return_inverse=True)
            out.append(SetOutcomes(x_SN, first + cluster_N, 0.5 / len(a)))
            first += int(cluster_N.max()) + 1
    return out


def _rows(o: Outcomes, n_seeds: int) -> FloatArray:
    """A deterministic row is the same for every seed."""
    correct_SN: FloatArray = np.broadcast_to(
        o.correct_SN.astype(np.float64), (n_seeds, o.correct_SN.shape[1])
    )
    return correct_SN
