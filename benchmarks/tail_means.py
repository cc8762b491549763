"""Error rates of means over data sets: families of 8 equal rows on the same data sets.

    python -m benchmarks.tail_means --studies 1000    ten minutes on one core

It prints the table of docs/statistics.md. Exit code 1: a ceiling is not held.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from benchmarks.tail import hold
from benchmarks.tail_worlds import Array
from harness.core.outcomes import Contrast, Outcomes
from harness.stats.moderated import share_seed_variance
from harness.stats.over_sets import WeightedSet, fixed_contrast

ROWS = 8


@dataclass(frozen=True)
class MeansWorld:
    """Equal rows on several data sets. Standard deviations on a latent scale, where what all rows
    share of an item has 1.
    """

    name: str
    sizes: tuple[int, ...]  # items of every data set
    shared: float  # of a row's seed, the same on all data sets
    own: float = 0.2  # of a row's seed on one data set
    item: float = 0.5  # of a row's item, the same in every seed
    residual: float = 0.7
    group: int = 1  # items in a group, which share three quarters of a row's variance of items

    def draw(self, rng: np.random.Generator, seeds: int) -> list[list[Outcomes]]:
        """Outcomes by data set and row."""
        shared_KS = rng.normal(0, self.shared, (ROWS, seeds))
        found, first = [], 0
        for n in self.sizes:
            groups_N = np.arange(n) // self.group
            score_KSN = self._scores(rng, groups_N, shared_KS)
            named = tuple(range(seeds))
            found.append([Outcomes(x_SN > 0, named, first + groups_N) for x_SN in score_KSN])
            first += n
        return found

    def _scores(self, rng: np.random.Generator, groups_N: Array, shared_KS: Array) -> Array:
        (k, s), n = shared_KS.shape, len(groups_N)
        of_group, of_item = (0.75**0.5, 0.5) if self.group > 1 else (0.0, 1.0)
        item_KN = of_item * rng.normal(0, self.item, (k, n))
        item_KN += of_group * rng.normal(0, self.item, (k, n))[:, groups_N]
        seed_KS = shared_KS + rng.normal(0, self.own, (k, s))
        hard = rng.normal(0.5, 0.7)
        rest_KSN = rng.normal(0, self.residual, (k, s, n))
        score: Array = hard + rng.normal(0, 1, n) + item_KN[:, None] + seed_KS[..., None] + rest_KSN
        return score


FIVE, ELEVEN = (60, 150, 90, 200, 40), (100,) * 11
WORLDS = (
    MeansWorld("5 data sets, items", FIVE, 0.0, own=0.0, residual=0.3),
    MeansWorld("5 data sets, residual", FIVE, 0.0, own=0.0, item=0.1, residual=1.0),
    MeansWorld("5 data sets, seeds of each", FIVE, 0.0, own=0.6),
    MeansWorld("5 data sets, shared seeds 0.25", FIVE, 0.25),
    MeansWorld("5 data sets, shared seeds 0.6", FIVE, 0.6),
    MeansWorld("11 data sets, shared seeds 0.25, groups of 5", ELEVEN, 0.25, group=5),
    MeansWorld("11 data sets, shared seeds 0.6", ELEVEN, 0.6),
    MeansWorld("2 data sets, shared seeds 0.6", (400, 400), 0.6),
)


def all_pairs(sets: Sequence[Sequence[Outcomes]]) -> list[Contrast]:
    """Every pair of rows in the mean of data sets with equal weights."""
    weight = 1 / len(sets)
    return [
        fixed_contrast(
            [WeightedSet((rows[i], rows[j]), weight) for rows in sets], name_a=str(i), name_b=str(j)
        )
        for i, j in combinations(range(ROWS), 2)
    ]


def studies_of(world: MeansWorld, seeds: int, studies: int) -> Iterator[tuple[Array, Array]]:
    """The p of all pairs, each by its own variance and with that of the seeds shared."""
    rng = np.random.default_rng([seeds, len(world.sizes), int(100 * world.shared)])
    for _ in range(studies):
        own = all_pairs(world.draw(rng, seeds))
        shared = share_seed_variance(own)
        yield tuple(np.array([c.p for c in found]) for found in (own, shared))  # type: ignore[misc]


@dataclass(frozen=True)
class Rates:
    """Any false pair of the family (Holm: the smallest p decides), and of one pair."""

    family: float
    at_05: float
    at_01: float


def rates(p_BP: Array) -> Rates:
    """Of B studies with P pairs."""
    family = (p_BP.min(axis=1) <= 0.05 / p_BP.shape[1]).mean()
    return Rates(float(family), float((p_BP <= 0.05).mean()), float((p_BP <= 0.01).mean()))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 10])
    options = parser.parse_args(arguments)
    print("| world | S | any false pair | p at most 0.05 | p at most 0.01 |")
    print("| :-- | --: | --: | --: | --: |")
    held = True
    for seeds in options.seeds:
        for world in WORLDS:
            both = list(studies_of(world, seeds, options.studies))
            own, shared = (rates(np.array(p)) for p in zip(*both, strict=True))
            held = held and hold(shared.family, shared.at_05, shared.at_01, options.studies)
            cells = [f"{getattr(shared, name):.3f} ({getattr(own, name):.3f})"
                     for name in ("family", "at_05", "at_01")]  # fmt: skip
            print(f"| {world.name} | {seeds} | {' | '.join(cells)} |", flush=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
