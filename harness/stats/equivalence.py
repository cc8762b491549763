"""Whether a difference is too small to matter: two one-sided tests against a margin."""

from __future__ import annotations

from harness.core.outcomes import Contrast
from harness.stats.holm import ALPHA
from harness.stats.pairwise import EXACT_MCNEMAR, SIGN_FLIPS
from harness.stats.student import t_quantile, t_tail

#: Two one-sided tests at 5% each reject together where this interval is inside the margin.
CONFIDENCE = 0.90
DIFFERENT, EQUIVALENT, BOTH, UNDECIDED = (
    "different", "equivalent within the margin", "different, but within the margin", "undecided",
)  # fmt: skip
SAME_CELLS = "the same cells"


def interval_90(c: Contrast) -> tuple[float, float] | None:
    """The interval of two one-sided tests at the level of a contrast: 90% at 0.05. Fractions."""
    return interval_at(c, CONFIDENCE if c.level == ALPHA else 1 - 2 * c.level)


def interval_at(c: Contrast, confidence: float) -> tuple[float, float] | None:
    """An interval of a difference (fractions), by the method of its 95% interval.

    t tests: the difference +- the quantile of t times its standard error. Exact McNemar, and units
    without spread (see `no_spread`): that of Bonett and Price. None where there is no 95% interval
    either.
    """
    centre = _centre(c)
    if centre is None:
        return None
    mean, se, df = centre
    half = t_quantile(df, confidence) * se
    if c.test in (EXACT_MCNEMAR, SIGN_FLIPS):
        return max(-1.0, mean - half), min(1.0, mean + half)
    return mean - half, mean + half


def equivalence_p(c: Contrast, margin: float) -> float | None:
    """The p of "the difference is not inside -margin to +margin": the larger of two one-sided tests
    (Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 1987). None without an interval.
    """
    centre = _centre(c)
    if centre is None:
        return None
    mean, se, df = centre
    return _of_look(c, t_tail((margin - abs(mean)) / se, df))


def beyond_p(c: Contrast, margin: float) -> float | None:
    """The p of "the difference is inside -margin to +margin", at the margin, where it is largest.

    With a margin of 0 it is the two-sided p. None without an interval.
    """
    centre = _centre(c)
    if centre is None:
        return None
    mean, se, df = centre
    tails = t_tail((abs(mean) - margin) / se, df) + t_tail((abs(mean) + margin) / se, df)
    return _of_look(c, tails)


def _of_look(c: Contrast, p: float) -> float:
    """Under a sequential rule the last look has a part of the level."""
    return p if c.level == ALPHA else min(1.0, p * ALPHA / c.level)


def _centre(c: Contrast) -> tuple[float, float, float] | None:
    """(mean, standard error, degrees of freedom) from which the intervals of a contrast are made;
    None where it has none.
    """
    if c.low is None or c.high is None or c.se is None or c.df is None or not c.se > 0:
        return None
    if c.test in (EXACT_MCNEMAR, SIGN_FLIPS):
        # Bonett and Price add one unit to either side, which moves the centre towards 0. Units are
        # seeds, or groups (where items are single these are the items).
        units = c.seeds if c.test == SIGN_FLIPS else c.groups
        return c.difference * units / (units + 2), c.se, c.df
    return c.difference, c.se, c.df


def verdict(c: Contrast) -> str:
    """What a contrast, adjusted in its family with a margin, says of it; '' without a test.

    Different: the adjusted p is at most 0.05. Equivalent: the adjusted p of two one-sided tests
    against the margin (see `equivalence_p`) is at most 0.05. A small difference may be both.
    """
    if c.p_adjusted is None or c.p_equivalent is None:
        return ""
    inside = c.p_equivalent <= ALPHA
    if c.p_adjusted <= ALPHA:
        return BOTH if inside else DIFFERENT
    return EQUIVALENT if inside else UNDECIDED
