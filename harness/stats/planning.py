"""How many seeds and items a comparison needs: two-way random effects, planned ahead."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.stats.clusters import group_deviations
from harness.stats.power import smallest_detectable, t_power
from harness.stats.two_way import mean_squares

if TYPE_CHECKING:
    from harness.core.samples import FloatArray, IntArray

#: More seeds or groups than these are none at all.
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Components:
    """Variance components of the paired differences (squared fractions) and today's sizes.

    The mean over S seeds and G groups has the variance seeds/S + groups/G + residual/(S G). Without
    seeds (deterministic rows) `n_seeds` is 1 and only groups count.
    """

    seeds: float
    groups: float
    residual: float
    n_seeds: int
    n_groups: int
    random_seeds: bool = True


def components(d_SN: FloatArray, groups_N: IntArray, *, random_seeds: bool = True) -> Components:
    """Estimated from the mean squares of two-way random effects; negative ones count as 0.

    Raises ValueError if there are fewer than two seeds (unless nothing is random) or two groups.
    """
    if not random_seeds:
        t_G = group_deviations(d_SN[:1], groups_N)[0]
        if len(t_G) < 2:
            raise ValueError("one group says nothing about other groups")
        return Components(0.0, float(t_G @ t_G) / (len(t_G) - 1), 0.0, 1, len(t_G), False)
    squares = mean_squares(group_deviations(d_SN, groups_N))
    s, g, e = squares.n_seeds, squares.n_groups, squares.residual
    of_seeds, of_groups = max(0.0, squares.seeds - e) / g, max(0.0, squares.groups - e) / s
    return Components(of_seeds, of_groups, e, s, g)


def projected(c: Components, seeds: float, groups: float) -> tuple[float, float]:
    """(standard error, degrees of freedom) that the test would have; either may be infinite.

    Degrees of freedom after Satterthwaite, with the expected mean squares in place of those found.
    """
    if not c.random_seeds:
        return (c.groups / groups) ** 0.5, groups - 1
    if math.isinf(seeds):
        return (c.groups / groups) ** 0.5, groups - 1
    if math.isinf(groups):
        return (c.seeds / seeds) ** 0.5, seeds - 1
    e = c.residual
    a, b = e + groups * c.seeds, e + seeds * c.groups
    v = a + b - e
    if v == 0:
        return 0.0, math.inf
    spread = a**2 / (seeds - 1) + b**2 / (groups - 1) + e**2 / ((seeds - 1) * (groups - 1))
    return (v / (seeds * groups)) ** 0.5, max(1.0, v**2 / spread)


def planned_power(
    c: Components, difference: float, seeds: float, groups: float, *, alpha: float
) -> float:
    """The chance that a true difference (a fraction) is found at level `alpha`."""
    error, df = projected(c, seeds, groups)
    if error == 0:
        return 1.0 if difference else alpha
    return t_power(difference / error, df, alpha=alpha)


def seeds_needed(
    c: Components, difference: float, *, alpha: float, power: float = 0.8, least: int = 5
) -> int | None:
    """The smallest number of seeds, with today's groups; None if no number is enough."""
    if not c.random_seeds:
        return None
    return smallest_number(
        lambda s: planned_power(c, difference, s, c.n_groups, alpha=alpha), least, power
    )


def groups_needed(
    c: Components, difference: float, *, alpha: float, power: float = 0.8, least: int = 5
) -> int | None:
    """The smallest number of groups, with today's seeds but `least`; None if none is enough."""
    seeds = max(least, c.n_seeds) if c.random_seeds else 1
    return smallest_number(lambda g: planned_power(c, difference, seeds, g, alpha=alpha), 2, power)


def floor_of_seeds(c: Components, *, alpha: float, power: float = 0.8) -> float:
    """The smallest difference (a fraction) that infinitely many seeds would detect."""
    error, df = projected(c, math.inf, c.n_groups)
    return smallest_detectable(error, df, alpha=alpha, power=power)


def smallest_number(power_at: Callable[[float], float], least: int, power: float) -> int | None:
    """The smallest number from `least` on with this power; None above MOST. Power rises with the
    number, so that the range can be halved.
    """
    low, high = least - 1, least
    while power_at(high) < power:
        if high >= MOST:
            return None
        low, high = high, min(MOST, 2 * high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_at(middle) >= power else (middle, high)
    return high
