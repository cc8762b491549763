"""Worlds of equal rows, many studies at once (B studies, K rows, S seeds, N items, C classes).

Correctness comes from a latent scale with a residual of standard deviation 1. `shares` says how the
variance of a difference's mean divides on it between seeds, items and the residual. Under E2 rows
are equal although on any one test set they are not, as a row's effects on items are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import ndtri

Array = np.ndarray
#: Values drawn at once.
CHUNK = 4_000_000
#: Standard deviations of what the rows of a world share.
ITEM, GROUP, SEED = 1.0, 0.5, 0.3


@dataclass(frozen=True)
class World:
    """Equal rows; `spreads` multiply a row's effect of seeds, and None is a deterministic row."""

    name: str
    items: int
    group: int  # items in a group
    accuracy: float
    shares: tuple[float, float, float]
    spreads: tuple[float | None, ...] = (1.0,) * 8
    held: bool = True  # whether the ceilings are promised here

    @property
    def special(self) -> list[int]:
        """Rows that are unlike most others."""
        return [i for i, s in enumerate(self.spreads) if s != self.spreads[-1]]

    def draw(self, rng: np.random.Generator, seeds: int, studies: int) -> Array:
        """Correctness (B, K, S, N); items of a group lie together."""
        k, n, g = len(self.spreads), self.items, self.items // self.group
        of_seeds, of_items, of_rest = self.shares
        unit = 1 / (seeds * n * of_rest)
        seed_K = (seeds * of_seeds * unit) ** 0.5 * np.array([s or 0.0 for s in self.spreads])
        parts = 1 if self.group == 1 else 2
        item, group = (of_items * unit / parts * np.array([n, g])) ** 0.5

        def z(*shape: int) -> Array:
            return rng.standard_normal(shape, dtype=np.float32)

        x = z(studies, k, seeds, n)
        for i, spread in enumerate(self.spreads):
            if spread is None:
                x[:, i] = x[:, i, :1]
        variance_K = 1 + seed_K**2 + item**2 + ITEM**2 + (SEED * seed_K[-1]) ** 2
        x += np.float32(item) * z(studies, k, 1, n) + ITEM * z(studies, 1, 1, n)
        x += seed_K[:, None, None].astype(np.float32) * z(studies, k, seeds, 1)
        x += np.float32(SEED * seed_K[-1]) * z(studies, 1, seeds, 1)
        if self.group > 1:
            of_group = np.float32(group) * z(studies, k, 1, g) + GROUP * z(studies, 1, 1, g)
            x += np.repeat(of_group, self.group, axis=-1)
            variance_K = variance_K + group**2 + GROUP**2
        level_K = ndtri(self.accuracy) * variance_K**0.5
        return np.asarray(x > -level_K[:, None, None].astype(np.float32))


@dataclass(frozen=True)
class Competing:
    """Classes, each a group of ten items, that the nearest of all prototypes is chosen among.

    Every row sees classes in its own few dimensions; seeds move the prototypes. An error in a class
    makes one in its neighbour likely, so classes are not independent.
    """

    name: str
    classes: int
    dimensions: int
    spread: float  # of items around their class, whose positions have the spread 1
    seed: float
    group: int = 10
    held: bool = True
    special: list[int] = field(default_factory=list)

    @property
    def items(self) -> int:
        return self.classes * self.group

    def draw(self, rng: np.random.Generator, seeds: int, studies: int) -> Array:
        """Correctness (B, 8, S, N)."""
        k, c, d = 8, self.classes, self.dimensions
        label_N = np.repeat(np.arange(c), self.group)
        out = np.empty((studies, k, seeds, len(label_N)), dtype=bool)
        for b in range(studies):
            class_KCD = rng.standard_normal((k, c, d), dtype=np.float32)
            noise_KND = rng.standard_normal((k, len(label_N), d), dtype=np.float32)
            x_KND = class_KCD[:, label_N] + np.float32(self.spread) * noise_KND
            moved_KSCD = rng.standard_normal((k, seeds, c, d), dtype=np.float32)
            p_KSCD = class_KCD[:, None] + np.float32(self.seed) * moved_KSCD
            near_KSCN = p_KSCD @ x_KND.transpose(0, 2, 1)[:, None]
            near_KSCN -= 0.5 * np.square(p_KSCD).sum(-1)[..., None]
            out[b] = near_KSCN.argmax(axis=2) == label_N
        return out


SEEDS_80, SEEDS_60, SEEDS_40 = (0.8, 0.1, 0.1), (0.6, 0.3, 0.1), (0.4, 0.5, 0.1)
ITEMS_75, ITEMS_90 = (0.15, 0.75, 0.1), (0.05, 0.9, 0.05)
EVEN, RESIDUAL = (0.34, 0.33, 0.33), (0.05, 0.05, 0.9)
NOISY, HALF = (4.0,) + (1.0,) * 7, (3.0,) * 4 + (1.0,) * 4
DETERMINISTIC = (None,) + (1.0,) * 7
SCATTERED = tuple(float(2 ** (i * 3 / 7 - 1.5)) for i in range(8))

WORLDS: tuple[World | Competing, ...] = (
    World("seeds 80%", 500, 1, 0.7, SEEDS_80),
    World("seeds 60%", 500, 1, 0.7, SEEDS_60),
    World("seeds 60%, groups of 10", 500, 10, 0.7, SEEDS_60),
    World("seeds 40%, groups of 10", 500, 10, 0.7, SEEDS_40),
    World("items 90%, groups of 5", 500, 5, 0.7, ITEMS_90),
    World("items 75%, groups of 10", 500, 10, 0.7, ITEMS_75),
    World("residual 90%", 500, 1, 0.7, RESIDUAL),
    World("residual 90%, groups of 10", 500, 10, 0.9, RESIDUAL),
    World("even", 500, 1, 0.5, EVEN),
    World("even, groups of 10", 500, 10, 0.99, EVEN),
    World("seeds 80%", 2000, 1, 0.9, SEEDS_80),
    World("seeds 60%", 5000, 1, 0.5, SEEDS_60),
    World("seeds 60%", 5000, 1, 0.99, SEEDS_60),
    World("items 75%, groups of 10", 5000, 10, 0.7, ITEMS_75),
    World("one noisy row, seeds 60%", 500, 1, 0.7, SEEDS_60, NOISY),
    World("one noisy row, residual 90%", 500, 1, 0.7, RESIDUAL, NOISY),
    World("four noisy rows, seeds 60%", 500, 1, 0.7, SEEDS_60, HALF),
    World("one deterministic row, seeds 60%", 500, 1, 0.7, SEEDS_60, DETERMINISTIC),
    World("spreads of 0.35 to 2.8, even", 500, 1, 0.7, EVEN, SCATTERED),
    World("20 rows, seeds 60%", 500, 1, 0.7, SEEDS_60, (1.0,) * 20),
    Competing("50 classes compete in 2 dimensions", 50, 2, 0.2, 0.1),
    Competing("50 classes compete in 4 dimensions, few errors", 50, 4, 0.2, 0.1, held=False),
)


@dataclass(frozen=True)
class Tables:
    """Sums of squares and products of K rows over seeds, groups and the residual (B, K, K)."""

    mean_BK: Array
    seeds_BKK: Array
    groups_BKK: Array
    residual_BKK: Array
    n_seeds: int
    n_groups: int


def tables(x_BKSN: Array, group: int) -> Tables:
    """The analysis of variance of groups' means, of equal size, of all rows and pairs at once."""
    b, k, s, n = x_BKSN.shape
    g = n // group
    t = x_BKSN.reshape(b, k, s, g, group).mean(-1, dtype=np.float32)
    mean_BK = t.mean((2, 3), dtype=np.float64)
    t -= mean_BK[:, :, None, None].astype(np.float32)
    seed_BKS = t.mean(3, dtype=np.float64)
    group_BKG = t.mean(2, dtype=np.float64)
    of_seeds = g * seed_BKS @ seed_BKS.transpose(0, 2, 1)
    of_groups = s * group_BKG @ group_BKG.transpose(0, 2, 1)
    flat = t.reshape(b, k, s * g)
    total = (flat @ flat.transpose(0, 2, 1)).astype(np.float64)
    return Tables(mean_BK, of_seeds, of_groups, total - of_seeds - of_groups, s, g)


def simulate(world: World | Competing, seeds: int, studies: int, stream: int = 0) -> Tables:
    """The tables of `studies` studies."""
    rng = np.random.default_rng([stream, seeds])
    rows = len(world.spreads) if isinstance(world, World) else 8
    chunk = max(1, CHUNK // (rows * seeds * world.items))
    parts = [
        tables(world.draw(rng, seeds, min(chunk, studies - at)), world.group)
        for at in range(0, studies, chunk)
    ]
    return Tables(
        np.concatenate([p.mean_BK for p in parts]),
        np.concatenate([p.seeds_BKK for p in parts]),
        np.concatenate([p.groups_BKK for p in parts]),
        np.concatenate([p.residual_BKK for p in parts]),
        parts[0].n_seeds,
        parts[0].n_groups,
    )
