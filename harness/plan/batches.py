"""Batches of cells for jobs: cells that share features are together, longest batch first."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from harness.core.cells import KeyedCell
from harness.core.protocols.launcher import CellCost
from harness.plan.estimate import guess

#: Seconds that a batch should take, so that the start of a job takes little in comparison.
BATCH_SECONDS = 120.0


@dataclass(frozen=True)
class Batch:
    """Cells that share dataset, classes and encoder, to run in one job."""

    cells: tuple[KeyedCell, ...]
    seconds: float  # of one core
    longest: float = 0.0  # of its trainings, in the same seconds: a training is not divided


def batches(
    cells: Sequence[KeyedCell],
    jobs: int,
    *,
    seconds: float = BATCH_SECONDS,
    cost: CellCost = guess,
) -> list[Batch]:
    """Batches of cells that share features or frames. A batch takes `seconds`, or less if there
    would be fewer batches than jobs.

    Longest first, so that the last job ends as early as possible.
    """
    groups: dict[Any, list[KeyedCell]] = {}
    for keyed in cells:
        c = keyed.cell
        shared = (c.dataset, c.encoder, c.resolution, c.frames, c.tuning)
        groups.setdefault(shared, []).append(keyed)
    balanced = [b for group in groups.values() for b in _balanced(group, jobs, seconds, cost)]
    return sorted(balanced, key=lambda b: -b.seconds)


def _balanced(group: Sequence[KeyedCell], jobs: int, seconds: float, cost: CellCost) -> list[Batch]:
    """One group in batches of about equal length: the longest training first, each added to the
    batch that is shortest so far.
    """
    trainings: dict[str, list[KeyedCell]] = {}
    for keyed in group:  # cells of one training stay in one job
        trainings.setdefault(keyed.train_key, []).append(keyed)
    costs = {name: sum(cost(c.cell) for c in members) for name, members in trainings.items()}
    total = sum(costs.values())
    target = min(seconds, total / jobs)
    number = min(len(trainings), max(1, ceil(total / target - 1e-9) if target > 0 else 1))
    shortest = [(0.0, n) for n in range(number)]
    parts: list[list[KeyedCell]] = [[] for _ in range(number)]
    longest = [0.0] * number
    for name in sorted(costs, key=lambda name: -costs[name]):
        length, n = heapq.heappop(shortest)
        parts[n] += trainings[name]
        longest[n] = max(longest[n], costs[name])
        heapq.heappush(shortest, (length + costs[name], n))
    lengths = {n: length for length, n in shortest}
    return [Batch(tuple(part), lengths[n], longest[n]) for n, part in enumerate(parts)]
