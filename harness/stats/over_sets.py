"""Two rows on several data sets, or one: the fixed list, or data sets as the sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.core.outcomes import Contrast
from harness.stats.across import may_give_p, t_over_datasets, wilcoxon_p
from harness.stats.clusters import count_groups
from harness.stats.corrected_t import LEAST_SPLITS
from harness.stats.fixed_sets import (
    SetOutcomes,
    components_of_sets,
    interval_of_mean,
    mean_of_sets,
)
from harness.stats.holm import ALPHA
from harness.stats.pairwise import LEAST_SEEDS, NO_COMMON_SEEDS, ONE_SEED
from harness.stats.planning import Components, smallest_number
from harness.stats.power import smallest_detectable, t_power
from harness.stats.proportion import Proportion

if TYPE_CHECKING:
    from harness.core.outcomes import Outcomes
    from harness.core.samples import FloatArray
    from harness.stats.across import Across

#: Names of tests.
FIXED, WILCOXON, CORRECTED = (
    "two-way random effects over data sets", "exact Wilcoxon over data sets",
    "corrected resampled t over class draws",
)  # fmt: skip
ONE_GROUP = "one group in a data set: no evidence about other items"


@dataclass(frozen=True, slots=True)
class WeightedSet:
    """The outcomes of one or two rows on a data set, and its share in the mean."""

    outcomes: tuple[Outcomes, ...]
    weight: float


def fixed_interval(
    sets: Sequence[WeightedSet], *, confidence: float = 0.95
) -> tuple[Proportion | None, str]:
    """The interval of a row's mean over a fixed list of data sets, and its method.

    None for one seed, for seeds that differ between data sets, or a data set with one group.
    """
    seeds = _common_seeds(sets)
    drawn = {o.seeds for s in sets for o in s.outcomes} - {(None,)}
    if len(drawn) > 1:
        return None, "no interval: the data sets do not have the same seeds"
    if len(seeds) < 2 and drawn:
        return None, "no interval: one seed"
    if _has_one_group(sets):
        return None, "no interval: one group"
    found = interval_of_mean([_as_set(s, seeds) for s in sets], confidence=confidence)
    return found, FIXED


def fixed_contrast(sets: Sequence[WeightedSet], *, name_a: str, name_b: str) -> Contrast:
    """The first row minus the second in the mean of a fixed list of data sets.

    Under E2: new seeds, and new items of these data sets. The seeds are those that both rows have
    on every data set. Fewer than five: no p; fewer than two: no interval.
    """
    seeds = _common_seeds(sets)
    deterministic = seeds == (None,)
    contrast = Contrast(
        a=name_a, b=name_b, difference=_difference(sets), low=None, high=None, p=None,
        p_adjusted=None, seeds=len(seeds), items=sum(len(s.outcomes[0].groups_N) for s in sets),
        groups=_clusters(sets), estimand="E2", test="none",
    )  # fmt: skip
    if not seeds:
        return replace(contrast, note=NO_COMMON_SEEDS)
    pairs = [_as_set(s, seeds) for s in sets]
    difference = float(sum(s.weight * s.x_SN.mean() for s in pairs))
    contrast = replace(contrast, difference=difference)
    if len(seeds) < 2 and not deterministic:
        return replace(contrast, note=ONE_SEED)
    if _has_one_group(sets):
        return replace(contrast, note=ONE_GROUP)
    found = mean_of_sets(pairs, paired=True)
    t, enough = found.t, deterministic or len(seeds) >= LEAST_SEEDS
    return replace(
        contrast, low=t.low, high=t.high, p=t.p if enough else None, test=FIXED,
        se=t.standard_error, df=t.df, share_seeds=found.share_seeds, spread=found.spread,
        note="" if enough else "descriptive",
        smallest_detectable=smallest_detectable(t.standard_error, t.df) if enough else None,
    )  # fmt: skip


def fixed_components(sets: Sequence[WeightedSet]) -> Components | None:
    """The components of the difference of two rows, to plan with; None where nothing is known of
    other seeds or items, or no outcome differs.
    """
    seeds = _common_seeds(sets)
    if not seeds or (len(seeds) < 2 and seeds != (None,)) or _has_one_group(sets):
        return None
    pairs = [_as_set(s, seeds) for s in sets]
    return components_of_sets(pairs) if any(np.ptp(s.x_SN) for s in pairs) else None


def datasets_needed(
    d_M: FloatArray, difference: float, *, m: int, overlap: float = 0.0, alpha: float = ALPHA,
    power: float = 0.8,
) -> int | None:  # fmt: skip
    """How many data sets find a true mean difference at alpha/m, if they vary as these do.

    The exact Wilcoxon test: as many as the t test needs divided by 3/pi, its efficiency for normal
    differences, and at least as many as its smallest p asks for. Class draws that share classes:
    those of the corrected t test. None where no number is enough, or one data set says nothing.
    """
    if len(d_M) < 2 or np.ptp(d_M) == 0 or difference <= 0 or overlap >= 1:
        return None
    shift, level = difference / float(np.std(d_M, ddof=1)), alpha / m
    shared, efficiency = (overlap / (1 - overlap), 1.0) if overlap > 0 else (0.0, 3 / np.pi)
    least = LEAST_SPLITS if overlap > 0 else 1
    while overlap == 0 and not may_give_p(least, m=m, alpha=alpha):
        least += 1
    least = max(2, least)

    def power_at(n: float) -> float:
        n_t = n * efficiency
        return t_power(shift / (1 / n_t + shared) ** 0.5, max(1.0, n_t - 1), alpha=level)

    return smallest_number(power_at, least, power)


def new_contrast(
    a_M: FloatArray, b_M: FloatArray, like: Contrast, *, overlap: float = 0.0
) -> Contrast:
    """The first row minus the second with the data sets as the sample; one value of each a row.

    `like` has names and counts. Data sets, and class draws without a common class: the exact
    Wilcoxon test, with the t interval of the mean; see `gated`. Class draws that share classes: the
    corrected t test.
    """
    d_M = a_M - b_M
    t = t_over_datasets(d_M, overlap)
    contrast = replace(
        like, difference=float(d_M.mean()), low=t.low if t else None, high=t.high if t else None,
        se=t.standard_error if t else None, df=t.df if t else None, estimand="new data sets",
        share_seeds=None, smallest_detectable=None, note="", spread=None,
    )  # fmt: skip
    if overlap > 0:
        p = t.p if t else None
        smallest = smallest_detectable(t.standard_error, t.df) if t else None
        note = "" if p is not None else _why_no_t(len(d_M))
        return replace(contrast, p=p, test=CORRECTED, smallest_detectable=smallest, note=note)
    return replace(contrast, p=wilcoxon_p(d_M), test=WILCOXON)


def gated(contrast: Contrast, tally: Across, m: int, *, alpha: float = ALPHA) -> Contrast:
    """The contrast without its Wilcoxon p where no outcome could be significant among m tests."""
    n = tally.win + tally.loss
    if contrast.test != WILCOXON or contrast.p is None or may_give_p(n, m=m, alpha=alpha):
        return contrast
    among = f" among {m} comparisons" if m > 1 else ""
    if n == 0:
        note = "equal on every data set"
    else:
        sets = "data set that differs is" if n == 1 else "data sets that differ are"
        note = f"{n} {sets} too few for a p-value{among}"
    return replace(contrast, p=None, note=note)


def _why_no_t(draws: int) -> str:
    if draws < LEAST_SPLITS:
        return f"class draws that share classes: a p-value needs {LEAST_SPLITS} draws"
    return "the difference is the same in every class draw, or all draws are of the same classes"


def _common_seeds(sets: Sequence[WeightedSet]) -> tuple[int | None, ...]:
    """Seeds of all rows on all data sets; (None,) if all of them are deterministic."""
    drawn = [o.seeds for s in sets for o in s.outcomes if o.seeds != (None,)]
    if not drawn:
        return (None,)
    return tuple(seed for seed in drawn[0] if all(seed in other for other in drawn))


def _as_set(s: WeightedSet, seeds: Sequence[int | None]) -> SetOutcomes:
    """Correctness of one row, or the difference of two, on these seeds."""
    rows = [_on_seeds(o, seeds) for o in s.outcomes]
    x_SN = rows[0] if len(rows) == 1 else rows[0] - rows[1]
    return SetOutcomes(x_SN, s.outcomes[0].groups_N, s.weight)


def _on_seeds(o: Outcomes, seeds: Sequence[int | None]) -> FloatArray:
    """A deterministic row is repeated for every seed of the others."""
    rows = [0] * len(seeds) if o.seeds == (None,) else [o.seeds.index(seed) for seed in seeds]
    return o.correct_SN[rows].astype(np.float64)


def _difference(sets: Sequence[WeightedSet]) -> float:
    means = [[float(o.correct_SN.mean()) for o in s.outcomes] for s in sets]
    return sum(s.weight * (a - b) for s, (a, b) in zip(sets, means, strict=True))


def _has_one_group(sets: Sequence[WeightedSet]) -> bool:
    return any(count_groups(s.outcomes[0].groups_N) < 2 for s in sets)


def _clusters(sets: Sequence[WeightedSet]) -> int:
    return len(np.unique(np.concatenate([s.outcomes[0].groups_N for s in sets])))
