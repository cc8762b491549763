"""Coverage of the interval of one row, in few groups and near 0 and 1 (B studies, G groups)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from harness.stats.clusters import clustered_t
from harness.stats.proportion import effective_wilson, groups_of_the_rarer
from harness.stats.two_way import two_way


@dataclass(frozen=True)
class RowWorld:
    """Standard deviations on the latent scale, beside a residual of 1; no seeds: deterministic."""

    name: str
    groups: int
    size: int
    seeds: int
    accuracy: float
    seed: float
    group: float
    item: float

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Correctness (S, N)."""
        s, g, m = self.seeds or 1, self.groups, self.size
        x = rng.standard_normal((s, g, m)) + self.group * rng.standard_normal((1, g, 1))
        x += self.item * rng.standard_normal((1, g, m))
        seed = self.seed if self.seeds else 0.0
        x += seed * rng.standard_normal((s, 1, 1))
        total = (1 + seed**2 + self.group**2 + self.item**2) ** 0.5
        return np.asarray(x > -ndtri(self.accuracy) * total).reshape(s, g * m)


@dataclass(frozen=True)
class Covered:
    """`before` is without the doubt about a variance that few groups show; widths are means."""

    covered: float
    before: float
    width: float
    ratio: float


KINDS = (("residual", 0.1, 0.3, 0.6), ("groups", 0.1, 1.5, 0.5), ("items", 0.1, 0.2, 2.0))
ROW_WORLDS = tuple(
    RowWorld(name, groups, size, seeds, accuracy, *effects)
    for accuracy, sizes in (
        (0.99, ((10, 5), (10, 25), (25, 10), (25, 25), (50, 10))),
        (0.01, ((25, 10),)),
        (0.9, ((25, 10), (50, 10), (100, 10))),
        (0.7, ((50, 10),)),
        (0.5, ((50, 10),)),
    )
    for groups, size in sizes
    for seeds in (0, 5)
    for name, *effects in KINDS
)


def cover(world: RowWorld, studies: int) -> Covered:
    """Coverage and width of nominal 95% intervals."""
    rng = np.random.default_rng(3)
    groups_N = np.repeat(np.arange(world.groups), world.size)
    found = []
    for _ in range(studies):
        x_SN = world.draw(rng)
        t = two_way(x_SN, groups_N).t if world.seeds else clustered_t(x_SN[0] * 1.0, groups_N)
        rarer = groups_of_the_rarer(x_SN, groups_N)
        line = []
        # Without an error a group has always been one item.
        for known in (rarer, world.groups * 100 if rarer else 0):
            got = effective_wilson(t, outcomes=x_SN.size, groups=world.groups, rarer=known)
            line += [got.low <= world.accuracy <= got.high, got.high - got.low]
        found.append(line)
    covered, width, before, width_before = np.mean(found, axis=0).tolist()
    return Covered(covered, before, width, width / width_before)
