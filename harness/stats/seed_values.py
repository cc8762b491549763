"""Two rows of which only one accuracy a seed is known: numbers of a csv, or other test items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.core.outcomes import Contrast
from harness.stats.paired_t import paired_t
from harness.stats.pairwise import LEAST_SEEDS
from harness.stats.student import TTest, t_test

if TYPE_CHECKING:
    from harness.core.samples import FloatArray

Values = Mapping[int | None, float]
PAIRED, WELCH = "paired t over seeds", "Welch over seeds, unpaired"
FIXED_ITEMS = "only these test items: nothing is known of new ones"
OTHER_ITEMS = "unpaired, and only these test items"


def welch(a_S: FloatArray, b_S: FloatArray, *, confidence: float = 0.95) -> TTest:
    """Welch's t test of two means with unequal variances (Biometrika 1947).

    Raises ValueError if either has fewer than two values.
    """
    if min(len(a_S), len(b_S)) < 2:
        raise ValueError("Welch's test needs two values of each")
    difference = float(np.mean(a_S) - np.mean(b_S))
    parts = [0.0 if np.ptp(x_S) == 0 else float(np.var(x_S, ddof=1)) / len(x_S)
             for x_S in (a_S, b_S)]  # fmt: skip
    v = sum(parts)
    spread = sum(p**2 / (len(x_S) - 1) for p, x_S in zip(parts, (a_S, b_S), strict=True))
    df = v**2 / spread if spread > 0 else len(a_S) + len(b_S) - 2
    return t_test(difference, v**0.5, df, confidence=confidence)


def contrast_of_values(a: Values, b: Values, like: Contrast, *, same_items: bool) -> Contrast:
    """The mean of `a` minus that of `b` (accuracy by seed), under E1: new seeds, these items.

    On the same items the common seeds are paired (a deterministic row, seed None, with every seed);
    without any, and on other items, Welch's test, marked as unpaired. Fewer than five seeds: no p.
    Fewer than two, or values that do not vary: no interval. `like` has the names.
    """
    common = _common(a, b) if same_items else []
    if common:
        d_S = np.array([a[s if s in a else None] - b[s if s in b else None] for s in common])
        base = replace(like, difference=float(d_S.mean()), seeds=len(common), test=PAIRED,
                       estimand="E1", note=FIXED_ITEMS)  # fmt: skip
        t = None if len(d_S) < 2 else paired_t(np.round(d_S, 12)).t
        if t is None:
            return replace(base, test="none", note=f"no variation over seeds; {FIXED_ITEMS}")
        return _of_t(base, t, len(d_S))
    a_S, b_S = (np.array(list(x.values())) for x in (a, b))
    few = min(len(a_S), len(b_S))
    base = replace(like, difference=float(a_S.mean() - b_S.mean()), seeds=few, test="none",
                   estimand="E1", note=OTHER_ITEMS)  # fmt: skip
    if few < 2 or np.ptp(np.round(a_S, 12)) == np.ptp(np.round(b_S, 12)) == 0:
        return base
    return _of_t(replace(base, test=WELCH), welch(a_S, b_S), few)


def _common(a: Values, b: Values) -> list[int | None]:
    if set(a) == {None} or set(b) == {None}:
        return list(b if set(a) == {None} else a)
    return [seed for seed in a if seed in b]


def _of_t(base: Contrast, t: TTest, seeds: int) -> Contrast:
    p = t.p if seeds >= LEAST_SEEDS else None
    return replace(base, low=t.low, high=t.high, se=t.standard_error, df=t.df, p=p)
