"""The contrasts of many pairs of rows at once: K rows, P pairs, S seeds, N items, G groups.

A table of 100 rows has 4,950 pairs in every column. Group sums are linear, so those of a pair are
the difference of those of its rows, and rows that share seeds and items are compared in arrays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from harness.stats.clusters import count_groups, group_deviations
from harness.stats.no_spread import ROUNDING
from harness.stats.pairwise import LEAST_SEEDS, contrast, contrast_of_squares
from harness.stats.two_way import MeanSquares

if TYPE_CHECKING:
    from harness.core.outcomes import Contrast, Outcomes
    from harness.core.samples import FloatArray

#: Numbers of a chunk of pairs, which stay in a cache: 2 MB.
CHUNK = 250_000

Pair = tuple[str, str]


def contrasts(
    rows: Mapping[str, Outcomes], pairs: Sequence[Pair], *, estimand: str = "E2"
) -> list[Contrast]:
    """`pairwise.contrast` of every pair (a, b), in their order.

    Raises ValueError as it does.
    """
    found: dict[Pair, Contrast] = {}
    if estimand == "E2":
        for names in _alike(rows):
            inside = [(a, b) for a, b in pairs if a in names and b in names]
            found.update(zip(inside, _of_alike(rows, names, inside), strict=True))
    return [
        found.get((a, b)) or contrast(rows[a], rows[b], name_a=a, name_b=b, estimand=estimand)
        for a, b in pairs
    ]


def _alike(rows: Mapping[str, Outcomes]) -> list[dict[str, int]]:
    """Trained rows with the same seeds and items, and seeds enough for a test: name -> place."""
    kinds: list[tuple[Outcomes, dict[str, int]]] = []
    for name, o in rows.items():
        if None in o.seeds or len(o.seeds) < LEAST_SEEDS or count_groups(o.groups_N) < 2:
            continue
        for like, names in kinds:
            if like.seeds == o.seeds and np.array_equal(like.groups_N, o.groups_N):
                names[name] = len(names)
                break
        else:
            kinds.append((o, {name: 0}))
    return [names for _, names in kinds]


def _of_alike(
    rows: Mapping[str, Outcomes], names: Mapping[str, int], pairs: Sequence[Pair]
) -> Iterator[Contrast]:
    sums = {name: int(rows[name].correct_SN.sum()) for name in names}
    t_KSG = np.stack([_deviations(rows[name]) for name in names])
    _, n_seeds, n_groups = t_KSG.shape
    step = max(1, CHUNK // (n_seeds * n_groups))
    for start in range(0, len(pairs), step):
        chunk = pairs[start : start + step]
        first_P, second_P = (np.array([names[pair[side]] for pair in chunk]) for side in (0, 1))
        t_PSG = t_KSG[first_P] - t_KSG[second_P]
        spreads_P = np.abs(t_PSG).max(axis=(1, 2)) >= ROUNDING
        squares = zip(*_mean_squares(t_PSG), strict=True)
        for (a, b), spreads, (seeds, groups, residual) in zip(
            chunk, spreads_P, squares, strict=True
        ):
            like = rows[a]
            if not spreads:
                yield contrast(like, rows[b], name_a=a, name_b=b)
                continue
            table = MeanSquares(seeds, groups, residual, n_seeds, n_groups)
            # Of counts, so that rows with equally many correct outcomes are tied exactly.
            difference = (sums[a] - sums[b]) / like.correct_SN.size
            yield contrast_of_squares(
                table, difference, name_a=a, name_b=b, items=len(like.groups_N)
            )


def _deviations(o: Outcomes) -> FloatArray:
    return group_deviations(o.correct_SN.astype(np.float64), o.groups_N)


def _mean_squares(t_PSG: FloatArray) -> tuple[list[float], list[float], list[float]]:
    """Those of `two_way.mean_squares`, of every pair: seeds, groups, residual.

    Deviations are centred already; they are changed in place.
    """
    _, n_seeds, n_groups = t_PSG.shape
    mean_PS = t_PSG.mean(axis=2)
    mean_PG = t_PSG.mean(axis=1)
    t_PSG -= mean_PS[:, :, None]
    t_PSG -= mean_PG[:, None, :]
    seeds_P = n_groups * np.square(mean_PS).sum(axis=1) / (n_seeds - 1)
    groups_P = n_seeds * np.square(mean_PG).sum(axis=1) / (n_groups - 1)
    rest_P = np.square(t_PSG).sum(axis=(1, 2)) / ((n_seeds - 1) * (n_groups - 1))
    return seeds_P.tolist(), groups_P.tolist(), rest_P.tolist()
