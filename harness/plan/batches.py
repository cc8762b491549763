"""Cells in batches for jobs: those that share features together, the longest batch first."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from harness.core.cells import KeyedCell
from harness.core.protocols.launcher import CellCost
from harness.plan.estimate import guess

#: Seconds that a batch should last, so that starting a job is small beside it.
BATCH_SECONDS = 120.0


@dataclass(frozen=True)
class Batch:
    """Cells that share dataset, classes and encoder, to run in one job."""

    cells: tuple[KeyedCell, ...]
    seconds: float  # of one core


def batches(
    cells: Sequence[KeyedCell],
    jobs: int,
    *,
    seconds: float = BATCH_SECONDS,
    cost: CellCost = guess,
) -> list[Batch]:
    """Cells that share features or frames stay together; a batch lasts `seconds`, or less to fill
    the jobs.

    Longest first, so that the last job to end ends early.
    """
    groups: dict[Any, list[KeyedCell]] = {}
    for keyed in cells:
        c = keyed.cell
        shared = (c.dataset, c.encoder, c.resolution, c.frames, c.tuning)
        groups.setdefault(shared, []).append(keyed)
    found = [b for group in groups.values() for b in _balanced(group, jobs, seconds, cost)]
    return sorted(found, key=lambda b: -b.seconds)


def _balanced(group: Sequence[KeyedCell], jobs: int, seconds: float, cost: CellCost) -> list[Batch]:
    """One group in batches of about the same length: the longest training first, each to the batch
    that is the shortest so far.
    """
    trainings: dict[str, list[KeyedCell]] = {}
    for keyed in group:  # cells of one training stay in one job
        trainings.setdefault(keyed.train_key, []).append(keyed)
    costs = {name: sum(cost(c.cell) for c in own) for name, own in trainings.items()}
    total = sum(costs.values())
    target = min(seconds, total / jobs)
    number = min(len(trainings), max(1, ceil(total / target - 1e-9) if target > 0 else 1))
    shortest = [(0.0, n) for n in range(number)]
    parts: list[list[KeyedCell]] = [[] for _ in range(number)]
    for name in sorted(costs, key=lambda name: -costs[name]):
        length, n = heapq.heappop(shortest)
        parts[n] += trainings[name]
        heapq.heappush(shortest, (length + costs[name], n))
    lengths = {n: length for length, n in shortest}
    return [Batch(tuple(part), lengths[n]) for n, part in enumerate(parts)]
