"""Simulates `grid --settle`: how often it claims a difference between equal rows.

    python benchmarks/settle.py            # 3,000 studies a world; minutes
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

import numpy as np
from scipy.special import stdtr, stdtrit

from harness.core.looks import LookRule
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
        return (latent > 0).astype(np.float64)


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
    """All pairs of rows at one look: p, and the interval's half-width over the difference."""

    p: np.ndarray
    covers: np.ndarray


def tested(x_KSN: np.ndarray, level: float) -> Tested:
    """Two-way random effects of every pair at once, for items without groups (see
    harness/stats/two_way.py; tests compare the two).
    """
    seeds, n = x_KSN.shape[1:]
    i, j = np.triu_indices(len(x_KSN), 1)
    d_PSN = x_KSN[i] - x_KSN[j]
    mean_P = d_PSN.mean(axis=(1, 2))
    d_PSN = d_PSN - mean_P[:, None, None]
    of_seeds = n * np.square(d_PSN.mean(axis=2)).sum(axis=1)
    of_items = seeds * np.square(d_PSN.mean(axis=1)).sum(axis=1)
    df_a, df_b = seeds - 1, n - 1
    a, b = of_seeds / df_a, of_items / df_b
    e = (np.square(d_PSN).sum(axis=(1, 2)) - of_seeds - of_items) / (df_a * df_b)
    v = a + b - e
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.maximum(1, v**2 / (a**2 / df_a + b**2 / df_b + e**2 / (df_a * df_b)))
        small = ~(v > 1e-12 * np.maximum(np.maximum(a, b), e))
        v, df = np.where(small, np.maximum(a, b), v), np.where(
            small, np.where(a >= b, df_a, df_b), df)  # fmt: skip
        t = np.abs(mean_P) / (v / (seeds * n)) ** 0.5
    nothing = v <= 0
    p = np.where(nothing, np.where(mean_P == 0, 1.0, 0.0), np.minimum(1, 2 * stdtr(df, -t)))
    return Tested(p, nothing | (t <= -stdtrit(df, level / 2)))


def settled(x_KSN: np.ndarray, rule: LookRule) -> Tested:
    """The sequential p of every pair when the looks end, and whether the intervals hold 0."""
    q = np.ones(ROWS * (ROWS - 1) // 2)
    for size, level in zip(rule.sizes, rule.levels, strict=True):
        last = tested(x_KSN[:, :size], level)
        q = np.minimum(q, last.p * 0.05 / level)
        if (holm(q) <= 0.05).all():
            break
    return Tested(q, last.covers)


def holm(p: np.ndarray) -> np.ndarray:
    """Adjusted p."""
    order, m = np.argsort(p), len(p)
    adjusted = np.empty(m)
    adjusted[order] = np.maximum.accumulate(np.minimum(1, p[order] * np.arange(m, 0, -1)))
    return adjusted


def simulate(world: World, first: int, most: int, studies: int) -> Mapping[str, float]:
    """The shares of the module's docstring."""
    rule, rng = make_rule(range(first), most), np.random.default_rng(7)
    family = pair = naive = covered = 0.0
    for _ in range(studies):
        x_KSN = world.draw(rng, most)
        found = settled(x_KSN, rule)
        family += bool((holm(found.p) <= 0.05).any())
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
