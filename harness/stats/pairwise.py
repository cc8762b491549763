"""Two rows of a leaderboard, or one: which test and which interval they get."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from harness.core.outcomes import Contrast, Estimate
from harness.stats.clusters import clustered_t, count_groups, is_grouped
from harness.stats.mcnemar import mcnemar
from harness.stats.no_spread import groups_agree, no_spread
from harness.stats.paired_t import paired_t
from harness.stats.power import smallest_detectable
from harness.stats.proportion import (
    Proportion,
    clustered_wilson,
    effective_wilson,
    groups_of_the_rarer,
    wilson,
)
from harness.stats.spread import combined, share_of_seeds
from harness.stats.student import t_test
from harness.stats.two_way import two_way

if TYPE_CHECKING:
    from harness.core.outcomes import Outcomes, Spread
    from harness.core.samples import BoolArray, FloatArray, IntArray
    from harness.stats.student import TTest
    from harness.stats.two_way import MeanSquares

NO_COMMON_SEEDS = "no seed in common: unpaired, so nothing is known about new seeds"
ONE_SEED = "one seed: nothing is known about new seeds"
GROUPS_AGREE = "the same in every seed and group: counted by groups"
SEEDS_AGREE = "the same in every seed: counted by seeds"
#: Names of tests.
EXACT_MCNEMAR, SIGN_FLIPS = "exact McNemar", "sign flips over seeds"
#: With fewer seeds a comparison is descriptive: it gets no p.
LEAST_SEEDS = 5


@dataclass(frozen=True, slots=True)
class _Verdict:
    """The fields of a Contrast that depend on the test."""

    test: str
    low: float | None = None
    high: float | None = None
    p: float | None = None
    smallest_detectable: float | None = None
    share_seeds: float | None = None
    note: str = ""
    se: float | None = None
    df: float | None = None
    spread: Spread | None = None


def contrast(
    a: Outcomes, b: Outcomes, *, name_a: str, name_b: str, estimand: str = "E2"
) -> Contrast:
    """Accuracy of `a` minus that of `b` on the seeds and items of both, with the test they allow.

    `estimand` is E2 (new seeds and new test items) or E1 (this test set, new seeds). A
    deterministic row pairs with every seed of the other. Fewer than five common seeds: no p;
    fewer than two: no interval either. The smallest detectable difference is for one claim at
    0.05 with 80% power; p_adjusted is left to `family.adjust`.

    Raises ValueError if the two do not have the same items, or on another estimand.
    """
    if estimand not in ("E1", "E2"):
        raise ValueError(f"no estimand is called {estimand}: E1 or E2")
    _check(a)
    _check(b)
    if not np.array_equal(a.groups_N, b.groups_N):
        raise ValueError(f"{name_a} and {name_b} were not measured on the same items")
    a_SN, b_SN = _paired(a, b)
    deterministic = _is_deterministic(a) and _is_deterministic(b)
    seeds = len(a_SN)
    if seeds:
        d_SN = a_SN.astype(np.float64) - b_SN
        difference = float(d_SN.mean())
        verdict = _verdict(d_SN, a.groups_N, estimand, deterministic=deterministic)
    else:
        difference = float(a.correct_SN.mean() - b.correct_SN.mean())
        verdict = _Verdict("none", note=NO_COMMON_SEEDS)
    counts = _Counts(seeds, len(a.groups_N), count_groups(a.groups_N))
    return _made(name_a, name_b, difference, counts, estimand, verdict)


def contrast_of_squares(
    squares: MeanSquares, difference: float, *, name_a: str, name_b: str, items: int
) -> Contrast:
    """The contrast under E2 of two trained rows whose mean squares are known; see `all_pairs`."""
    v = combined(squares.spread())
    t = t_test(difference, v.variance**0.5, v.df)
    counts = _Counts(squares.n_seeds, items, squares.n_groups)
    return _made(name_a, name_b, difference, counts, "E2", _of_squares(t, squares))


@dataclass(frozen=True, slots=True)
class _Counts:
    seeds: int
    items: int
    groups: int


def _made(
    a: str, b: str, difference: float, counts: _Counts, estimand: str, verdict: _Verdict
) -> Contrast:
    return Contrast(
        a=a,
        b=b,
        difference=difference,
        low=verdict.low,
        high=verdict.high,
        p=verdict.p,
        p_adjusted=None,
        seeds=counts.seeds,
        items=counts.items,
        groups=counts.groups,
        estimand=estimand,
        test=verdict.test,
        smallest_detectable=verdict.smallest_detectable,
        share_seeds=verdict.share_seeds,
        note=verdict.note,
        se=verdict.se,
        df=verdict.df,
        spread=verdict.spread,
    )


def estimate(o: Outcomes, *, confidence: float = 0.95, estimand: str = "E2") -> Estimate:
    """A row's accuracy with its interval under E2 or E1 (see `contrast`), in [0, 1].

    Trained rows: standard error and df of two-way random effects on correctness, in Wilson's form
    (see `effective_wilson`); one seed gives no interval. Deterministic rows: Wilson, clustered
    where items are grouped. Under E1: t over seeds, and nothing for deterministic rows.

    Raises ValueError if the shapes of the outcomes do not match.
    """
    _check(o)
    if estimand == "E1":
        interval, method = _of_seeds(o, confidence)
    else:
        interval, method = _interval(o, confidence)
    return Estimate(
        mean=float(o.correct_SN.mean()),
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        seeds=len(o.seeds),
        items=len(o.groups_N),
        groups=count_groups(o.groups_N),
        method=method,
    )


def _verdict(
    d_SN: FloatArray, groups_N: IntArray, estimand: str, *, deterministic: bool
) -> _Verdict:
    if estimand == "E1":
        return _same_items(d_SN, deterministic=deterministic)
    if not deterministic and len(d_SN) < 2:
        return _Verdict("none", note=ONE_SEED)
    if count_groups(groups_N) < 2:
        return _Verdict("none", note="one group: no evidence about other items")
    if deterministic:
        return _no_seeds(d_SN, groups_N)
    verdict = _new_seeds(d_SN, groups_N)
    return verdict if len(d_SN) >= LEAST_SEEDS else _descriptive(verdict)


def _new_seeds(d_SN: FloatArray, groups_N: IntArray) -> _Verdict:
    if groups_agree(d_SN, groups_N):
        return _no_spread(float(d_SN.mean()), count_groups(groups_N))
    table = two_way(d_SN, groups_N)
    return _of_squares(table.t, table.squares)


def _of_squares(t: TTest, squares: MeanSquares) -> _Verdict:
    spread, smallest = squares.spread(), smallest_detectable(t.standard_error, t.df)
    return _Verdict(
        "two-way random effects", t.low, t.high, t.p, smallest, share_of_seeds(spread),
        se=t.standard_error, df=t.df, spread=spread,
    )  # fmt: skip


def _same_items(d_SN: FloatArray, *, deterministic: bool) -> _Verdict:
    if deterministic:
        d = float(d_SN.mean())
        return _Verdict("none", low=d, high=d, note="under E1 nothing is random here")
    if len(d_SN) < 2:
        return _Verdict("none", note=ONE_SEED)
    d_S = d_SN.mean(axis=1)
    paired = paired_t(d_S)
    flips = paired.p_sign_flip
    if paired.t is None:
        # Seeds are what is sampled under E1. The sign test over them is the sign flips' p.
        same = replace(_no_spread(float(d_S[0]), len(d_S)), test=SIGN_FLIPS, note=SEEDS_AGREE)
        return same if len(d_SN) >= LEAST_SEEDS else _descriptive(same)
    note = "" if flips is None else f"sign flips p = {flips:.2g}"
    verdict = _of_t(paired.t, "paired t over seeds", share_seeds=1.0, note=note)
    return verdict if len(d_SN) >= LEAST_SEEDS else _descriptive(verdict)


def _no_spread(d: float, units: int) -> _Verdict:
    """A variance of zero says nothing of how sure a difference is, so the units are counted.

    As nothing is known of the scatter, no difference can be promised to be found.
    """
    n = no_spread(d, units)
    return _Verdict(EXACT_MCNEMAR, n.low, n.high, n.p, note=GROUPS_AGREE,
                    se=n.standard_error, df=np.inf)  # fmt: skip


def _no_seeds(d_SN: FloatArray, groups_N: IntArray) -> _Verdict:
    d_N = d_SN[0]
    b, c = int((d_N > 0).sum()), int((d_N < 0).sum())
    note = f"items that only one of the two predicts correctly: {b} and {c}"
    if not is_grouped(groups_N):
        m = mcnemar(b, c, len(d_N))
        smallest = smallest_detectable(m.standard_error, np.inf)
        return _Verdict(
            EXACT_MCNEMAR, m.low, m.high, m.p, smallest, 0.0, note, m.standard_error, np.inf
        )
    if groups_agree(d_SN, groups_N):
        return replace(_no_spread(float(d_N.mean()), count_groups(groups_N)), share_seeds=0.0)
    return _of_t(clustered_t(d_N, groups_N), "clustered t on items", share_seeds=0.0, note=note)


def _of_t(t: TTest, test: str, *, share_seeds: float | None, note: str = "") -> _Verdict:
    smallest = smallest_detectable(t.standard_error, t.df)
    return _Verdict(test, t.low, t.high, t.p, smallest, share_seeds, note, t.standard_error, t.df)


def _descriptive(v: _Verdict) -> _Verdict:
    return replace(v, p=None, smallest_detectable=None, note="descriptive")


def _of_seeds(o: Outcomes, confidence: float) -> tuple[Proportion | None, str]:
    mean_S = o.correct_SN.mean(axis=1)
    if _is_deterministic(o):
        return None, "no interval: nothing is random in it"
    if len(mean_S) < 2:
        return None, "no interval: one seed"
    if not np.ptp(mean_S):
        return None, "no interval: its seeds agree"
    spread = float(mean_S.std(ddof=1)) / len(mean_S) ** 0.5
    t = t_test(float(mean_S.mean()), spread, len(mean_S) - 1, confidence=confidence)
    return Proportion(t.mean, max(0.0, t.low), min(1.0, t.high)), "t over seeds"


def _interval(o: Outcomes, confidence: float) -> tuple[Proportion | None, str]:
    deterministic, groups = _is_deterministic(o), count_groups(o.groups_N)
    if not deterministic and len(o.seeds) < 2:
        return None, "no interval: one seed"
    if deterministic and not is_grouped(o.groups_N):
        share = float(o.correct_SN.mean())
        return wilson(share, len(o.groups_N), confidence=confidence), "Wilson"
    if groups < 2:
        return None, "no interval: one group"
    if deterministic:
        interval = clustered_wilson(o.correct_SN[0], o.groups_N, confidence=confidence)
        return interval, "Wilson, clustered"
    t = two_way(o.correct_SN, o.groups_N).t
    interval = effective_wilson(
        t,
        outcomes=o.correct_SN.size,
        groups=groups,
        rarer=groups_of_the_rarer(o.correct_SN, o.groups_N),
        confidence=confidence,
    )
    return interval, "two-way random effects"


def _paired(a: Outcomes, b: Outcomes) -> tuple[BoolArray, BoolArray]:
    """Both rows on their common seeds, in the order of `a`; a deterministic row is repeated."""
    if _is_deterministic(a) or _is_deterministic(b):
        a_SN, b_SN = np.broadcast_arrays(a.correct_SN, b.correct_SN)
        return a_SN, b_SN
    common = [seed for seed in a.seeds if seed in b.seeds]
    rows_a = [a.seeds.index(seed) for seed in common]
    rows_b = [b.seeds.index(seed) for seed in common]
    return a.correct_SN[rows_a], b.correct_SN[rows_b]


def _is_deterministic(o: Outcomes) -> bool:
    return o.seeds == (None,)


def _check(o: Outcomes) -> None:
    shape = (len(o.seeds), len(o.groups_N))
    if o.correct_SN.shape != shape or 0 in shape:
        raise ValueError(f"outcomes {o.correct_SN.shape} of {shape[0]} seeds x {shape[1]} items")
    if len(set(o.seeds)) < len(o.seeds) or (None in o.seeds and len(o.seeds) > 1):
        raise ValueError(f"seeds {o.seeds} are not distinct numbers")
