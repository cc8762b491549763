"""Simulates `grid --settle`: how often it claims a difference between equal rows.

    python benchmarks/settle.py            # 3,000 studies a world; a quarter of an hour
    python benchmarks/settle.py --studies 200

Every study has 8 rows that are equal over all seeds and items, 28 pairs and a budget of seeds. It
takes the looks of the rule until no pair is undecided or the budget is used, with the same items at
every look. Columns: a true null hypothesis is rejected for any pair of the family; for one pair,
without correction; the same if p were that of the last look, as if its seeds had been fixed;
and the share of true differences (0) that the interval of the last look holds.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from harness.core.looks import LookRule
from harness.core.outcomes import Outcomes
from harness.stats.all_pairs import contrasts
from harness.stats.equivalence import interval_at
from harness.stats.holm import holm
from harness.stats.moderated import share_seed_variance
from harness.stats.sequential import make_rule

ROWS = 8


@dataclass(frozen=True)
class World:
    """Standard deviations on a latent scale; `_m` those that differ between rows."""

    level: float = 0.5
    seed: float = 0.3
    seed_m: float = 0.2
    item: float = 1.0
    item_m: float = 0.5
    noise: float = 0.7
    items: int = 150

    def draw(self, rng: np.random.Generator, seeds: int) -> np.ndarray:
        """Correctness (rows, seeds, items)."""
        z, n = rng.standard_normal, self.items
        latent = self.level + self.noise * z((ROWS, seeds, n)) + self.seed * z((1, seeds, 1))
        latent += self.seed_m * z((ROWS, seeds, 1)) + self.item * z((1, 1, n))
        latent += self.item_m * z((ROWS, 1, n))
        return np.asarray(latent > 0)


WORLDS = {
    "items decide": World(seed_m=0.05, item_m=0.8),
    "both decide": World(),
    "both decide, 500 items": World(seed_m=0.15, items=500),
    "seeds decide": World(seed_m=0.4, item_m=0.1),
    "seeds and items, 500 items": World(seed_m=0.3, items=500),
    "residual decides": World(seed_m=0.01, item_m=0.05, noise=1.0),
    "rare differences": World(level=2.0, seed_m=0.02, item_m=0.15, noise=0.05),
}
#: First seeds, and the budget.
PLANS = ((5, 10), (5, 20), (10, 20))


@dataclass(frozen=True)
class Tested:
    """All pairs of rows at one look: p, and whether the interval holds 0."""

    p: np.ndarray
    covers: np.ndarray


def tested(x_KSN: np.ndarray, level: float) -> Tested:
    """All pairs as a column of a report has them, with the variance of seeds shared."""
    seeds, items = x_KSN.shape[1:]
    named, items_N = tuple(range(seeds)), np.arange(items)
    rows = {str(k): Outcomes(x_SN, named, items_N) for k, x_SN in enumerate(x_KSN)}
    found = share_seed_variance(contrasts(rows, list(combinations(rows, 2))))
    intervals = [interval_at(c, 1 - level) or (0.0, 0.0) for c in found]
    covers = [low <= 0 <= high for low, high in intervals]
    return Tested(np.array([c.p for c in found]), np.array(covers))


def settled(x_KSN: np.ndarray, rule: LookRule) -> Tested:
    """The sequential p of every pair when the looks end, and whether the intervals hold 0."""
    q = np.ones(ROWS * (ROWS - 1) // 2)
    for size, level in zip(rule.sizes, rule.levels, strict=True):
        last = tested(x_KSN[:, :size], level)
        q = np.minimum(q, last.p * 0.05 / level)
        if (adjusted(q) <= 0.05).all():
            break
    return Tested(q, last.covers)


def adjusted(p: np.ndarray) -> np.ndarray:
    """Holm's."""
    return np.array(holm(p.tolist()), dtype=float)


def simulate(world: World, first: int, most: int, studies: int) -> Mapping[str, float]:
    """The shares of the module's docstring."""
    rule, rng = make_rule(range(first), most), np.random.default_rng(7)
    family = pair = naive = covered = 0.0
    for _ in range(studies):
        x_KSN = world.draw(rng, most)
        found = settled(x_KSN, rule)
        family += bool((adjusted(found.p) <= 0.05).any())
        pair += float((found.p <= 0.05).mean())
        covered += float(found.covers.mean())
        looks = [tested(x_KSN[:, :size], 0.05).p for size in rule.sizes]
        naive += bool((np.min(looks, axis=0) <= 0.05 / len(looks[0])).any())
    return {"family": family / studies, "pair": pair / studies, "naive": naive / studies,
            "coverage": covered / studies}  # fmt: skip


def lines(studies: int) -> Iterator[str]:
    """A Markdown table."""
    yield "| world | seeds | any of 28 pairs | one pair | any pair, p of fixed seeds | coverage |"
    yield "| :-- | --: | --: | --: | --: | --: |"
    for name, world in WORLDS.items():
        for first, most in PLANS:
            s = simulate(world, first, most, studies)
            yield (
                f"| {name} | {first} to {most} | {s['family']:.3f} | {s['pair']:.3f} | "
                f"{s['naive']:.3f} | {100 * s['coverage']:.1f}% |"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=3000)
    for line in lines(parser.parse_args().studies):
        print(line, flush=True)


if __name__ == "__main__":
    main()
